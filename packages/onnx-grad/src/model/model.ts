// From tensors to an ONNX model: every node that the outputs reach, in order, each distinct computation once.
import type { OnnxNode } from "swiglu/onnx";
import { checkName, checkTensors, kindOf } from "../graph/checks.js";
import { type IndexCheck, indexChecks } from "../graph/indices.js";
import { type DType, type Node, nodesBehind, type Shape, type Tensor } from "../graph/tensor.js";

/** A tensor that a model takes or gives. */
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

/** The model, and what it expects of the indices that are fed to it. */
export function buildChecked(outputs: Readonly<Record<string, Tensor>>): {
  readonly model: Model;
  readonly checks: readonly IndexCheck[];
} {
  if (typeof outputs !== "object" || outputs === null)
    throw new Error(`buildModel: the outputs are ${kindOf(outputs)}, expected tensors by name, as { loss }`);
  for (const name of Object.keys(outputs)) checkName("buildModel: an output", name);
  checkTensors("buildModel", outputs);
  const nodes = nodesBehind(Object.values(outputs));
  return { model: modelOf(outputs, nodes), checks: indexChecks(nodes) };
}

function modelOf(outputs: Readonly<Record<string, Tensor>>, nodes: readonly Node[]): Model {
  const inputs = [...nodes.flatMap((node) => node.inputs), ...Object.values(outputs)];
  const given = inputs.flatMap(({ source }) => (source.kind === "input" ? [source.name] : []));
  const build = new Builder(marginOf([...given, ...Object.keys(outputs)]));
  for (const node of nodes) build.node(node);
  const produced = new Set(build.nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  for (const [name, tensor] of Object.entries(outputs)) {
    if (build.inputs.has(name))
      throw new Error(`output "${name}" has the name of an input; rename one of them`);
    const inner = build.nameOf(tensor);
    if (produced.has(inner) && !renamed.has(inner)) renamed.set(inner, name);
    else build.nodes.push({ opType: "Identity", inputs: [inner], outputs: [name] });
  }
  const final = (name: string): string => renamed.get(name) ?? name;
  return {
    inputs: [...build.inputs].map(([name, tensor]) => info(name, tensor)),
    outputs: Object.entries(outputs).map(([name, tensor]) => info(name, tensor)),
    initializers: [...build.initializers.values()],
    nodes: build.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(final),
      outputs: node.outputs.map(final),
    })),
  };
}

/** What names inside the model begin with, so that none is the name of an input or output. */
function marginOf(names: readonly string[]): string {
  if (!names.some((name) => /^_*[A-Za-z]+_\d/.test(name))) return "";
  const longest = names.reduce((most, name) => Math.max(most, /^_*/.exec(name)![0].length), 0);
  return "_".repeat(longest + 1);
}

function info(name: string, { dtype, shape }: Tensor): ValueInfo {
  return { name, dtype, shape };
}

class Builder {
  readonly inputs = new Map<string, Tensor>();
  readonly initializers = new Map<string, Initializer>();
  readonly nodes: OnnxNode[] = [];
  private readonly names = new Map<Tensor, string>();
  private readonly computed = new Map<string, readonly string[]>();
  private count = 0;

  constructor(private readonly margin: string) {}

  /** Emits a node. One that computes the same as an earlier one lends that one's outputs instead. */
  node(node: Node): void {
    const prefix = `${this.margin}${node.name}_${this.count++}`;
    const outputs = node.outputs.map((_, i) => (i === 0 ? prefix : `${prefix}.${i}`));
    const inputs = node.inputs.map((x) => this.nameOf(x));
    const dtype = node.outputs[0]!.dtype;
    const { nodes, constants } = node.emit(inputs, outputs, `${prefix}/`);
    const renamed = new Map<string, string>();
    for (const { name, value } of constants) renamed.set(name, this.initializer(dtype, [], [value]));
    for (const inner of nodes) this.emit(inner, renamed);
    node.outputs.forEach((tensor, i) => {
      this.names.set(tensor, renamed.get(outputs[i]!) ?? outputs[i]!);
    });
  }

  nameOf(tensor: Tensor): string {
    const known = this.names.get(tensor);
    if (known !== undefined) return known;
    if (tensor.source.kind === "node")
      throw new Error("a node was read before it was emitted; this is a fault of onnx-grad");
    const name =
      tensor.source.kind === "input"
        ? this.input(tensor.source.name, tensor)
        : this.initializer(tensor.dtype, tensor.shape, tensor.source.data);
    this.names.set(tensor, name);
    return name;
  }

  private emit(node: OnnxNode, renamed: Map<string, string>): void {
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    const key = JSON.stringify([
      node.domain ?? "",
      node.opType,
      inputs,
      node.attributes ?? {},
      node.outputs.length,
    ]);
    const earlier = this.computed.get(key);
    if (earlier) {
      node.outputs.forEach((name, i) => {
        renamed.set(name, earlier[i]!);
      });
    } else {
      this.computed.set(key, node.outputs);
      this.nodes.push({ ...node, inputs });
    }
  }

  private input(name: string, tensor: Tensor): string {
    if ((this.inputs.get(name) ?? tensor) !== tensor)
      throw new Error(`two inputs are called "${name}"; rename one of them`);
    this.inputs.set(name, tensor);
    return name;
  }

  /** Data of the model; small ones that are equal are kept once. */
  private initializer(dtype: DType, shape: Shape, data: ArrayLike<number>): string {
    const values =
      data.length <= 64 ? Array.from(data, (x) => (Object.is(x, -0) ? "-0" : `${x}`)) : undefined;
    const key = values ? `${dtype}[${shape}]:${values}` : `${this.initializers.size}`;
    const known = this.initializers.get(key);
    if (known) return known.name;
    const name = `${this.margin}constant_${this.initializers.size}`;
    this.initializers.set(key, { name, dtype, shape, data });
    return name;
  }
}
