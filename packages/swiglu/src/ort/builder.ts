// Builds an ONNX model node by node: names are made up here, and emitted expressions bring their own constants.
import type { Expr } from "../expression/expr.js";
import type { ElementType } from "../onnx/elements.js";
import { emitNodes } from "../onnx/emit.js";
import type { Dimension, Initializer, Model, OnnxAttribute, OnnxNode, ValueInfo } from "../onnx/model.js";
import type { OnnxMath } from "../onnx/options.js";

export type Attributes = Readonly<Record<string, OnnxAttribute>>;

export class GraphBuilder {
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly initializers: Initializer[] = [];
  private readonly nodes: OnnxNode[] = [];
  private readonly results = new Map<string, string>();
  private count = 0;

  constructor(private readonly math: OnnxMath) {}

  input(name: string, shape: readonly Dimension[], dtype: ElementType = "float32"): string {
    this.inputs.push({ name, dtype, shape });
    return name;
  }

  /** Data inside the model. */
  constant(shape: readonly number[], data: ArrayLike<number>, dtype: ElementType = "float32"): string {
    const name = this.fresh();
    this.initializers.push({ name, dtype, shape, data });
    return name;
  }

  /** Adds a node with one output, which it returns. */
  node(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const [output] = this.split(opType, inputs, 1, attributes);
    return output as string;
  }

  /** Adds a node with several outputs. */
  split(opType: string, inputs: readonly string[], count: number, attributes: Attributes = {}): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    this.nodes.push({ opType, inputs, outputs, attributes });
    return outputs;
  }

  /** Computes expressions whose variables are the named tensors; equal parts of one call are computed once. */
  emit(expressions: readonly Expr[], inputs: Readonly<Record<string, string>>): string[] {
    if (expressions.length === 0) return [];
    const outputs = expressions.map(() => this.fresh());
    const { nodes, constants } = emitNodes(expressions, {
      inputs,
      outputs,
      prefix: `${this.fresh()}_`,
      math: this.math,
    });
    for (const { name, value } of constants)
      this.initializers.push({ name, dtype: "float32", shape: [], data: [value] });
    for (const node of nodes) this.nodes.push(node); // spread, a hundred thousand overflow the stack
    return outputs;
  }

  /** Makes a tensor an output of the model, under a name. */
  output(name: string, tensor: string, shape: readonly Dimension[], dtype: ElementType = "float32"): void {
    const computed = this.nodes.some(({ outputs }) => outputs.includes(tensor));
    if (computed && !this.results.has(tensor)) this.results.set(tensor, name);
    else this.nodes.push({ opType: "Identity", inputs: [tensor], outputs: [name] });
    this.outputs.push({ name, dtype, shape });
  }

  model(): Model {
    const final = (name: string): string => this.results.get(name) ?? name;
    return {
      opset: 21,
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: this.initializers,
      nodes: this.nodes.map(({ inputs, outputs, ...node }) => ({
        ...node,
        inputs: inputs.map(final),
        outputs: outputs.map(final),
      })),
    };
  }

  private fresh(): string {
    return `t${this.count++}`;
  }
}
