// Writes a graph as nodes and initializers. All inner names begin with one prefix, and all data has one element type.
import type { Activation } from "../../catalogue/activation.js";
import { substitute } from "../../expression/expr.js";
import type { View } from "../../layout.js";
import { emitNodes } from "../expression/emit.js";
import type { OnnxMath } from "../expression/options.js";
import type { Graph, GraphWeight, GraphWriter } from "../graph/graph.js";
import { GraphBuilder } from "../model/builder.js";
import { type FloatType, largestOf } from "../model/elements.js";
import type { Initializer, OnnxNode } from "../model/model.js";

/** How a graph is written. */
export interface Target {
  readonly opset: number;
  readonly dtype: FloatType;
  readonly math: OnnxMath;
  readonly prefix: string;
  /** From the graph's names (inputs, weights, y) to the names of tensors where it is written. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether the fixed parameters are attributes of a function. */
  readonly attributes: boolean;
}

export class NodeWriter implements GraphWriter {
  private readonly builder: GraphBuilder;

  constructor(
    private readonly graph: Graph,
    private readonly target: Target,
  ) {
    const name = (i: number): string => `${target.prefix}${i}`;
    this.builder = new GraphBuilder({ node: name, constant: name }, { shareConstants: true });
    graph.write(this);
  }

  /** The nodes, and the data that they use beside the graph's weights: constants of the activation, and indices of parts. */
  get written(): { readonly nodes: readonly OnnxNode[]; readonly constants: readonly Initializer[] } {
    return { nodes: this.builder.nodes(), constants: this.builder.initializers };
  }

  readonly tensor = (name: string): string => this.target.names.get(name) as string;

  product(x: string, weight: string, output?: string): string {
    const bias = this.target.names.get(`${weight}Bias`);
    const inner = bias === undefined ? output : undefined;
    const y = this.node("MatMul", [x, this.tensor(weight)], inner);
    return bias === undefined ? y : this.node("Add", [y, bias], output);
  }

  part(x: string, axis: number, size: number, { run, stride, offset }: View): string {
    if (run === size) return x;
    const step = run === 1 ? stride : 1;
    const end = run === 1 ? size : offset + run;
    return this.node("Slice", [x, ...[offset, end, axis, step].map((value) => this.index(value))]);
  }

  activation(activation: Activation, inputs: readonly string[], output?: string): string {
    const { opset, dtype, math, prefix, attributes, names } = this.target;
    const { numbers } = this.graph;
    const result = output ?? this.builder.fresh();
    const expression = attributes ? activation.expression : substitute(activation.expression, numbers);
    const fragment = emitNodes([expression], {
      inputs: {
        ...Object.fromEntries(names),
        ...Object.fromEntries(activation.inputs.map((name, i) => [name, inputs[i] as string])),
      },
      outputs: [result],
      prefix: `${prefix}${activation.name}/`,
      math,
      dtype,
      opset,
      fullShape: activation.inputs,
      attributes: attributes ? Object.keys(numbers) : [],
    });
    this.builder.append(fragment);
    return result;
  }

  private node(opType: string, inputs: readonly string[], output?: string): string {
    return this.builder.node(opType, inputs, {}, output);
  }

  /** A whole number in a tensor of shape [1], kept once. */
  private index(value: number): string {
    return this.builder.constant([1], [value], "int64", `${this.target.prefix}index/${value}`);
  }
}

/** The weights of a graph as initializers. Throws a RangeError for a number that the element type cannot hold. */
export function initializersOf({ weights }: Graph, { dtype, names }: Target): Initializer[] {
  return weights.map(({ name, shape, data }: GraphWeight) => {
    const largest = largestOf(dtype);
    const wrong = firstBeyond(data, largest);
    if (wrong !== undefined)
      throw new RangeError(
        `${name} contains ${wrong}, but ${dtype} ends at ${largest}: scale it, or use bfloat16 or float32`,
      );
    return { name: names.get(name) as string, dtype, shape, data };
  });
}

/** The first finite number of larger size, or undefined. */
function firstBeyond(data: Float32Array, largest: number): number | undefined {
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (Math.abs(value) > largest && Number.isFinite(value)) return value;
  }
  return undefined;
}
