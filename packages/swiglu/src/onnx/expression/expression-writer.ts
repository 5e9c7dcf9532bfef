// What the rules of expressions write with: nodes and numbers under one prefix, and the conversions of 16-bit floats.
import { type Attributes, GraphBuilder } from "../model/builder.js";
import { elementCode, type FloatType } from "../model/elements.js";
import type { OnnxFragment } from "../model/model.js";
import { type EmitOptions, innerOf, type OnnxMath } from "./options.js";
import type { Writer } from "./rules.js";

export class ExpressionWriter implements Writer {
  private readonly graph: GraphBuilder<FloatType>;
  private readonly dtype: FloatType;
  /** The type that is computed in: exact results of 16-bit floats need float32 on the way. */
  private readonly inner: FloatType;

  constructor(private readonly options: EmitOptions & { readonly math: OnnxMath }) {
    const { prefix, math, dtype = "float32" } = options;
    this.dtype = dtype;
    this.inner = innerOf(dtype, math);
    const names = { node: (i: number) => `${prefix}${i}`, constant: (i: number) => `${prefix}c${i}` };
    this.graph = new GraphBuilder(names, { shareConstants: true });
  }

  node(opType: string, ...inputs: readonly string[]): string {
    return this.graph.node(opType, inputs);
  }

  /** A node with attributes. */
  operator(opType: string, inputs: readonly string[], attributes: Attributes): string {
    return this.graph.node(opType, inputs, attributes);
  }

  constant(value: number): string {
    return this.graph.constant([], [value], this.inner);
  }

  /** A variable's value, in the type that is computed in. */
  variable(name: string): string {
    const { inputs, attributes = [] } = this.options;
    if (attributes.includes(name)) {
      const value = this.operator("Constant", [], { value_float: { floatOf: name } });
      return this.inner === "float32" ? value : this.cast(value, this.inner);
    }
    if (!Object.hasOwn(inputs, name))
      throw new ReferenceError(`inputs has no tensor for ${name}: expected one for each variable`);
    const tensor = inputs[name] as string;
    return this.inner === this.dtype ? tensor : this.cast(tensor, this.inner);
  }

  /** The fragment, with these results under the names of the outputs. */
  finish(results: readonly string[]): OnnxFragment {
    const converted =
      this.inner === this.dtype ? results : results.map((name) => this.cast(name, this.dtype));
    converted.forEach((tensor, i) => {
      this.graph.name(this.options.outputs[i] as string, tensor);
    });
    const constants = this.graph.initializers.map(({ name, dtype, data }) => ({
      name,
      dtype,
      value: data[0] as number,
    }));
    return { nodes: this.graph.nodes(), constants };
  }

  private cast(tensor: string, to: FloatType): string {
    return this.operator("Cast", [tensor], { to: { int: elementCode(to) } });
  }
}
