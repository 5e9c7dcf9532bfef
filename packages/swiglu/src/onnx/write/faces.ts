// A graph in each form that a caller may want: nodes for a graph of their own, a model, a file, a function inside a model.
import { listing, own, rejectUnknownKeys } from "../../errors.js";
import { encodeModel } from "../file/codec.js";
import type { Graph } from "../graph/graph.js";
import { elementCode, type FloatType } from "../model/elements.js";
import type { Initializer, Model, OnnxFunction, OnnxNode, ValueInfo } from "../model/model.js";
import { initializersOf, NodeWriter, type Target } from "./node-writer.js";
import { checkSettings, type WriteOptions } from "./settings.js";

/** How a graph's nodes are connected to the caller's graph. */
export interface NodeOptions extends WriteOptions {
  /** From each input of the graph to the name of the tensor that holds it. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The name of the result's tensor. */
  readonly output: string;
  /** The beginning of every inner name; it must be unique in the caller's graph. Default: the graph's name and `/`. */
  readonly prefix?: string;
}

/** Nodes and the data they use, to put into any graph. */
export interface Subgraph {
  readonly nodes: readonly OnnxNode[];
  /** Weights, constants and indices. */
  readonly initializers: readonly Initializer[];
}

/** How a graph is written as a whole model. */
export interface ModelOptions extends WriteOptions {
  /** Whether the nodes go into a function of the domain `swiglu`, which the model then calls. Default: no. */
  readonly asFunction?: boolean;
  /**
   * The element type of inputs and output: `dtype` (default), or `float32` around a graph of 16-bit floats, converted by the
   * model. JavaScript cannot feed bfloat16 to ONNX Runtime, nor, from Node 24 on, float16: its binding refuses Float16Array.
   */
  readonly io?: FloatType;
}

const domain = "swiglu";

/**
 * The nodes of a graph, with weights and constants as initializers, to put into a graph of your own. Throws a TypeError or
 * RangeError that names the option: an opset that is not supported, an input without a tensor, a name that is taken.
 *
 * @example
 * const names = { inputs: { gate: "g", up: "u" }, output: "out" };
 * toNodes(activationGraph("swiglu"), { ...names, opset: 28, math: "fast" }).nodes.length // 1
 */
export function toNodes(graph: Graph, options: NodeOptions): Subgraph {
  const { inputs, output, prefix = `${graph.name}/` } = options;
  const settings = checkSettings(graph, options);
  const wanted = graph.inputs.map(({ name }) => name);
  rejectUnknownKeys(inputs, wanted, "input", graph.name);
  const missing = wanted.find((name) => own(inputs, name) === undefined);
  if (missing !== undefined)
    throw new TypeError(`inputs.${missing} is missing: ${graph.name} takes ${listing(wanted)}`);
  const taken = [output, ...Object.values(inputs)].find((name) => name.startsWith(prefix));
  if (taken !== undefined)
    throw new TypeError(
      `"${taken}" begins like the names inside, with prefix "${prefix}": choose another prefix`,
    );
  if (Object.values(inputs).includes(output))
    throw new TypeError(`output is "${output}", which is also an input: each tensor needs a name of its own`);
  const names = new Map(
    [...ownNames(graph).keys()].map((name) => [
      name,
      name === graph.output.name ? output : (own(inputs, name) ?? `${prefix}${name}`),
    ]),
  );
  return write(graph, { ...settings, prefix, names, attributes: false });
}

/**
 * The model of a graph: its inputs, weights and nodes under the graph's own names, as plain data. With `asFunction`, the
 * nodes are a function in the domain `swiglu`, and the model calls it. With `io: "float32"`, inputs and output are float32.
 */
export function toModel(graph: Graph, options: ModelOptions = {}): Model {
  const settings = checkSettings(graph, options);
  const { opset, dtype } = settings;
  const { io = dtype } = options;
  if (io !== dtype && io !== "float32")
    throw new RangeError(`io is ${String(io)}, expected float32 or the graph's own type, ${dtype}`);
  const names = ownNames(graph);
  const info = ({ name, shape }: Graph["output"]): ValueInfo => ({ name, dtype: io, shape });
  const frame = { opset, inputs: graph.inputs.map(info), outputs: [info(graph.output)] };
  const inside = (name: string): string => (io === dtype ? name : `${graph.name}/${dtype}:${name}`);
  for (const { name } of [...graph.inputs, graph.output]) names.set(name, inside(name));
  const cast = (from: string, to: string, type: FloatType): readonly OnnxNode[] =>
    io === dtype
      ? []
      : [{ opType: "Cast", inputs: [from], outputs: [to], attributes: { to: { int: elementCode(type) } } }];
  const around = (nodes: readonly OnnxNode[]): readonly OnnxNode[] => [
    ...graph.inputs.flatMap(({ name }) => cast(name, inside(name), dtype)),
    ...nodes,
    ...cast(inside(graph.output.name), graph.output.name, io),
  ];
  const target = { ...settings, prefix: `${graph.name}/`, names, attributes: false };
  if (!options.asFunction) {
    const { nodes, initializers } = write(graph, target);
    return { ...frame, nodes: around(nodes), initializers };
  }
  const definition = toFunction(graph, options);
  const attributes = Object.entries(graph.numbers).map(([name, float]) => [name, { float }]);
  const call: OnnxNode = {
    opType: definition.name,
    domain,
    inputs: definition.inputs.map((name) => names.get(name) as string),
    outputs: definition.outputs.map(inside),
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
  };
  return {
    ...frame,
    domains: { [domain]: 1 },
    initializers: initializersOf(graph, target),
    nodes: around([call]),
    functions: [definition],
  };
}

/**
 * The ONNX file of a graph, weights inside. Inputs keep the graph's names (`x`, or `gate` and `up`, or `packed`, and
 * whatever was declared an input); the output is `y`.
 *
 * @example
 * const file = toFile(activationGraph("swiglu"), { opset: 21, math: "exact" });
 * file instanceof Uint8Array // true
 */
export function toFile(graph: Graph, options: ModelOptions = {}): Uint8Array {
  return encodeModel(toModel(graph, options));
}

/**
 * The graph as a function of the domain `swiglu`, for a model of your own. Its inputs are the graph's inputs and then its
 * weights. Fixed parameters are float attributes, with the given values as defaults.
 */
export function toFunction(graph: Graph, options: WriteOptions = {}): OnnxFunction {
  const settings = checkSettings(graph, options);
  const names = ownNames(graph);
  const target = { ...settings, prefix: `${graph.name}/`, names, attributes: true };
  const { nodes, constants } = new NodeWriter(graph, target).written;
  const data = constants.map(
    ({ name, ...tensor }): OnnxNode => ({
      opType: "Constant",
      inputs: [],
      outputs: [name],
      attributes: { value: { tensor } },
    }),
  );
  return {
    domain,
    name: graph.name,
    inputs: [...graph.inputs, ...graph.weights].map(({ name }) => name),
    outputs: [graph.output.name],
    attributes: graph.numbers,
    nodes: [...data, ...nodes],
    opset: settings.opset,
  };
}

function write(graph: Graph, target: Target): Subgraph {
  const { nodes, constants } = new NodeWriter(graph, target).written;
  return { nodes, initializers: [...initializersOf(graph, target), ...constants] };
}

/** The graph's tensors by name; here each is called as in the graph. */
function ownNames({ name, inputs, weights, output }: Graph): Map<string, string> {
  const names = new Map<string, string>();
  for (const tensor of [...inputs, ...weights, output]) {
    if (names.has(tensor.name))
      throw new TypeError(
        `two tensors of ${name} are called ${tensor.name}: give the parameter another name`,
      );
    names.set(tensor.name, tensor.name);
  }
  return names;
}
