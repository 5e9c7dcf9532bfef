// A symbolic tensor: it has a shape and an element type, and no data. A tensor never changes, and knows the node that computes it.
// So a graph is everything that an output reaches, and needs no registration.
//
//     x (input) --.                                    Tensor --source--> Node --inputs--> Tensor ...
//                  Mul --> y,  y.source = the node         y              Mul              x, w
//     w (input) --'
import type { OnnxConstant, OnnxNode } from "swiglu/onnx";
import { checkDtype, checkName, checkShape, checkValues } from "./checks.js";
import { type DType, type Shape, sizeOf } from "./types.js";

/** Where a tensor comes from: the caller feeds it, the model holds its data, or a node computes it. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly data: ArrayLike<number> }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

/** Writes a node into the model. `prefix` is unique; the names of inner tensors and constants must begin with it. */
export type Emit = (
  inputs: readonly string[],
  outputs: readonly string[],
  prefix: string,
) => { nodes: readonly OnnxNode[]; constants: readonly OnnxConstant[] };

/**
 * The reverse of a node: from the gradients of its outputs (undefined: not needed) to those of its inputs
 * (undefined: none). It is written with the same operations, so it can be differentiated again.
 */
export type Backward = (outputGradients: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[];

/** An input of a node that is used as an index along an axis: the node reads or adds at that position. */
interface IndexUse {
  /** Its position among the inputs of the node. */
  readonly input: number;
  /** The size of the axis; indices are whole numbers from 0 to `size - 1`. */
  readonly size: number;
  /** The operation that the caller wrote. */
  readonly by: string;
}

/**
 * For nodes that only move elements: the input that an element of an output comes from, and the element's position in that input.
 * Undefined for an element that comes from no input. Positions are flat.
 */
type Origin = (position: number, output: number) => readonly [input: number, position: number] | undefined;

/** What the checks of indices know of a node. A node without facts computes new values. */
export interface IndexFacts {
  readonly reads?: IndexUse;
  readonly origin?: Origin;
  /** Whether the graph itself keeps the indices that this node computes in their range. */
  readonly guards?: boolean;
}

export interface Node extends IndexFacts {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly emit: Emit;
  readonly backward: Backward;
}

export class Tensor {
  constructor(
    readonly dtype: DType,
    readonly shape: Shape,
    readonly source: Source,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
}

/** An operand: a tensor, or a number that takes the element type of the other operand. */
export type Operand = Tensor | number;

/**
 * A tensor that the caller feeds on every run.
 * Example: `input("images", [128, 784])`, `input("labels", [128], "int32")`.
 */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor {
  checkName("input", name);
  checkShape(`input "${name}"`, shape);
  checkDtype(`input "${name}"`, dtype);
  return new Tensor(dtype, [...shape], { kind: "input", name });
}

/**
 * A value fixed in the model: a number (shape []) or flat data with its shape. It receives no gradient. Integers are whole
 * numbers in the range of their type, and bool is 0 or 1; anything else is an error.
 * Example: `constant(0.5)`, `constant([1, 2, 3, 4], "float32", [2, 2])`.
 */
export function constant(value: number | ArrayLike<number>, dtype: DType = "float32", shape?: Shape): Tensor {
  const data = typeof value === "number" ? [value] : value;
  if (typeof data !== "object" || data === null || typeof data.length !== "number")
    throw new TypeError(`constant: the value is ${String(value)}; expected a number or an array of numbers`);
  const dims = shape ?? (typeof value === "number" ? [] : [data.length]);
  checkShape("constant", dims);
  checkDtype("constant", dtype);
  checkValues("constant", dtype, data);
  if (sizeOf(dims) !== data.length) {
    throw new RangeError(
      `constant has ${data.length} elements, but its shape [${dims}] holds ${sizeOf(dims)}`,
    );
  }
  return new Tensor(dtype, [...dims], { kind: "constant", data });
}

/** Sizes, positions or axes as a tensor, which is how an ONNX node takes them. A scalar's shape becomes an empty tensor. */
export function integers(values: readonly number[]): Tensor {
  return new Tensor("int64", [values.length], { kind: "constant", data: values });
}

/** How an operation describes one ONNX node and its reverse. */
export interface Operation extends IndexFacts {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly attributes?: OnnxNode["attributes"];
  readonly domain?: string;
  /** Gradients of the inputs from the gradient of the only output; absent: the operation carries no gradient. */
  readonly backward?: (dy: Tensor, y: Tensor) => readonly (Tensor | undefined)[];
}

/** One ONNX node with one output. */
export function apply(operation: Operation): Tensor {
  const { op, inputs, shape, attributes, domain, backward } = operation;
  const y: Tensor = node({
    name: op,
    inputs,
    outputs: [{ dtype: operation.dtype ?? inputs[0]!.dtype, shape }],
    emit: one(op, attributes, domain),
    backward: ([dy]) => (dy && backward ? backward(dy, y) : []),
    facts: operation,
  })[0]!;
  return y;
}

/** The emission of exactly one ONNX node. */
export function one(opType: string, attributes?: OnnxNode["attributes"], domain?: string): Emit {
  return (inputs, outputs) => ({
    nodes: [
      {
        opType,
        inputs: [...inputs],
        outputs: [...outputs],
        ...(attributes && { attributes }),
        ...(domain && { domain }),
      },
    ],
    constants: [],
  });
}

/** A node with any number of outputs; returns the output tensors. */
export function node(definition: {
  name: string;
  inputs: readonly Tensor[];
  outputs: readonly { dtype: DType; shape: Shape }[];
  emit: Emit;
  backward: Backward;
  facts?: IndexFacts;
}): Tensor[] {
  const { name, inputs, emit, backward, facts: { reads, origin, guards } = {} } = definition;
  const outputs: Tensor[] = [];
  const self: Node = {
    name,
    inputs,
    outputs,
    emit,
    backward,
    ...(reads && { reads }),
    ...(origin && { origin }),
    ...(guards && { guards }),
  };
  definition.outputs.forEach(({ dtype, shape }, index) => {
    outputs.push(new Tensor(dtype, shape, { kind: "node", node: self, index }));
  });
  return outputs;
}

/** Every node that the tensors reach, each after the nodes it reads from. */
export function nodesBehind(tensors: readonly Tensor[]): Node[] {
  const order = new Set<Node>();
  // The nodes whose inputs are being visited, and how many of these are done. A list and no recursion, since graphs are deep.
  const waiting: { readonly node: Node; done: number }[] = [];
  const visit = ({ source }: Tensor): void => {
    if (source.kind === "node" && !order.has(source.node)) waiting.push({ node: source.node, done: 0 });
  };
  for (const tensor of tensors) {
    visit(tensor);
    for (let last = waiting.at(-1); last; last = waiting.at(-1)) {
      const next = last.node.inputs[last.done++];
      if (next) visit(next);
      else order.add(waiting.pop()!.node);
    }
  }
  return [...order];
}
