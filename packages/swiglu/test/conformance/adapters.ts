// The conformance suite for what is not a whole backend: functions or layers of a framework, graphs in files.
// An adapter's test is a loop: for (const { name, skip, run } of adapterCases(adapter, claim)) test.skipIf(skip)(name, run).
import {
  type Activation,
  type ActivationInputs,
  activations,
  type Ffn,
  type FfnOptions,
  type GatedFfnOptions,
  type GatedFfnWeights,
  type PackedLayout,
  type ParameterValue,
} from "../../src/index.js";
import { type Claim, type ElementwiseBackend, elementwiseCases, overflowCases } from "./elementwise.js";
import { emptyBlockCases, emptyElementwiseCases } from "./empty.js";
import { slowExtent } from "./extent.js";
import { type BlockBackend, blockCases } from "./ffn.js";
import { userDefined } from "./index.js";

type Arrays = Readonly<Record<string, Float32Array>>;
type Values = Readonly<Record<string, ParameterValue>>;
type MaybePromise<T> = T | Promise<T>;

/** Separate inputs by name (`{ x }` or `{ gate, up }`), or gate and up in one array. */
export type AdapterInputs =
  | { readonly arrays: Arrays }
  | {
      readonly packed: Float32Array;
      readonly shape: readonly number[];
      readonly axis: number;
      readonly layout: PackedLayout;
    };

/** A framework's elementwise functions, seen from plain arrays. Parameters are complete. */
export interface Adapter {
  /** The activation's value, flat, in the unpacked shape. */
  value(activation: Activation, inputs: AdapterInputs, parameters: Values): MaybePromise<Float32Array>;
  /** The gradients of sum(dy * y): of each input, or of `packed`, and of each parameter in the shape given. */
  gradients(
    activation: Activation,
    inputs: AdapterInputs,
    dy: Float32Array,
    parameters: Values,
  ): MaybePromise<Values>;
}

/** A feed-forward block, seen from plain arrays. Biases are absent where the block has none; parameters are complete. */
export interface Block {
  readonly activation: Activation;
  readonly gated: boolean;
  readonly dModel: number;
  readonly dFf: number;
  readonly weights: Arrays;
  readonly layout?: PackedLayout;
  readonly parameters: Values;
}

/** A framework's feed-forward blocks, seen from plain arrays. */
export interface BlockAdapter {
  /** y, [rows, dModel] */
  value(block: Block, x: Float32Array, rows: number): MaybePromise<Float32Array>;
  /** The gradients of sum(dY * y): of `x`, of each weight given, of each parameter in the shape given. */
  gradients(block: Block, x: Float32Array, rows: number, dY: Float32Array): MaybePromise<Values>;
}

/** A case to run; one that is left out says why. */
export interface AdapterCase {
  readonly name: string;
  readonly skip: boolean;
  run(): Promise<void>;
}

/** Cases to leave out: those whose name matches, and the reason. One that matches no case is an error. */
export type Skip = readonly [name: RegExp, reason: string];

/**
 * The elementwise suite of the backends, for an adapter: all activations and user-defined ones at hard points, over all
 * exponents, at infinities, with parameters over their range and per channel, in packed layouts.
 */
export function adapterCases(adapter: Adapter, claim: Claim, skips: readonly Skip[] = []): AdapterCase[] {
  const backend = elementwise(adapter);
  const cases = [
    ...[...Object.values(activations), ...userDefined].flatMap((activation, turn) =>
      elementwiseCases(activation, claim, { extent: slowExtent, turn }),
    ),
    ...overflowCases(claim),
    ...emptyElementwiseCases(),
  ];
  const except = claim.domain === undefined ? "" : ` (except ${claim.domain.except})`;
  return select(
    cases.map(({ name, run }) => ({ name: `${name}${except}`, run: () => run(backend) })),
    skips,
  );
}

/** The suite of the backends for a block's numbers, for an adapter: values and every gradient, all forms. */
export function blockAdapterCases(adapter: BlockAdapter, skips: readonly Skip[] = []): AdapterCase[] {
  const backend = blocks(adapter);
  return select(
    [...blockCases(slowExtent), ...emptyBlockCases()].map(({ name, run }) => ({
      name,
      run: () => run(backend),
    })),
    skips,
  );
}

function select(cases: readonly Omit<AdapterCase, "skip">[], skips: readonly Skip[]): AdapterCase[] {
  for (const [pattern] of skips)
    if (!cases.some(({ name }) => pattern.test(name))) throw new Error(`${pattern} skips no case`);
  return cases.map(({ name, run }) => {
    const reason = skips.find(([pattern]) => pattern.test(name))?.[1];
    return { name: reason === undefined ? name : `${name}: ${reason}`, skip: reason !== undefined, run };
  });
}

/** What the suite passes to a backend, whose types are exact for each activation, as the adapter takes it. */
function elementwise(adapter: Adapter): ElementwiseBackend {
  const inputsOf = (inputs: ActivationInputs<Activation>): AdapterInputs =>
    "packed" in inputs ? ({ axis: -1, ...inputs } as AdapterInputs) : { arrays: inputs as Arrays };
  const complete = (activation: Activation, parameters: object = {}): Values =>
    ({ ...activation.parameters, ...parameters }) as Values;
  return {
    activate: async (activation, inputs, parameters) =>
      (await adapter.value(activation, inputsOf(inputs), complete(activation, parameters))) as never,
    activateBackward: async (activation, inputs, dy, parameters) => {
      const values = complete(activation, parameters);
      return (await adapter.gradients(activation, inputsOf(inputs), dy as Float32Array, values)) as never;
    },
  };
}

function blocks(adapter: BlockAdapter): BlockBackend {
  const make = <W>(gated: boolean, options: FfnOptions<W> & { layout?: PackedLayout }): Ffn<W> => {
    const weights = Object.fromEntries(Object.entries(options.weights as Arrays));
    const parameters = { ...options.activation.parameters, ...options.parameters };
    const block: Block = { ...options, parameters, gated, weights };
    return {
      forward: async (x, rows) => (await adapter.value(block, x as Float32Array, rows)) as never,
      record: async (x, rows) => ({
        y: (await adapter.value(block, x as Float32Array, rows)) as never,
        backward: async (dY) =>
          (await adapter.gradients(block, x as Float32Array, rows, dY as Float32Array)) as never,
        dispose() {},
      }),
      dispose() {},
    };
  };
  return {
    ffn: async (options) => make(false, options),
    gatedFfn: async <W extends GatedFfnWeights>(options: GatedFfnOptions<W>) => make(true, options),
  };
}
