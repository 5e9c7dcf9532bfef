// Collects the nodes and constants of one fragment: names, constants kept once, conversions of 16-bit floats.
import { elementCode, type FloatType } from "./elements.js";
import type { OnnxAttribute, OnnxConstant, OnnxFragment, OnnxNode } from "./model.js";
import type { EmitOptions } from "./options.js";
import type { Writer } from "./rules.js";

export class FragmentWriter implements Writer {
  private readonly nodes: OnnxNode[] = [];
  private readonly constants = new Map<string, OnnxConstant>();
  private readonly dtype: FloatType;
  /** The type that is computed in: exact results of 16-bit floats need float32 on the way. */
  private readonly inner: FloatType;

  constructor(private readonly options: EmitOptions) {
    const { dtype = "float32", math = "exact" } = options;
    this.dtype = dtype;
    this.inner = math === "exact" && dtype !== "float64" ? "float32" : dtype;
  }

  node(opType: string, ...inputs: readonly string[]): string {
    return this.operator(opType, inputs);
  }

  operator(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = `${this.options.prefix}${this.nodes.length}`;
    const some = Object.keys(attributes).length > 0;
    this.nodes.push({ opType, inputs, outputs: [output], ...(some && { attributes }) });
    return output;
  }

  constant(value: number): string {
    const key = Object.is(value, -0) ? "-0" : `${value}`;
    const name = `${this.options.prefix}c${this.constants.size}`;
    const known = this.constants.get(key) ?? { name, dtype: this.inner, value };
    this.constants.set(key, known);
    return known.name;
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
    const nodes = nameOutputs(this.nodes, converted, this.options.outputs);
    return { nodes, constants: [...this.constants.values()] };
  }

  private cast(tensor: string, to: FloatType): string {
    return this.operator("Cast", [tensor], { to: { int: elementCode(to) } });
  }
}

/** Gives results their output names: the node that computes one is renamed; inputs, constants and repeats are copied. */
function nameOutputs(
  nodes: readonly OnnxNode[],
  results: readonly string[],
  outputs: readonly string[],
): OnnxNode[] {
  const computed = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  results.forEach((result, i) => {
    const output = outputs[i] as string;
    if (computed.has(result) && !renamed.has(result)) renamed.set(result, output);
    else copies.push({ opType: "Identity", inputs: [result], outputs: [output] });
  });
  const rename = (name: string): string => renamed.get(name) ?? name;
  return [...nodes, ...copies].map(({ inputs, outputs: own, ...node }) => ({
    ...node,
    inputs: inputs.map(rename),
    outputs: own.map(rename),
  }));
}
