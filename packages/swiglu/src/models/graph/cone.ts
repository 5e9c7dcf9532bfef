// The part of a graph between two matrix products: followed from the later one's input back to the outputs of earlier ones.
import type { OnnxHeader, OnnxNode } from "../readers/onnx.js";
import type { TensorInfo } from "../tensor.js";
import { dataInputs, operatorOf, ruleOf } from "./operators.js";

/** A part of a product's output: all of it, one half, or every other channel. */
export type Part = "whole" | "first" | "second" | "even" | "odd";
/** Where a formula's variable comes from. */
export interface Source {
  readonly product: OnnxNode;
  readonly part: Part;
  /** The value that is added to the product's output; undefined where there is none. */
  readonly bias: string | undefined;
}
/** A formula of a graph: a value of one or two sources. */
export interface Cone {
  readonly sources: readonly Source[];
  readonly nodes: readonly OnnxNode[];
  /** Constants that it uses: what limits and slopes are among. */
  readonly constants: readonly number[];
  readonly value: (sources: readonly number[]) => number;
}

const products: ReadonlySet<string> = new Set([
  "MatMul",
  "Gemm",
  "Conv",
  "com.microsoft.MatMulNBits",
  "com.microsoft.FusedMatMul",
  "com.microsoft.MatMulBnb4",
]);
export const isProduct = (node: OnnxNode): boolean => products.has(operatorOf(node));

const moves = /^(Cast|Identity|Reshape|Squeeze|Unsqueeze|Flatten)$/;

const mostNodes = 256;
/** How many nodes that only move or cast numbers are looked through. */
const deepest = 8;

/** An initializer, and what lies between it and its use. */
export interface GraphWeight {
  readonly name: string;
  readonly transposed: boolean;
  /** Whether its numbers are codes that are scaled on the way. */
  readonly quantised: boolean;
}

/** A graph with each value's producer at hand. */
export class Graph {
  readonly header: OnnxHeader;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #weights: ReadonlyMap<string, TensorInfo>;

  constructor(header: OnnxHeader) {
    this.header = header;
    for (const node of header.nodes) for (const output of node.outputs) this.#producers.set(output, node);
    this.#weights = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  producer(value: string): OnnxNode | undefined {
    return this.#producers.get(value);
  }

  /** The initializer behind a value, through what only reorders or unpacks it, and whether it was transposed on the way. */
  weightOf(value: string): GraphWeight | undefined {
    let [name, transposed, quantised] = [value, false, false];
    for (let i = 0; i < 4; i++) {
      if (this.#weights.has(name)) return { name, transposed, quantised };
      const node = this.#producers.get(name);
      if (node === undefined || !/^(Transpose|DequantizeLinear|Cast|Identity)$/.test(node.op))
        return undefined;
      if (node.op === "Transpose") transposed = !transposed;
      quantised ||= node.op === "DequantizeLinear";
      name = node.inputs[0] ?? "";
    }
    return undefined;
  }

  /** The weights that are added to a value, alone or to all of it; undefined where none are. */
  addedTo(value: string): string | undefined {
    for (const node of this.header.nodes) {
      if (node.op !== "Add" || !node.inputs.includes(value)) continue;
      const other = node.inputs[node.inputs[0] === value ? 1 : 0] ?? "";
      if (this.weightOf(other) !== undefined && this.#constant(other) === undefined) return other;
    }
    return undefined;
  }

  /** A single number, where a value is one. */
  #constant(value: string, depth = 0): number | undefined {
    const known = this.header.constants.get(value);
    if (known?.length === 1) return known[0];
    const node = this.#producers.get(value);
    return depth < deepest && (node?.op === "Cast" || node?.op === "Identity")
      ? this.#constant(node.inputs[0] ?? "", depth + 1)
      : undefined;
  }
  #numbers(value: string | undefined): readonly number[] | undefined {
    return value === undefined ? undefined : this.header.constants.get(value);
  }

  /** The product that a value is (a part of) the output of. */
  #sourceOf(value: string, depth = 0): Source | undefined {
    const node = this.#producers.get(value);
    if (node === undefined || depth > deepest) return undefined;
    if (isProduct(node))
      return {
        product: node,
        part: "whole",
        bias: node.op === "Gemm" || node.op === "Conv" ? node.inputs[2] || undefined : undefined,
      };
    const input = node.inputs[0] ?? "";
    if (moves.test(node.op)) return this.#sourceOf(input, depth + 1);
    if (node.op === "Add") {
      for (const [data, bias] of [
        [input, node.inputs[1] ?? ""],
        [node.inputs[1] ?? "", input],
      ] as const) {
        const source = this.#sourceOf(data, depth + 1);
        if (source !== undefined && this.weightOf(bias) !== undefined && this.#constant(bias) === undefined)
          return { ...source, bias };
      }
      return undefined;
    }
    const part =
      node.op === "Split"
        ? this.#splitPart(node, value)
        : node.op === "Slice"
          ? this.#slicePart(node)
          : undefined;
    const pair = node.op === "Gather" ? this.#gatherPart(node) : undefined;
    const source = part === undefined && pair === undefined ? undefined : this.#sourceOf(input, depth + 1);
    return source?.part === "whole" ? { ...source, part: (part ?? pair) as Part } : undefined;
  }

  #splitPart(node: OnnxNode, value: string): Part | undefined {
    if (node.outputs.length !== 2) return undefined;
    const sizes = this.#numbers(node.inputs[1]) ?? node.attributes.get("split");
    if (typeof sizes === "object" && sizes[0] !== sizes[1]) return undefined;
    const second = node.outputs[1] === value;
    const axis = node.attributes.get("axis");
    return (
      this.#pairPart(node.inputs[0], typeof axis === "number" ? axis : 0, second) ??
      (second ? "second" : "first")
    );
  }

  /** One of two along an axis that a reshape made: pairs in the last axis, halves in the one before it. */
  #pairPart(value: string | undefined, axis: number, second: boolean): Part | undefined {
    const reshape = this.#producers.get(value ?? "");
    const shape = reshape?.op === "Reshape" ? this.#numbers(reshape.inputs[1]) : undefined;
    if (shape === undefined) return undefined;
    const place = axis < 0 ? axis : axis - shape.length;
    if (shape.at(place) !== 2) return undefined;
    if (place === -1) return second ? "odd" : "even";
    return place === -2 ? (second ? "second" : "first") : undefined;
  }

  #slicePart(node: OnnxNode): Part | undefined {
    const start = this.#integer(node.inputs[1]);
    const step = node.inputs[4] === undefined || node.inputs[4] === "" ? 1 : this.#integer(node.inputs[4]);
    if (step === 2) return start === 0 ? "even" : start === 1 ? "odd" : undefined;
    if (step !== 1 || start === undefined) return undefined;
    const width = this.#widthOf(node.inputs[0]);
    const half = width === undefined ? undefined : width / 2;
    if (start === 0)
      return half === undefined || this.#integer(node.inputs[2]) === half ? "first" : undefined;
    return half === undefined || start === half ? "second" : undefined;
  }

  #gatherPart(node: OnnxNode): Part | undefined {
    const index = this.#integer(node.inputs[1]);
    const axis = node.attributes.get("axis");
    if (index !== 0 && index !== 1) return undefined;
    return this.#pairPart(node.inputs[0], typeof axis === "number" ? axis : 0, index === 1);
  }

  /** How many channels a value has, where a product's weights say it. */
  #widthOf(value: string | undefined): number | undefined {
    const source = this.#sourceOf(value ?? "");
    if (source?.part !== "whole") return undefined;
    const matrix = this.weightOf(source.product.inputs[1] ?? "");
    const shape = matrix && this.#weights.get(matrix.name)?.shape;
    const n = source.product.attributes.get("N");
    if (typeof n === "number" || shape?.length !== 2) return typeof n === "number" ? n : undefined;
    const outFirst = matrix?.transposed !== (source.product.attributes.get("transB") === 1);
    return shape[outFirst ? 0 : 1];
  }

  /** A whole number that is a constant, or computed from a value's shape as exporters do. */
  #integer(value: string | undefined, depth = 0): number | undefined {
    const known = value === undefined ? undefined : this.#constant(value);
    if (known !== undefined || value === undefined || depth > deepest) return known;
    const node = this.#producers.get(value);
    if (node?.op === "Gather") {
      const shape = this.#producers.get(node.inputs[0] ?? "");
      return shape?.op === "Shape" && this.#integer(node.inputs[1], depth + 1) === -1
        ? this.#widthOf(shape.inputs[0])
        : undefined;
    }
    if (node === undefined || !/^(Add|Sub|Mul|Div)$/.test(node.op)) return undefined;
    const [a, b] = [0, 1].map((i) => this.#integer(node.inputs[i], depth + 1));
    if (a === undefined || b === undefined) return undefined;
    return { Add: a + b, Sub: a - b, Mul: a * b, Div: Math.trunc(a / b) }[node.op];
  }

  /**
   * The formula that a value is of the outputs of products; undefined where something else than elementwise operators lies
   * between, or where it has more than two variables.
   */
  coneOf(value: string): Cone | undefined {
    const sources: { key: string; source: Source }[] = [];
    const nodes = new Map<string, OnnxNode>();
    const constants: number[] = [];
    /** What computes each value, in an order in which everything is there when it is needed. */
    const steps: ((slots: number[], given: readonly number[]) => number)[] = [];
    const places = new Map<string, number>();
    let hops = 0;
    const add = (name: string, step: (slots: number[], given: readonly number[]) => number): number => {
      places.set(name, steps.length);
      return steps.push(step) - 1;
    };
    const visit = (name: string): number | undefined => {
      const known = places.get(name);
      if (known !== undefined) return known;
      const constant = this.#constant(name);
      if (constant !== undefined) {
        constants.push(constant);
        return add(name, () => constant);
      }
      const source = this.#sourceOf(name);
      if (source !== undefined) {
        const key = `${source.product.outputs[0]} ${source.part}`;
        const at = sources.findIndex((other) => other.key === key);
        const index = at >= 0 ? at : sources.push({ key, source }) - 1;
        return add(name, (_, given) => given[index] as number);
      }
      const node = this.#producers.get(name);
      // A reshape moves numbers and leaves the formula.
      if (node !== undefined && moves.test(node.op) && hops++ < mostNodes) return visit(node.inputs[0] ?? "");
      const rule = node && ruleOf(node);
      // A value that is needed for itself is in a damaged graph only.
      if (node === undefined || rule === undefined || nodes.size >= mostNodes || nodes.has(name))
        return undefined;
      nodes.set(name, node);
      const inputs: number[] = [];
      for (const input of node.inputs.slice(0, dataInputs(node))) {
        // An optional input that is left out.
        const at = input === "" ? add(`${name} without`, () => undefined as never) : visit(input);
        if (at === undefined) return undefined;
        inputs.push(at);
      }
      for (const attribute of node.attributes.values())
        if (typeof attribute === "number") constants.push(attribute);
      return add(name, (slots) =>
        rule(
          inputs.map((at) => slots[at] as number),
          node,
        ),
      );
    };
    const result = visit(value);
    if (result === undefined || nodes.size === 0 || sources.length === 0 || sources.length > 2)
      return undefined;
    return {
      sources: sources.map(({ source }) => source),
      nodes: [...nodes.values()],
      constants,
      value(given) {
        const slots: number[] = [];
        for (const step of steps) slots.push(step(slots, given));
        return slots[result] as number;
      },
    };
  }
}
