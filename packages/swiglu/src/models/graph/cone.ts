// The part of a graph between two matrix products: followed from the later one's input back to the outputs of earlier ones.
import type { OnnxHeader, OnnxNode } from "../readers/onnx.js";
import { dataInputs, operatorOf, ruleOf } from "./operators.js";

/** A part of a product's output: all of it, one half, or every other channel. */
export type Part = "whole" | "first" | "second" | "even" | "odd";
/** Where a formula's variable comes from. */
export interface Source {
  readonly product: OnnxNode;
  readonly part: Part;
  readonly bias: boolean;
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

const mostNodes = 64;
/** How many nodes that only move or cast numbers are looked through. */
const deepest = 8;

/** A graph with each value's producer at hand. */
export class Graph {
  readonly header: OnnxHeader;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #weights: ReadonlySet<string>;

  constructor(header: OnnxHeader) {
    this.header = header;
    for (const node of header.nodes) for (const output of node.outputs) this.#producers.set(output, node);
    this.#weights = new Set(header.tensors.map(({ name }) => name));
  }

  producer(value: string): OnnxNode | undefined {
    return this.#producers.get(value);
  }

  /** The initializer behind a value, through what only reorders or unpacks it, and whether it was transposed on the way. */
  weightOf(value: string): { name: string; transposed: boolean } | undefined {
    let [name, transposed] = [value, false];
    for (let i = 0; i < 4; i++) {
      if (this.#weights.has(name)) return { name, transposed };
      const node = this.#producers.get(name);
      if (node === undefined || !/^(Transpose|DequantizeLinear|Cast|Identity)$/.test(node.op))
        return undefined;
      if (node.op === "Transpose") transposed = !transposed;
      name = node.inputs[0] ?? "";
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
        bias: node.op === "Gemm" ? node.inputs.length > 2 : node.op === "Conv" && node.inputs.length > 2,
      };
    const input = node.inputs[0] ?? "";
    if (/^(Cast|Identity|Reshape|Squeeze|Unsqueeze)$/.test(node.op)) return this.#sourceOf(input, depth + 1);
    if (node.op === "Add") {
      for (const [data, bias] of [
        [input, node.inputs[1] ?? ""],
        [node.inputs[1] ?? "", input],
      ] as const) {
        const source = this.#sourceOf(data, depth + 1);
        if (source !== undefined && this.weightOf(bias) !== undefined && this.#constant(bias) === undefined)
          return { ...source, bias: true };
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
    // Pairs along a last axis of two are interleaved; so are halves after a reshape to [..., dFf, 2].
    const paired = this.#producers.get(node.inputs[0] ?? "");
    if (paired?.op === "Reshape" && this.#numbers(paired.inputs[1])?.at(-1) === 2)
      return second ? "odd" : "even";
    return second ? "second" : "first";
  }

  #slicePart(node: OnnxNode): Part | undefined {
    const [start, , , step = [1]] = [1, 2, 3, 4].map((i) => this.#numbers(node.inputs[i]));
    if (start?.length !== 1 || step.length !== 1) return undefined;
    if (step[0] === 2) return start[0] === 0 ? "even" : start[0] === 1 ? "odd" : undefined;
    return step[0] === 1 ? (start[0] === 0 ? "first" : "second") : undefined;
  }

  /** One of each pair, after a reshape to [..., dFf, 2]. */
  #gatherPart(node: OnnxNode): Part | undefined {
    const index = this.#numbers(node.inputs[1]);
    const paired = this.#producers.get(node.inputs[0] ?? "");
    if (index?.length !== 1 || paired?.op !== "Reshape" || this.#numbers(paired.inputs[1])?.at(-1) !== 2)
      return undefined;
    return index[0] === 0 ? "even" : index[0] === 1 ? "odd" : undefined;
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
