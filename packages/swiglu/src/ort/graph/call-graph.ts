// The graph of one kind of call: ONNX nodes one by one, and expressions as many nodes at once, all in float32.
import type { Expr } from "../../expression/expr.js";
import { emitNodes } from "../../onnx/expression/emit.js";
import type { OnnxMath } from "../../onnx/expression/options.js";
import { GraphBuilder } from "../../onnx/model/builder.js";
import type { Model } from "../../onnx/model/model.js";

export class CallGraph extends GraphBuilder {
  constructor(private readonly math: OnnxMath) {
    let count = 0;
    const name = (): string => `t${count++}`;
    super({ node: name, constant: name });
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
