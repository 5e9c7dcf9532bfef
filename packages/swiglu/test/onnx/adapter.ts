// Files behind the calls of the shared suite: values through the graph of an activation or a block, gradients through the
// emitter's nodes.
import {
  type Activation,
  expressions as e,
  gradient,
  gradientExpressions,
  type ParameterValue,
  pack,
  reference,
  unpack,
} from "../../src/index.js";
import {
  activationGraph,
  type Dimension,
  emitNodes,
  encodeModel,
  ffnGraph,
  type GraphParameter,
  gatedFfnGraph,
  toFile,
  type WriteOptions,
} from "../../src/onnx-entry.js";
import type { Adapter, BlockAdapter } from "../conformance/adapters.js";
import type { Claim } from "../conformance/elementwise.js";
import type { Fed, Load, Loaded } from "./runtime.js";

const backend = await reference();
const largest = 3.4028234663852886e38;

/** The design's bound, times 1. Emitted gradients are dy times a slope, which must itself fit in float32. */
export const claim: Claim = {
  units: 1,
  domain: {
    except: "gradients where the slope alone, before dy, is beyond float32",
    holds: (activation, { dy, ...point }) => {
      if (dy === undefined) return true;
      const some = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, point[name]]));
      const inputs = some(activation.inputs);
      const slopes = gradient(activation, inputs as never, some(Object.keys(activation.parameters)) as never);
      return Object.values<number>(slopes).every((slope) => Math.abs(slope) <= largest);
    },
  },
};

export type FaceOptions = WriteOptions & { readonly asFunction?: boolean };
type Arrays = Readonly<Record<string, Float32Array>>;
type Values = Readonly<Record<string, ParameterValue>>;

/** Loads each file once, by what it computes. */
function sessions(load: Load) {
  const known = new Map<string, Promise<Loaded>>();
  return (key: unknown, file: () => Uint8Array): Promise<Loaded> => {
    const text = JSON.stringify(key);
    const session = known.get(text) ?? load(file());
    known.set(text, session);
    return session;
  };
}

/**
 * Elementwise graphs for the shared suite. Parameters that have their defaults are numbers inside the graph; others are
 * inputs of it, scalars or per channel.
 */
export function elementwiseAdapter(load: Load, options: FaceOptions): Adapter {
  const session = sessions(load);
  return {
    async value(activation, inputs, parameters) {
      const packed = "packed" in inputs ? inputs : undefined;
      const arrays: Arrays = packed ? { packed: packed.packed } : (inputs as { arrays: Arrays }).arrays;
      const count = Object.values(arrays)[0]?.length as number;
      const channels = Math.max(
        0,
        ...Object.values(parameters).map((value) => (value as ArrayLike<number>).length ?? 0),
      );
      const shape = packed?.shape ?? (channels ? [count / channels, channels] : [count]);
      const declared: readonly Dimension[] = packed?.shape ?? (channels ? ["rows", channels] : ["count"]);
      const fixed = isDefault(activation, parameters);
      const where = packed && { layout: packed.layout, axis: packed.axis };
      const run = await session([activation.name, declared, fixed, where], () => {
        const input: GraphParameter = { input: channels ? [channels] : [] };
        const graph = activationGraph(activation, {
          shape: declared,
          ...where,
          parameters: fixed ? {} : Object.fromEntries(Object.keys(parameters).map((name) => [name, input])),
        });
        return toFile(graph, options);
      });
      const feeds = Object.entries(arrays).map(([name, data]): [string, Fed] => [name, { data, shape }]);
      const more = fixed ? [] : Object.entries(parameters).map(parameterFed);
      return Float32Array.from((await run(Object.fromEntries([...feeds, ...more]))).y as Float64Array);
    },
    async gradients(activation, inputs, dy, parameters) {
      const separate = "packed" in inputs ? unpack(inputs.packed, inputs.shape, inputs) : inputs.arrays;
      const count = dy.length;
      const at = (value: ParameterValue, i: number) =>
        typeof value === "number" ? value : (value[i % value.length] as number);
      const full = Object.entries(parameters).map(([name, value]) => [
        name,
        Float32Array.from({ length: count }, (_, i) => at(value, i)),
      ]);
      const all: Arrays = { ...separate, ...Object.fromEntries(full), dy };
      const names = [...activation.inputs, ...Object.keys(parameters)];
      const found = await (
        await session([activation.name, "gradients"], () => gradientFile(activation, options))
      )(Object.fromEntries(Object.entries(all).map(([name, data]) => [name, { data, shape: [count] }])));
      const results: Record<string, ParameterValue> = {};
      for (const name of names) {
        const slopes = found[`d_${name}`] ?? new Float64Array(0);
        const value = parameters[name];
        if (value === undefined) results[name] = Float32Array.from(slopes);
        else results[name] = summed(slopes, value);
      }
      if (!("packed" in inputs)) return results;
      const { gate, up, ...rest } = results as Record<string, Float32Array>;
      const shape = inputs.shape.map((size, i) =>
        i === (inputs.axis + inputs.shape.length) % inputs.shape.length ? size / 2 : size,
      );
      return { ...rest, packed: pack({ gate: gate!, up: up! }, shape, inputs) };
    },
  };
}

function parameterFed([name, value]: [string, ParameterValue]): [string, Fed] {
  return [
    name,
    typeof value === "number" ? { data: [value], shape: [] } : { data: value, shape: [value.length] },
  ];
}

function isDefault(activation: Activation, parameters: Values): boolean {
  return Object.entries(parameters).every(
    ([name, value]) => value === Math.fround(activation.parameters[name] as number),
  );
}

/** One output for each variable: dy times the slope, elementwise. */
function gradientFile(activation: Activation, { opset = 21, ...options }: FaceOptions): Uint8Array {
  const slopes = Object.entries(gradientExpressions(activation));
  const names = [...activation.inputs, ...Object.keys(activation.parameters), "dy"];
  const { nodes, constants } = emitNodes(
    slopes.map(([, slope]) => e.mul("dy", slope)),
    {
      inputs: Object.fromEntries(names.map((name) => [name, name])),
      outputs: slopes.map(([name]) => `d_${name}`),
      prefix: "gradient/",
      opset,
      ...options,
    },
  );
  const info = (name: string) => ({ name, dtype: "float32" as const, shape: ["count"] });
  return encodeModel({
    opset,
    inputs: names.map(info),
    outputs: slopes.map(([name]) => info(`d_${name}`)),
    initializers: constants.map(({ name, dtype, value }) => ({ name, dtype, shape: [], data: [value] })),
    nodes,
  });
}

/** The sums over all elements of each channel. */
function summed(slopes: Float64Array, like: ParameterValue): ParameterValue {
  const sums = new Float64Array(typeof like === "number" ? 1 : like.length);
  slopes.forEach((slope, i) => {
    sums[i % sums.length]! += slope;
  });
  return typeof like === "number" ? (sums[0] as number) : Float32Array.from(sums);
}

/** Blocks as files. Files hold the forward pass: the gradients here are the reference's. */
export function blockAdapter(load: Load, options: FaceOptions): BlockAdapter {
  return {
    async value({ gated, ...block }, x, rows) {
      const graph = gated ? gatedFfnGraph(block as never) : ffnGraph(block as never);
      const run = await load(toFile(graph, options));
      return Float32Array.from(
        (await run({ x: { data: x, shape: [rows, block.dModel] } })).y as Float64Array,
      );
    },
    async gradients({ gated, ...block }, x, rows, dY) {
      const ffn = await (gated ? backend.gatedFfn(block as never) : backend.ffn(block as never));
      return (await (await ffn.record(x, rows)).backward(dY)) as never;
    },
  };
}
