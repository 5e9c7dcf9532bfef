// Checks a function's kernels on blocks of inputs against float64, value and gradients, in units of the error bound.
import { type Activation, expressions as e, errorBound, gradientExpressions, type SyncBackend } from "swiglu";
import { type Exact, exactly } from "./exact.js";
import type { Block } from "./inputs.js";
import { type Finding, maximumExamples, type Outcome, type Outcomes } from "./results.js";

const relative = 4 * 2 ** -23;
const smallest = 2 ** -126;
const largest = (2 - 2 ** -23) * 2 ** 127;

/** Errors below this part of the bound are not looked at. */
const uninteresting = 0.01;

type Bound = (values: ArrayLike<number>) => number;

/** The results of one block, exact or as a kernel made them: the value, then the gradient in each variable. */
type Columns<T> = readonly T[];

export class Checker {
  private readonly inputs: readonly string[];
  private readonly variables: readonly string[];
  /** The value, then the derivative in each variable. */
  private readonly exact: Exact;
  private readonly bounds: Columns<Bound>;
  private readonly names: readonly string[];
  /** Where up and dy are among a point's values. */
  private readonly amplifiers: readonly number[];
  private readonly tallies: ReadonlyMap<string, Columns<Tally>>;

  /** `backends` by the name of their SIMD variant. */
  constructor(
    private readonly activation: Activation,
    private readonly backends: Readonly<Record<string, SyncBackend>>,
  ) {
    const slopes = gradientExpressions(activation);
    this.inputs = activation.inputs;
    this.variables = [...activation.inputs, ...Object.keys(activation.parameters)];
    this.exact = exactly([activation.expression, ...Object.values(slopes)], this.variables);
    this.bounds = [
      errorBound(activation.expression, this.variables),
      ...Object.values(slopes).map((slope) => errorBound(e.mul(slope, "dy"), [...this.variables, "dy"])),
    ];
    this.amplifiers = [...this.variables, "dy"].flatMap((name, k) =>
      name === "up" || name === "dy" ? [k] : [],
    );
    this.names = ["value", ...this.variables.map((name) => `gradient in ${name}`)];
    this.tallies = new Map(
      Object.keys(backends).map((simd) => [simd, this.names.map((_, column) => new Tally(column))]),
    );
  }

  /** Outcomes by output and variant since this was last called. */
  take(): Outcomes {
    return Object.fromEntries(
      [...this.tallies].flatMap(([simd, tallies]) =>
        tallies.map((tally, column) => [`${this.names[column]}, ${simd}`, tally.take()]),
      ),
    );
  }

  check(block: Block): void {
    const parameters = Object.values(block.parameters).map(Math.fround);
    const point = new Float64Array(this.variables.length + 1);
    parameters.forEach((value, k) => {
      point[this.inputs.length + k] = value;
    });
    const moveTo = (i: number): Float64Array => {
      for (let k = 0; k < this.inputs.length; k++) point[k] = block.inputs[k]![i]!;
      point[this.variables.length] = block.dy[i]!;
      return point;
    };
    const exact = this.exactly(block, parameters);
    for (const [simd, backend] of Object.entries(this.backends)) {
      const got = this.kernels(backend, block, parameters);
      const tallies = this.tallies.get(simd)!;
      got.forEach((results, column) => {
        tallies[column]!.add(results, exact[column]!, (i) => {
          const here = column === 0 ? moveTo(i).subarray(0, this.variables.length) : moveTo(i);
          const bounded = here.every(Number.isFinite);
          const value = exact[column]![i]!;
          // At infinities sensitivities mean nothing; what is finite there is held to a relative bound.
          return {
            bound: bounded ? this.bounds[column]!(here) : relative * Math.abs(value) + 4 * smallest,
            floor:
              smallest * this.amplifiers.reduce((all, k) => all * Math.max(1, Math.abs(here[k] ?? 1)), 1),
            at: here,
          };
        });
      });
    }
  }

  private exactly({ inputs, dy }: Block, parameters: readonly number[]): Columns<Float64Array> {
    const count = dy.length;
    const constants = parameters.map((value) => new Float64Array(count).fill(value));
    const columns = this.names.map(() => new Float64Array(count));
    this.exact([...inputs, ...constants], columns, count);
    for (const slopes of columns.slice(1)) for (let i = 0; i < count; i++) slopes[i]! *= dy[i]!;
    return columns;
  }

  /** What the kernels make of a block. Parameters go in one for each element, so that their gradients are not sums. */
  private kernels(backend: SyncBackend, block: Block, parameters: readonly number[]): Columns<Float32Array> {
    const { activation } = this;
    const count = block.dy.length;
    const byName = <T>(names: readonly string[], values: readonly T[]): Record<string, T> & AnyInputs<T> =>
      Object.fromEntries(names.map((name, k) => [name, values[k]!])) as Record<string, T> & AnyInputs<T>;
    const inputs = byName(this.inputs, block.inputs);
    const names = Object.keys(activation.parameters);
    const value = backend.activateSync(activation, inputs, byName(names, parameters));
    const channels = byName(
      names,
      parameters.map((parameter) => new Float32Array(count).fill(parameter)),
    );
    const gradients = backend.activateBackwardSync(activation, inputs, block.dy, channels) as Readonly<
      Record<string, Float32Array>
    >;
    return [value, ...this.variables.map((name) => gradients[name]!)];
  }
}

/** Inputs of an activation whose kind is not known: the union of what all take. */
type AnyInputs<T> = { readonly x: T; readonly gate: T; readonly up: T };

/** Counts and compares the results of one output. */
class Tally {
  private checked = 0;
  private violations = 0;
  private remaining = 0;
  private worst = 0;
  private worstFinding: Finding | undefined;
  private examples: Finding[] = [];

  /** dy's own sensitivity adds the magnitude of a gradient to its bound once more. */
  constructor(private readonly column: number) {}

  add(
    got: Float32Array,
    exact: Float64Array,
    look: (i: number) => { readonly bound: number; readonly floor: number; readonly at: Float64Array },
  ): void {
    this.checked += got.length;
    // The bound is at least this much, so most elements are done without it.
    const least = (this.column === 0 ? 1 : 2) * relative;
    let threshold = Math.max(uninteresting, Math.min(this.worst, 1));
    for (let i = 0; i < got.length; i++) {
      const value = exact[i]!;
      const error = Math.abs(got[i]! - value);
      if (error <= threshold * (least * Math.abs(value) + smallest)) continue;
      const { bound, floor, at } = look(i);
      const units = errorInBounds(got[i]!, value, bound);
      if (units <= threshold) continue;
      const finding: Finding = {
        at: Array.from(at, String),
        got: String(got[i]),
        exact: String(value),
        error: String(units),
      };
      if (units > this.worst) {
        this.worst = units;
        this.worstFinding = finding;
        threshold = Math.max(uninteresting, Math.min(units, 1));
      }
      if (units > 1) {
        this.violations++;
        if (errorInBounds(got[i]!, value, bound + floor) > 1) this.remaining++;
        if (this.examples.length < maximumExamples) this.examples.push(finding);
      }
    }
  }

  /** What was found since this was last called. The worst error before that still is the one to exceed. */
  take(): Outcome {
    const { checked, violations, remaining, examples, worstFinding: worst } = this;
    this.checked = 0;
    this.violations = 0;
    this.remaining = 0;
    this.examples = [];
    this.worstFinding = undefined;
    return { checked, violations, remaining, examples, ...(worst && { worst }) };
  }
}

/** The error over the bound. NaN has to be NaN; what may be too large for float32 may be infinite. */
function errorInBounds(got: number, exact: number, bound: number): number {
  if (Number.isNaN(exact)) return Number.isNaN(got) ? 0 : Number.POSITIVE_INFINITY;
  if (Number.isFinite(got)) return got === exact ? 0 : Math.abs(got - exact) / bound;
  const overflows = Math.abs(exact) + bound >= largest;
  return got === Math.sign(exact) * Number.POSITIVE_INFINITY && overflows ? 0 : Number.POSITIVE_INFINITY;
}
