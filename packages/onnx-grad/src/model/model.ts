// From tensors to an ONNX model: every node that the outputs reach, in order, each distinct computation once.
import { GraphBuilder, type OnnxNode } from "swiglu/onnx";
import { checkName, kindOf } from "../graph/checks.js";
import { type IndexCheck, indexChecks } from "../graph/indices.js";
import { type Node, nodesBehind, type Tensor } from "../graph/tensor.js";
import { checkTensors } from "../graph/tensor-checks.js";
import type { DType, Shape } from "../graph/types.js";

/** A tensor that a model takes or computes. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Data inside a model. */
export interface Initializer extends ValueInfo {
  readonly data: ArrayLike<number>;
}

/** An ONNX model as plain data; `encodeModel` makes its file. */
export interface Model {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly OnnxNode[];
}

/**
 * The model that computes the named outputs. Its inputs are those that the outputs depend on.
 * Errors where two inputs share a name, an output has an input's name, or a constant index is out of range.
 * Example: `buildModel({ loss, ...gradients })`.
 */
export function buildModel(outputs: Readonly<Record<string, Tensor>>): Model {
  return buildChecked(outputs).model;
}

/** The model, and the checks of the indices that are fed to it. */
export function buildChecked(outputs: Readonly<Record<string, Tensor>>): {
  readonly model: Model;
  readonly checks: readonly IndexCheck[];
} {
  if (typeof outputs !== "object" || outputs === null)
    throw new TypeError(
      `buildModel: the outputs are ${kindOf(outputs)}, expected tensors by name, as { loss }`,
    );
  for (const name of Object.keys(outputs)) checkName("buildModel: an output", name);
  checkTensors("buildModel", outputs);
  const nodes = nodesBehind(Object.values(outputs));
  return { model: modelOf(outputs, nodes), checks: indexChecks(nodes) };
}

function modelOf(outputs: Readonly<Record<string, Tensor>>, nodes: readonly Node[]): Model {
  const inputs = [...nodes.flatMap((node) => node.inputs), ...Object.values(outputs)];
  const given = inputs.flatMap(({ source }) => (source.kind === "input" ? [source.name] : []));
  const model = new TensorGraph(marginOf([...given, ...Object.keys(outputs)]));
  for (const node of nodes) model.add(node);
  return model.finish(outputs);
}

/** The beginning of all inner names, so that none equals the name of an input or output. */
function marginOf(names: readonly string[]): string {
  if (!names.some((name) => /^_*[A-Za-z]+_\d/.test(name))) return "";
  const longest = names.reduce((most, name) => Math.max(most, /^_*/.exec(name)![0].length), 0);
  return "_".repeat(longest + 1);
}

function info(name: string, { dtype, shape }: Tensor): ValueInfo {
  return { name, dtype, shape };
}

/** Puts tensors and their nodes into a graph of ONNX; each distinct computation and small constant once. */
class TensorGraph {
  private readonly graph: GraphBuilder<DType>;
  private readonly inputs = new Map<string, Tensor>();
  private readonly names = new Map<Tensor, string>();
  private count = 0;

  constructor(private readonly margin: string) {
    const names = {
      node: (nodes: number) => `${margin}node_${nodes}`,
      constant: (constants: number) => `${margin}constant_${constants}`,
    };
    this.graph = new GraphBuilder(names, { shareConstants: true, shareNodes: true });
  }

  /** Emits a node, which may be several of ONNX. */
  add({ name, inputs, outputs, emit }: Node): void {
    const prefix = `${this.margin}${name}_${this.count++}`;
    const emitted = outputs.map((_, i) => (i === 0 ? prefix : `${prefix}.${i}`));
    const { nodes, constants } = emit(
      inputs.map((x) => this.nameOf(x)),
      emitted,
      `${prefix}/`,
    );
    const { dtype } = outputs[0]!;
    for (const { name, value } of constants) this.graph.alias(name, this.graph.constant([], [value], dtype));
    for (const each of nodes) this.graph.add(each);
    outputs.forEach((tensor, i) => {
      this.names.set(tensor, this.graph.resolve(emitted[i]!));
    });
  }

  /** The model, with these tensors under the names of its outputs. */
  finish(outputs: Readonly<Record<string, Tensor>>): Model {
    const { inputs, graph } = this;
    for (const [name, tensor] of Object.entries(outputs)) {
      const inner = this.nameOf(tensor);
      if (inputs.has(name))
        throw new TypeError(`output "${name}" has the name of an input; rename one of them`);
      graph.name(name, inner);
    }
    return {
      inputs: [...inputs].map(([name, tensor]) => info(name, tensor)),
      outputs: Object.entries(outputs).map(([name, tensor]) => info(name, tensor)),
      initializers: graph.initializers,
      nodes: graph.nodes(),
    };
  }

  private nameOf(tensor: Tensor): string {
    const known = this.names.get(tensor);
    if (known !== undefined) return known;
    const { source, shape, dtype } = tensor;
    if (source.kind === "node")
      throw new Error("a node was read before it was emitted; this is a fault of onnx-grad");
    const name =
      source.kind === "input"
        ? this.input(source.name, tensor)
        : this.graph.constant(shape, source.data, dtype);
    this.names.set(tensor, name);
    return name;
  }

  private input(name: string, tensor: Tensor): string {
    if ((this.inputs.get(name) ?? tensor) !== tensor)
      throw new TypeError(`two inputs are called "${name}"; rename one of them`);
    this.inputs.set(name, tensor);
    return name;
  }
}
