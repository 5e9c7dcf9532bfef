// Writes a graph as nodes and initializers: names under one prefix, data in one element type.
import type { Activation } from "../catalogue/activation.js";
import { substitute } from "../expression/expr.js";
import type { View } from "../layout.js";
import { type FloatType, largestOf } from "./elements.js";
import { emitNodes } from "./emit.js";
import type { Graph, GraphWeight, GraphWriter } from "./graph.js";
import type { Initializer, OnnxConstant, OnnxNode } from "./model.js";
import type { OnnxMath } from "./options.js";

/** How a graph is written. */
export interface Target {
  readonly opset: number;
  readonly dtype: FloatType;
  readonly math: OnnxMath;
  readonly prefix: string;
  /** From the graph's own names (inputs, weights, y) to those of tensors. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether the fixed parameters are attributes of a function. */
  readonly attributes: boolean;
}

export class NodeWriter implements GraphWriter {
  readonly nodes: OnnxNode[] = [];
  /** Constants of the activation, and the indices of parts. */
  readonly constants: Initializer[] = [];
  private readonly indices = new Set<number>();

  constructor(
    private readonly graph: Graph,
    private readonly target: Target,
  ) {
    graph.write(this);
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
    const result = output ?? this.name();
    const expression = attributes ? activation.expression : substitute(activation.expression, numbers);
    const { nodes, constants } = emitNodes([expression], {
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
    for (const node of nodes) this.nodes.push(node); // spread, a hundred thousand overflow the stack
    for (const constant of constants) this.constants.push(scalar(constant));
    return result;
  }

  private node(opType: string, inputs: readonly string[], output = this.name()): string {
    this.nodes.push({ opType, inputs, outputs: [output] });
    return output;
  }

  private name(): string {
    return `${this.target.prefix}${this.nodes.length}`;
  }

  /** A whole number in a tensor of shape [1], kept once. */
  private index(value: number): string {
    const name = `${this.target.prefix}index/${value}`;
    if (!this.indices.has(value)) this.constants.push({ name, dtype: "int64", shape: [1], data: [value] });
    this.indices.add(value);
    return name;
  }
}

function scalar({ name, dtype, value }: OnnxConstant): Initializer {
  return { name, dtype, shape: [], data: [value] };
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
