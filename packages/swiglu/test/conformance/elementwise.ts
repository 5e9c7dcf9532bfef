// What every backend must hold for activations: values and gradients within the error bound for every catalogue entry
// and user-defined ones, per-channel parameters, packed layouts.
import {
  type Activation,
  activations,
  type Backend,
  type PackedLayout,
  type ParameterValue,
  pack,
  unpack,
} from "../../src/index.js";
import { at, type Exact, exactGradients, exactValues } from "./exact.js";
import { expectClose, expectTrue } from "./expect.js";
import { type Choice, oneOf, pairs, rowsOf } from "./extent.js";
import { combinations, hardCombinations, hardPoints, plainFloats, specials, wideFloats } from "./samples.js";

/** What these cases need of a backend, so that what is not a whole backend can run them too (`adapters.ts`). */
export type ElementwiseBackend = Pick<Backend, "activate" | "activateBackward">;
export interface ElementwiseCase {
  readonly name: string;
  run(backend: ElementwiseBackend): Promise<void>;
}

/** What is claimed: the design's error bound times `units`; and, if not for all finite inputs, for which. */
export interface Claim {
  readonly units: number;
  readonly domain?: {
    /** Completes "except ...", with the reason. */
    readonly except: string;
    /** Whether the claim holds at a point: finite values of inputs and parameters and, for gradients, dy, by name. */
    holds(activation: Activation, point: Readonly<Record<string, number>>): boolean;
  };
}

/** Calls with runtime names: the suite goes through all activations, whose inputs the compiler cannot know. */
type AnyArrays = Readonly<Record<string, Float32Array>> & {
  x: Float32Array;
  gate: Float32Array;
  up: Float32Array;
};
type Gradients = Readonly<Record<string, Float32Array>>;

const named = <T>(activation: Activation, values: readonly T[]): Record<string, T> =>
  Object.fromEntries(activation.inputs.map((name, i) => [name, values[i] as T]));

/** Checks y and all gradients for given arrays against float64, within the bound. */
async function checkActivation(
  backend: ElementwiseBackend,
  activation: Activation,
  given: readonly Float32Array[],
  parameters: Readonly<Record<string, ParameterValue>>,
  claim: Claim,
  dy?: Float32Array,
  differentiated: "all" | "inputs" = "all",
): Promise<void> {
  const inputs = within(claim, activation, given, parameters, dy);
  const variables = [...activation.inputs, ...Object.keys(parameters)];
  const count = (inputs[0] as Float32Array).length;
  const arrays = named(activation, inputs) as AnyArrays;
  const point = (i: number) => [
    ...inputs.map((data) => data[i]),
    ...Object.values(parameters).map((value) => Math.fround(at(value, i))),
  ];
  const compare = (what: string, got: ParameterValue, { values, bounds }: Exact): void => {
    const where = (i: number) => () => `${activation.name} ${what} at ${variables} = ${point(i)}`;
    for (let i = 0; i < values.length; i++)
      expectClose(at(got, i), values[i] as number, claim.units * (bounds[i] as number), where(i));
  };

  const y = await backend.activate(activation, arrays, parameters);
  expectTrue(y.length === count, `${activation.name}: ${y.length} results for ${count} elements`);
  compare("value", y, exactValues(activation, inputs, parameters));
  if (dy === undefined) return;

  const gradients = (await backend.activateBackward(activation, arrays, dy, parameters)) as Gradients;
  const names = differentiated === "all" ? variables : activation.inputs;
  for (const [name, exact] of Object.entries(exactGradients(activation, inputs, parameters, dy, names)))
    compare(`gradient of ${name}`, gradients[name] as ParameterValue, exact);
}

/** The inputs, with ones in place of every finite point that the claim excepts. */
function within(
  { domain }: Claim,
  activation: Activation,
  inputs: readonly Float32Array[],
  parameters: Readonly<Record<string, ParameterValue>>,
  dy: Float32Array | undefined,
): readonly Float32Array[] {
  if (domain === undefined) return inputs;
  const kept = inputs.map((data) => data.slice());
  for (let i = 0; i < (inputs[0] as Float32Array).length; i++) {
    const point: Record<string, number> = named(
      activation,
      inputs.map((data) => data[i] as number),
    );
    for (const [name, value] of Object.entries(parameters)) point[name] = Math.fround(at(value, i));
    if (dy !== undefined) point.dy = dy[i] as number;
    if (Object.values(point).every(Number.isFinite) && !domain.holds(activation, point))
      for (const data of kept) data[i] = 1;
  }
  return kept;
}

/** Values for every parameter: the defaults scaled by `scale`, one for each of `channels` if given. */
function parametersOf(
  activation: Activation,
  scale: number,
  channels?: number,
): Record<string, ParameterValue> {
  return Object.fromEntries(
    Object.entries(activation.parameters).map(([name, value]) => {
      const scaled = name.toLowerCase().endsWith("limit") ? Math.abs(value * scale) : (value || 0.5) * scale;
      return [
        name,
        channels === undefined
          ? Math.fround(scaled)
          : Float32Array.from({ length: channels }, (_, i) => scaled * (1 + i / channels)),
      ];
    }),
  );
}

/** All cases for one activation, each with as much of its points as `choice` says. */
export function elementwiseCases(activation: Activation, claim: Claim, choice: Choice): ElementwiseCase[] {
  const { name } = activation;
  const arity = activation.inputs.length;
  const arrays = (count: number, make: (count: number, seed: number) => Float32Array): Float32Array[] =>
    activation.inputs.map((_, i) => make(count, 17 * count + i));
  const parameterised = Object.keys(activation.parameters).length > 0;
  const cases: ElementwiseCase[] = [
    {
      name: `${name}: value and gradients at hard points within ${4 * claim.units} units`,
      run: async (backend) => {
        const inputs = hardCombinations(hardPoints, arity, choice);
        await checkActivation(backend, activation, inputs, parametersOf(activation, 1), claim);
        const dy = plainFloats((inputs[0] as Float32Array).length, 5);
        await checkActivation(backend, activation, inputs, parametersOf(activation, 1), claim, dy, "inputs");
        // Parameter gradients sum over elements, so only points of moderate size can be summed.
        const moderate = hardCombinations(
          hardPoints.filter((v) => Math.abs(v) < 1e5),
          arity,
          choice,
        );
        const slopes = plainFloats((moderate[0] as Float32Array).length, 5);
        await checkActivation(backend, activation, moderate, parametersOf(activation, 1), claim, slopes);
      },
    },
    {
      name: `${name}: NaN and infinities as in IEEE arithmetic on the formula`,
      run: async (backend) => {
        const inputs = combinations([...specials, 1, -1, 0], arity);
        await checkActivation(backend, activation, inputs, parametersOf(activation, 1), claim);
      },
    },
    {
      name: `${name}: value and gradients over all exponents, odd sizes`,
      run: async (backend) => {
        const odd = oneOf([1, 2, 3, 5, 31], choice);
        for (const count of [0, ...odd, 1021]) {
          const [wide, dy] = [arrays(count, wideFloats), plainFloats(count, count)];
          await checkActivation(backend, activation, wide, parametersOf(activation, 1), claim, dy, "inputs");
        }
        for (const count of choice.extent === "full" ? [1, 7, 1021] : [...odd, 1021]) {
          const inputs = arrays(count, (n, seed) => plainFloats(n, seed, 20));
          const dy = plainFloats(count, 3 * count);
          await checkActivation(backend, activation, inputs, parametersOf(activation, 1), claim, dy);
        }
      },
    },
  ];
  if (parameterised)
    cases.push({
      name: `${name}: parameters over their range, scalar and per channel`,
      run: async (backend) => {
        const count = 3 * 35;
        const inputs = arrays(count, (n, seed) => plainFloats(n, seed, 12));
        const dy = plainFloats(count, 9);
        for (const [scale, channels] of rowsOf(
          [-10, -1.5, 0.1, 3, 10],
          [undefined, ...oneOf([1, 5, 35], choice)],
          choice,
        )) {
          const parameters = parametersOf(activation, scale, channels);
          await checkActivation(backend, activation, inputs, parameters, claim, dy);
        }
      },
    });
  const limits = Object.keys(activation.parameters).filter((each) => each.toLowerCase().endsWith("limit"));
  if (limits.length > 0)
    cases.push({
      name: `${name}: a limit of Infinity is none, as a number and among channels, in values and gradients`,
      run: (backend) => checkNoLimit(backend, activation, limits, claim),
    });
  if (activation.kind === "gated")
    cases.push({
      name: `${name}: packed layouts over any axis give what separate tensors give`,
      run: (backend) => checkPacked(backend, activation as Activation<"gated">, choice),
    });
  return cases;
}

async function checkNoLimit(
  backend: ElementwiseBackend,
  activation: Activation,
  limits: readonly string[],
  claim: Claim,
): Promise<void> {
  const hard = combinations(hardPoints, activation.inputs.length);
  const infinite = combinations([Infinity, -Infinity, 1, -1, 0], activation.inputs.length);
  const moderate = activation.inputs.map((_, i) => plainFloats(96, 40 + i, 60));
  const dy = plainFloats(96, 7);
  const none = Object.fromEntries(limits.map((name) => [name, Infinity]));
  for (const inputs of [hard, infinite])
    await checkActivation(backend, activation, inputs, { ...parametersOf(activation, 1), ...none }, claim);
  await checkActivation(
    backend,
    activation,
    moderate,
    { ...parametersOf(activation, 1), ...none },
    claim,
    dy,
  );
  for (const name of limits) {
    const finite = activation.parameters[name as never] as number;
    const channels = { [name]: Float32Array.of(Infinity, finite, Infinity, 0.75) };
    await checkActivation(
      backend,
      activation,
      moderate,
      { ...parametersOf(activation, 1, 4), ...channels },
      claim,
      dy,
    );
  }
  const inputs = named(activation, moderate) as AnyArrays;
  const gradients = (await backend.activateBackward(activation, inputs, dy, none)) as unknown as Values;
  for (const name of limits)
    expectTrue(
      gradients[name] === 0,
      `${activation.name}: gradient ${gradients[name]} of ${name}, which is none`,
    );
}
type Values = Readonly<Record<string, number>>;

const layouts: readonly PackedLayout[] = ["gate-first", "gate-second", "interleaved"];

async function checkPacked(
  backend: ElementwiseBackend,
  activation: Activation<"gated">,
  choice: Choice,
): Promise<void> {
  const shape = [2, 3, 4];
  const [gate, up] = [plainFloats(24, 1, 8), plainFloats(24, 2, 8)];
  const dy = plainFloats(24, 3);
  const parameters = parametersOf(activation, 1);
  const y = await backend.activate(activation, { gate, up }, parameters);
  const separate = await backend.activateBackward(activation, { gate, up }, dy, parameters);
  for (const [layout, axis] of oneOf(pairs(layouts, [0, 1, 2, -1, -2, -3]), choice)) {
    const where = `${activation.name} ${layout} axis ${axis}`;
    const packedShape = shape.map((size, i) => (i === (axis + 3) % 3 ? 2 * size : size));
    const packed = pack({ gate, up }, shape, { layout, axis });
    const input = { packed, shape: packedShape, layout, axis };
    const got = await backend.activate(activation, input, parameters);
    expectTrue(String(got) === String(y), `${where}: ${got} differs from ${y}`);
    const gradients = (await backend.activateBackward(activation, input, dy, parameters)) as Gradients;
    const halves = unpack(gradients.packed as Float32Array, packedShape, { layout, axis });
    expectTrue(String(halves.gate) === String(separate.gate), `${where}: gradient of gate`);
    expectTrue(String(halves.up) === String(separate.up), `${where}: gradient of up`);
  }
}

/** Points, found by search, where every order of multiplication in float32 overflows although the gradient does not. */
const overflowing: readonly (readonly [
  keyof typeof activations,
  number[],
  Record<string, number>,
  number,
])[] = [
  ["swiglu", [-1.7926e-17, -2.6104e28], { beta: -6.493 }, 2.8636e34],
  ["swiglu", [3, 3.4e38], { beta: 1 }, 0.5],
  ["swigluBlend", [5.25e-27, 1.653e38], { beta: 8.309 }, 0.582],
  ["swigluBlend", [-33.97, 2.48e38], { beta: 0.0912 }, -0.0418],
  ["swigluOai", [-1.1025e38, -72.82], { alpha: 3.177, limit: 6.859, offset: 1 }, 1.28e-26],
  ["drelu", [3.011e15, 0.324], {}, 2.7059e-40],
];

/** Gradients that overflow on the way, alone and among ordinary elements. */
export function overflowCases(claim: Claim): ElementwiseCase[] {
  return overflowing.map(([name, inputs, parameters, dy]) => ({
    name: `${name}: finite gradient where products overflow on the way, at ${inputs}`,
    run: async (backend) => {
      for (const count of [1, 6]) {
        const at = (value: number, i: number) => (i === count - 1 ? value : 0.5);
        const arrays = inputs.map((value) => Float32Array.from({ length: count }, (_, i) => at(value, i)));
        const slopes = Float32Array.from({ length: count }, (_, i) => at(dy, i));
        await checkActivation(backend, activations[name], arrays, parameters, claim, slopes);
      }
    },
  }));
}
