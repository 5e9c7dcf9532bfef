// Checks of indices: which elements of a graph's inputs are used as indices, and the range that each must keep. An index is
// followed from the node that uses it back to inputs and constants. Constants are checked at once, inputs before every run.
//
//     ids (input) --Slice--> Add 1 --> Gather(table)     the elements of ids that Slice takes must be from -1 to rows - 2
import { coordinatesOf } from "./shapes.js";
import type { Node, Tensor } from "./tensor.js";
import type { Shape, TypedArray } from "./types.js";

/** The whole numbers that an index may be. */
interface Range {
  readonly low: number;
  readonly high: number;
}

/** The elements of an input that are indices (all, or those at the marked positions), and their range. */
export interface IndexCheck extends Range {
  readonly name: string;
  readonly shape: Shape;
  readonly marked: Uint8Array | undefined;
  /** The operation that reads by them. */
  readonly by: string;
}

/** A tensor on the way back whose elements (all, or the marked ones) must be in a range. */
interface Trail extends Range {
  readonly tensor: Tensor;
  readonly marked: Uint8Array | undefined;
}

/**
 * The checks that the inputs of a graph need, from its nodes in order. Throws for a constant that is out of range. Indices that the
 * graph computes cannot be followed; `guarded` keeps them in range.
 */
export function indexChecks(nodes: readonly Node[]): IndexCheck[] {
  const checks = new Map<string, IndexCheck>();
  for (const { reads, inputs } of nodes) {
    if (!reads) continue;
    const { by, size } = reads;
    const trail = { tensor: inputs[reads.input]!, low: 0, high: size - 1, marked: undefined };
    for (const { tensor, low, high, marked } of leaves(trail)) {
      const { source, shape } = tensor;
      const found = { low, high, marked, shape, by };
      if (source.kind === "input") {
        // One check serves all nodes that read the same elements in one range, such as an operation and its gradient.
        const key = JSON.stringify([source.name, low, high, marked && Array.from(marked)]);
        if (!checks.has(key)) checks.set(key, { ...found, name: source.name });
      } else if (source.kind === "constant") {
        checkIndexValues({ ...found, name: "a constant" }, source.data);
      }
    }
  }
  return [...checks.values()];
}

/** Throws for the first value out of range; the sentence has the value, its coordinates and the range. */
export function checkIndexValues(
  { name, shape, low, high, marked, by }: IndexCheck,
  data: TypedArray | ArrayLike<number>,
): void {
  for (let i = 0; i < data.length; i++) {
    if (marked && marked[i] === 0) continue;
    const value = Number(data[i]);
    if (Number.isInteger(value) && value >= low && value <= high) continue;
    const place = shape.length > 0 ? ` at [${coordinatesOf(i, shape)}]` : "";
    const range = low === Number.NEGATIVE_INFINITY ? `up to ${high}` : `from ${low} to ${high}`;
    throw new RangeError(
      `${by}: the index ${value} is out of range: ${name === "a constant" ? name : `input "${name}"`} has it${place}, where whole numbers ${range} are expected`,
    );
  }
}

/** Whether every index comes from an input or a constant, at most moved or shifted on the way, or is guarded already. */
export function isTraceable(indices: Tensor, size: number): boolean {
  return leaves({ tensor: indices, low: 0, high: size - 1, marked: undefined }).every(
    ({ tensor: { source } }) => source.kind !== "node" || source.node.guards === true,
  );
}

/** The ends of trails: inputs, constants, and tensors that a node computes. */
function leaves(start: Trail): Trail[] {
  const ends: Trail[] = [];
  const open = [start];
  for (let trail = open.pop(); trail; trail = open.pop()) {
    const onwards = follow(trail);
    if (onwards) open.push(...onwards);
    else ends.push(trail);
  }
  return ends;
}

/** The trails that continue through the node of a trail's tensor; undefined where the trail ends. */
function follow(trail: Trail): Trail[] | undefined {
  const { source } = trail.tensor;
  if (source.kind !== "node") return undefined;
  const { node, index } = source;
  const shifted = shift(node, trail);
  if (shifted) return [{ ...trail, ...shifted }];
  if (node.name === "Cast" && isInteger(node.inputs[0]!)) return [{ ...trail, tensor: node.inputs[0]! }];
  if (!node.origin) return undefined;
  const { low, high, marked } = trail;
  if (!marked && wholes.has(node.name)) {
    const moved = node.name === "Concat" ? node.inputs : node.inputs.slice(0, 1);
    return moved.map((tensor) => ({ tensor, low, high, marked: undefined }));
  }
  const marks = new Map<number, Uint8Array>();
  for (let position = 0; position < trail.tensor.size; position++) {
    if (marked && marked[position] === 0) continue;
    const [input, from] = node.origin(position, index) ?? [];
    if (input === undefined || from === undefined) continue;
    const known = marks.get(input) ?? new Uint8Array(node.inputs[input]!.size);
    known[from] = 1;
    marks.set(input, known);
  }
  return [...marks].map(([input, some]) => ({
    tensor: node.inputs[input]!,
    low,
    high,
    marked: some.every((mark) => mark === 1) ? undefined : some,
  }));
}

/** Nodes whose outputs together contain every element of their inputs. */
const wholes: ReadonlySet<string> = new Set(["Reshape", "Expand", "Transpose", "Concat"]);

/** Follows arithmetic of indices with one number: the other operand, and the range that keeps the result in the given range. */
function shift(node: Node, { low, high }: Range): (Range & { readonly tensor: Tensor }) | undefined {
  const [a, b] = node.inputs;
  const tensor = a && numberIn(a) === undefined ? a : b;
  const number = a && b && numberIn(tensor === a ? b : a);
  if (!tensor || number === undefined || !isInteger(tensor)) return undefined;
  switch (node.name) {
    case "Add":
      return { tensor, low: low - number, high: high - number };
    case "Sub":
      return tensor === a
        ? { tensor, low: low + number, high: high + number }
        : { tensor, low: number - high, high: number - low };
    case "Max": // what is below the number becomes the number
      return number >= low && number <= high ? { tensor, low: Number.NEGATIVE_INFINITY, high } : undefined;
    case "Min":
      return number >= low && number <= high ? { tensor, low, high: Number.POSITIVE_INFINITY } : undefined;
    default:
      return undefined;
  }
}

function numberIn({ source, size }: Tensor): number | undefined {
  return source.kind === "constant" && size === 1 ? source.data[0] : undefined;
}

function isInteger({ dtype }: Tensor): boolean {
  return dtype === "int32" || dtype === "int64";
}
