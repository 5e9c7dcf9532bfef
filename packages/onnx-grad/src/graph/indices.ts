// Indices must lie in the axis that they read: which elements of a graph's inputs are used as indices, and in which range.
// They are followed from where they are used back to inputs and constants, and checked before a run.
import { coordinatesOf } from "./shapes.js";
import type { Node, Tensor } from "./tensor.js";
import type { Shape, TypedArray } from "./types.js";

/** The whole numbers that an index may be. */
interface Range {
  readonly low: number;
  readonly high: number;
}

/** Some elements of an input that are indices: all, or those at the marked positions. */
export interface IndexCheck extends Range {
  readonly name: string;
  readonly shape: Shape;
  readonly marked: Uint8Array | undefined;
  /** The operation that reads by them. */
  readonly by: string;
}

/** What is left to follow: a tensor whose elements (all, or the marked ones) have to be in a range. */
interface Trail extends Range {
  readonly tensor: Tensor;
  readonly marked: Uint8Array | undefined;
}

/**
 * The checks that the inputs of a graph need, from its nodes in order. Throws for a constant that is out of range. Indices that the
 * graph computes lead nowhere here: `guarded` holds them.
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
        // One check for all places that read the same in one range, as an operation and its gradient do.
        const key = JSON.stringify([source.name, low, high, marked && Array.from(marked)]);
        if (!checks.has(key)) checks.set(key, { ...found, name: source.name });
      } else if (source.kind === "constant") {
        checkIndexValues({ ...found, name: "a constant" }, source.data);
      }
    }
  }
  return [...checks.values()];
}

/** Throws for the first value out of range: a sentence with the value, its place and what may stand there. */
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

/** Whether all elements of indices into an axis come, moved or shifted at most, from inputs and constants, or are guarded already. */
export function isTraceable(indices: Tensor, size: number): boolean {
  return leaves({ tensor: indices, low: 0, high: size - 1, marked: undefined }).every(
    ({ tensor: { source } }) => source.kind !== "node" || source.node.guards === true,
  );
}

/** Where trails end: at inputs, constants, and tensors that a node computes. */
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

/** The trails that a node leads on to; undefined where it ends. */
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

/** Nodes of which all outputs together read all of their inputs. */
const wholes: ReadonlySet<string> = new Set(["Reshape", "Expand", "Transpose", "Concat"]);

/** Arithmetic of indices with one number, backwards: the operand, and the range that keeps the result in its own. */
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
