// The graph of one kind of call: ONNX nodes one by one, and expressions as many nodes at once, all in float32.
import type { Expr } from "../../expression/expr.js";
import { emitNodes } from "../../onnx/expression/emit.js";
import type { OnnxMath } from "../../onnx/expression/options.js";
import { type Attributes, GraphBuilder } from "../../onnx/model/builder.js";
import type { ElementType } from "../../onnx/model/elements.js";
import type { Dimension, Model, ValueInfo } from "../../onnx/model/model.js";

export class CallGraph extends GraphBuilder {
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];

  constructor(private readonly math: OnnxMath) {
    let count = 0;
    const name = (): string => `t${count++}`;
    super({ node: name, constant: name });
  }

  /** Declares a tensor that comes with every call; returns its name. */
  input(name: string, shape: readonly Dimension[], dtype: ElementType = "float32"): string {
    this.inputs.push({ name, dtype, shape });
    return name;
  }

  /** Makes a tensor an output of the graph, under a name. */
  output(name: string, tensor: string, shape: readonly Dimension[], dtype: ElementType = "float32"): void {
    this.name(name, tensor);
    this.outputs.push({ name, dtype, shape });
  }

  /** Adds a node with several outputs; returns their names. */
  split(opType: string, inputs: readonly string[], count: number, attributes: Attributes): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    this.add({ opType, inputs, outputs, attributes });
    return outputs;
  }

  /** Computes expressions whose variables are the named tensors; equal parts of one call are computed once. */
  emit(expressions: readonly Expr[], inputs: Readonly<Record<string, string>>): string[] {
    if (expressions.length === 0) return [];
    const outputs = expressions.map(() => this.fresh());
    this.append(emitNodes(expressions, { inputs, outputs, prefix: `${this.fresh()}_`, math: this.math }));
    return outputs;
  }

  model(): Model {
    const { inputs, outputs, initializers } = this;
    return { opset: 21, inputs, outputs, initializers, nodes: this.nodes() };
  }
}
