// Training on sequences without their padding: several of them share a row, each seeing itself alone, and only places that have a label go
// through the head. Loss and gradient are those of the padded batch; it is what would be computed for nothing that goes.
import { input, type Tensor } from "onnx-grad";
import type { SequenceShape } from "./types.js";

/** Rows are a multiple of this share of the batch, so that few graphs serve all batches. */
const SHARE = 1 / 8;

/** The most rows, as a share of the batch, that are worth a graph of their own. */
const WORTHWHILE = 3 / 4;

/** A batch in fewer rows: `rows` of `context` tokens, half of whose places go through the head. */
export interface PackedBatch {
  readonly rows: number;
  /** [rows, context], 0 where there is none. */
  readonly tokens: Int32Array;
  /** [rows, context]: the place of each token in its sequence. */
  readonly positions: Int32Array;
  /** [half of them]: which tokens have a label, as in `tokens` transposed: all first tokens of the rows first. */
  readonly places: Int32Array;
  /** [half of them]: the labels there; -1 where there are no more. */
  readonly labels: Int32Array;
}

/** What the model of packed sequences reads beside tokens and labels. */
export interface Packing {
  readonly positions: Tensor;
  readonly places: Tensor;
}

/**
 * Puts sequences into as few rows as they need. What follows a sequence's last label is padding.
 *
 * @param tokens [count, context]
 * @param labels [count, context]; -1 where there is none
 * @returns undefined where that would save less than a quarter of the rows
 */
export function pack(tokens: Int32Array, labels: Int32Array, context: number): PackedBatch | undefined {
  const count = tokens.length / context;
  const lengths = Array.from({ length: count }, (_, i) => lengthOf(labels, i * context, context));
  const filled = fill(lengths, context);
  const wanted = labels.reduce((sum, label) => sum + (label < 0 ? 0 : 1), 0);
  const unit = Math.ceil(count * SHARE);
  const rows = unit * Math.ceil(Math.max(1, filled.length, (2 * wanted) / context) / unit);
  if (rows > WORTHWHILE * count) return undefined;
  const packed = {
    rows,
    tokens: new Int32Array(rows * context),
    positions: new Int32Array(rows * context),
    places: new Int32Array(placesOf(rows, context)),
    labels: new Int32Array(placesOf(rows, context)).fill(-1),
  };
  let found = 0;
  filled.forEach((sequences, row) => {
    let place = 0;
    for (const sequence of sequences) {
      for (let position = 0; position < lengths[sequence]!; position++, place++) {
        const from = sequence * context + position;
        packed.tokens[row * context + place] = tokens[from]!;
        packed.positions[row * context + place] = position;
        if (labels[from]! < 0) continue;
        packed.places[found] = place * rows + row;
        packed.labels[found] = labels[from]!;
        found++;
      }
    }
  });
  return packed;
}

const placesOf = (rows: number, context: number): number => Math.ceil((rows * context) / 2);

/** The tokens of a sequence up to that of its last label. */
function lengthOf(labels: Int32Array, start: number, context: number): number {
  let length = context;
  while (length > 0 && labels[start + length - 1]! < 0) length--;
  return length;
}

/** Which sequences share each row: the longest first, each in the first row that has room. */
function fill(lengths: readonly number[], context: number): number[][] {
  const rows: { left: number; readonly sequences: number[] }[] = [];
  const order = lengths.map((_, i) => i).filter((i) => lengths[i]! > 0);
  order.sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (const sequence of order) {
    const length = lengths[sequence]!;
    let row = rows.find(({ left }) => left >= length);
    if (row === undefined) {
      row = { left: context, sequences: [] };
      rows.push(row);
    }
    row.left -= length;
    row.sequences.push(sequence);
  }
  return rows.map(({ sequences }) => sequences);
}

/** The tensors of a graph that take a packed batch. */
export function packedPorts(
  { context }: SequenceShape,
  rows: number,
): { inputs: Tensor; labels: Tensor; packing: Packing } {
  const places = [placesOf(rows, context)];
  return {
    inputs: input("tokens", [rows, context], "int32"),
    labels: input("labels", places, "int32"),
    packing: {
      positions: input("positions", [rows, context], "int32"),
      places: input("places", places, "int32"),
    },
  };
}

/** Data for the tensors of `packedPorts`. */
export const packedFeeds = ({ rows: _, ...data }: PackedBatch): Record<string, Int32Array> => data;
