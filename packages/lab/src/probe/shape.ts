// What an activation's expression says about its smoothness, its monotonicity and where it is flat: in float64, from
// exact derivatives, on the range from -12 to 12 of x, or of the gate with up held at 1. Parameters are at their defaults.
import { type Activation, compile, expressions } from "swiglu";
import { crossSection } from "./section.js";

const RANGE = 12;

/** A binary fraction, so that 0 and whole numbers, where kinks like to be, are among the points. */
const STEP = 2 ** -7;

/** A slope below this, in magnitude, passes next to nothing back. */
export const FLAT = 0.01;

/** A jump of the slope counts as a kink from this size on. */
const SMALLEST_JUMP = 0.01;

interface Place {
  readonly at: number;
  readonly value: number;
}

interface Extreme {
  /** Null where the curve is as large on a whole stretch. */
  readonly at: number | null;
  readonly value: number;
}

interface Kink {
  readonly at: number;
  /** The slope on its right less that on its left. */
  readonly jump: number;
}

export interface Shape {
  readonly name: string;
  readonly kind: Activation["kind"];
  /** The largest slope in magnitude, signed. */
  readonly slope: Extreme;
  /** The largest second derivative in magnitude, signed, kinks left out: there it does not exist. */
  readonly curvature: Extreme;
  readonly kinks: readonly Kink[];
  /** Whether the slope has one sign on the whole range, zeros allowed. */
  readonly monotone: boolean;
  /** The lowest point between a falling and a rising part; null where there is none. */
  readonly minimum: Place | null;
  /** Shares of inputs from a standard normal distribution. */
  readonly normal: {
    /** Where the slope is less than 0.01 in magnitude. */
    readonly flat: number;
    /** Where the slope is negative. */
    readonly falling: number;
  };
}

type Curve = (x: number) => number;

/**
 * The shape of an activation.
 *
 * @example
 * shapeOf(activations.silu).minimum // { at: -1.278464..., value: -0.278464... }
 */
export function shapeOf(activation: Activation): Shape {
  const { value, slope, curvature } = crossSection(activation);
  const tape = compile([value, slope, curvature], ["gate", ...Object.keys(activation.parameters)]);
  const defaults = Object.values(activation.parameters);
  const [f, df, ddf] = [0, 1, 2].map(
    (output): Curve =>
      (x) =>
        tape.run([x, ...defaults])[output]!,
  ) as [Curve, Curve, Curve];
  const slopes = cells.map(({ from }) => df(from));
  const rises = slopes.some((s) => s > 0);
  const falls = slopes.some((s) => s < 0);
  return {
    name: activation.name,
    kind: activation.kind,
    slope: largest(df),
    curvature: largest(ddf),
    kinks: kinksOf(df),
    monotone: !(rises && falls),
    minimum: minimumOf(f, df),
    normal: {
      flat: normalShare((x) => Math.abs(df(x)) < FLAT),
      falling: normalShare((x) => df(x) < 0),
    },
  };
}

const cells = Array.from({ length: (2 * RANGE) / STEP }, (_, i) => ({
  from: -RANGE + i * STEP,
  to: -RANGE + (i + 1) * STEP,
}));

/** The point of the grid, and then between its neighbours, where a curve is largest in magnitude; the one nearest to 0 of several. */
function largest(curve: Curve): Extreme {
  const size: Curve = (x) => Math.abs(curve(x));
  let best = 0;
  let largestSize = size(best);
  for (const x of [...cells.map(({ from }) => from), RANGE]) {
    const now = size(x);
    if (now < largestSize || (now === largestSize && Math.abs(x) >= Math.abs(best))) continue;
    [best, largestSize] = [x, now];
  }
  if ([best - STEP, best + STEP].some((x) => size(x) === largestSize))
    return { at: null, value: curve(best) };
  let [low, high] = [Math.max(-RANGE, best - STEP), Math.min(RANGE, best + STEP)];
  while (high - low > 1e-9) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (size(a) > size(b)) high = b;
    else low = a;
  }
  const refined = (low + high) / 2;
  const at = size(refined) > largestSize ? refined : best;
  return { at, value: curve(at) };
}

/** Where the slope still jumps when a cell is halved again and again towards the larger of its two changes. */
function kinksOf(slope: Curve): Kink[] {
  const jumps = new Map<number, number>(); // a kink with a slope of its own, such as that of |x|, is the end of two cells
  for (const { from, to } of cells) {
    let [low, high] = [from, to];
    const change = (a: number, b: number): number => slope(b) - slope(a);
    while (high - low > 1e-12 && Math.abs(change(low, high)) >= SMALLEST_JUMP) {
      const middle = (low + high) / 2;
      if (Math.abs(change(low, middle)) > Math.abs(change(middle, high))) high = middle;
      else low = middle;
    }
    const jump = change(low, high);
    const at = Math.round(high * 1e9) / 1e9 + 0; // no -0
    if (Math.abs(jump) >= SMALLEST_JUMP) jumps.set(at, (jumps.get(at) ?? 0) + jump);
  }
  return Array.from(jumps, ([at, jump]) => ({ at, jump }));
}

function minimumOf(value: Curve, slope: Curve): Place | null {
  const places = cells.flatMap(({ from, to }): Place[] => {
    if (!(slope(from) < 0 && slope(to) >= 0)) return [];
    const at = boundary((x) => slope(x) < 0, from, to);
    return slope(to + STEP) > 0 ? [{ at, value: value(at) }] : [];
  });
  return places.reduce<Place | null>(
    (lowest, place) => (lowest === null || place.value < lowest.value ? place : lowest),
    null,
  );
}

/** The share of a standard normal distribution where a condition holds. */
function normalShare(holds: (x: number) => boolean): number {
  let share = 0;
  for (const { from, to } of cells) {
    const [atStart, atEnd] = [holds(from), holds(to)];
    if (!atStart && !atEnd) continue;
    const start = atStart ? from : boundary(holds, from, to);
    const end = atEnd ? to : boundary(holds, from, to);
    share += normalCdf(end) - normalCdf(start);
  }
  return share;
}

const normalTape = compile([expressions.normalCdf("x")], ["x"]);
const normalCdf: Curve = (x) => normalTape.run([x])[0]!;

/** The place between two points at which a condition changes. */
function boundary(holds: (x: number) => boolean, from: number, to: number): number {
  const before = holds(from);
  let [low, high] = [from, to];
  for (let i = 0; i < 60 && high - low > 1e-15; i++) {
    const middle = (low + high) / 2;
    if (holds(middle) === before) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
