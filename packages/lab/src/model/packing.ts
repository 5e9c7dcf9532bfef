// Batches of sequences without their padding: several share a row, each seeing itself alone, and only places that have a label go
// through the head. Loss and gradient are those of the padded batch; only what would be computed for nothing goes.

/** Rows are a multiple of this share of the batch, so that few graphs serve all batches. */
const SHARE = 1 / 16;

/** The most rows, as a share of the batch, that are worth a graph of their own. */
const WORTHWHILE = 3 / 4;

/** A batch in fewer rows: `rows` of `context` tokens, half of whose places go through the head. */
export interface PackedBatch {
  readonly rows: number;
  /** Data for the tensors of `packedPorts`. */
  readonly feeds: Readonly<Record<keyof ReturnType<typeof emptyFeeds>, Int32Array>>;
  /** Where each label was in those of the batch. */
  readonly origins: readonly number[];
}

/** How many places of packed rows go through the head. */
export const placesOf = (rows: number, context: number): number => Math.ceil((rows * context) / 2);

const emptyFeeds = (rows: number, context: number) => ({
  /** 0 where there is none. */
  tokens: new Int32Array(rows * context),
  /** The place of each token in its sequence. */
  positions: new Int32Array(rows * context),
  /** Which tokens have a label, as in `tokens` transposed: all first tokens of the rows first. */
  places: new Int32Array(placesOf(rows, context)),
  /** Those labels; -1 where there are no more. */
  labels: new Int32Array(placesOf(rows, context)).fill(-1),
});

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
  const feeds = emptyFeeds(rows, context);
  const origins: number[] = [];
  filled.forEach((sequences, row) => {
    let place = 0;
    for (const sequence of sequences) {
      for (let position = 0; position < lengths[sequence]!; position++, place++) {
        const from = sequence * context + position;
        feeds.tokens[row * context + place] = tokens[from]!;
        feeds.positions[row * context + place] = position;
        if (labels[from]! < 0) continue;
        feeds.places[origins.length] = place * rows + row;
        feeds.labels[origins.length] = labels[from]!;
        origins.push(from);
      }
    }
  });
  return { rows, feeds, origins };
}

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
