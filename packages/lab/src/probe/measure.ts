// What is measured at one place of a run, on a fixed batch: the gates of every block, and the loss along its own gradient.
import { endsOf } from "../model/transformer.js";
import type { Batch } from "../tasks/common/task.js";
import type { Inspector, Layer } from "./inspector.js";
import { FLAT } from "./shape.js";

/** How far from the parameters the loss and its gradient are looked at again, in parameter space. */
export const DISTANCES = [1e-4, 1e-3, 1e-2, 1e-1, 1] as const;

/** A gate is closed where its factor is at most this share of the block's root mean square factor. */
const CLOSED = 0.01;

/** Which quantiles of the inputs of the nonlinearity are kept. */
export const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export interface Gates {
  /** The quantiles of the nonlinearity's input over tokens and units. */
  readonly quantiles: readonly number[];
  /** The share of tokens x units whose gate is closed: its factor is within 1 % of the root mean square factor from 0. */
  readonly closed: number;
  /** The share of units whose gate is closed for every token of the batch. */
  readonly dead: number;
  /** The share of all squared factors that the largest tenth of them holds: 0.1 where all are alike. */
  readonly topTenth: number;
  /** The share of tokens x units where the activation's slope, at up = 1, is less than 0.01 in magnitude. */
  readonly flat: number;
  /** The share of tokens x units where that slope is negative: to the left of a minimum, for instance. */
  readonly falling: number;
}

/** The loss along the direction of its gradient, `distance` to both sides of the parameters. */
interface Along {
  readonly distance: number;
  /** |gradient there - gradient here| / distance, on the way down. */
  readonly change: number;
  /** The mean second derivative of the loss between both sides: (its slope on one - on the other) / (2 distance). */
  readonly curvature: number;
}

export interface Measurement {
  /** Mean, in nats. */
  readonly loss: number;
  /** The length of its gradient. */
  readonly gradientNorm: number;
  readonly along: readonly Along[];
  /** Block by block. */
  readonly gates: readonly Gates[];
}

/** What it takes of an inspector. */
export type View = Pick<Inspector, "shape" | "lossAt" | "layersAt">;

/**
 * Measures a model on a batch.
 *
 * @param parameters as in `Trainer.state`
 */
export async function measure(inspector: View, parameters: Float32Array, batch: Batch): Promise<Measurement> {
  const here = await inspector.lossAt(parameters, batch);
  const gradient = Float64Array.from(here.gradient);
  const gradientNorm = lengthOf(gradient);
  const direction = gradient.map((x) => (gradientNorm === 0 ? 0 : x / gradientNorm));
  const gradientAt = async (distance: number): Promise<Float32Array> => {
    const there = parameters.map((x, i) => x + distance * direction[i]!);
    return (await inspector.lossAt(there, batch)).gradient;
  };
  const along: Along[] = [];
  for (const distance of DISTANCES) {
    const [down, up] = [await gradientAt(-distance), await gradientAt(distance)];
    along.push({
      distance,
      change: lengthOf(gradient.map((x, i) => down[i]! - x)) / distance,
      curvature: direction.reduce((sum, x, i) => sum + x * (up[i]! - down[i]!), 0) / (2 * distance),
    });
  }
  const layers = await inspector.layersAt(parameters, batch);
  const rows = countedRows(inspector, batch.labels, layers[0]!);
  return { loss: here.loss, gradientNorm, along, gates: layers.map((layer) => gatesOf(layer, rows)) };
}

/** The rows that count: of images all, of sequences the tokens with a label. */
function countedRows({ shape }: View, labels: Int32Array, { gate, units }: Layer): number[] {
  return endsOf(shape).countedRows(gate.length / units, labels);
}

/** The gates of a layer, over some of its rows. */
export function gatesOf({ gate, slope, factor, units }: Layer, rows: readonly number[]): Gates {
  const cells = rows.length * units;
  const chosen = (values: Float32Array): Float32Array => {
    const part = new Float32Array(cells);
    rows.forEach((row, i) => {
      part.set(values.subarray(row * units, (row + 1) * units), i * units);
    });
    return part;
  };
  const [gates, slopes, factors] = [chosen(gate).sort(), chosen(slope), chosen(factor)];
  const limit = CLOSED * (lengthOf(factors) / Math.sqrt(cells));
  const isClosed = (value: number): boolean => Math.abs(value) <= limit;
  const open = new Set<number>();
  factors.forEach((value, i) => {
    if (!isClosed(value)) open.add(i % units);
  });
  const share = (values: Float32Array, holds: (value: number) => boolean): number =>
    values.reduce((count, value) => count + Number(holds(value)), 0) / cells;
  return {
    quantiles: QUANTILES.map((q) => gates[Math.round(q * (cells - 1))]!),
    closed: share(factors, isClosed),
    dead: 1 - open.size / units,
    topTenth: topShare(factors, 0.1),
    flat: share(slopes, (value) => Math.abs(value) < FLAT),
    falling: share(slopes, (value) => value < 0),
  };
}

/** The share of the sum of squares that the largest values in magnitude hold; `part` says how many these are. 0 where all are 0. */
function topShare(values: Float32Array, part: number): number {
  const squares = values.map((value) => value * value).sort();
  const top = squares.subarray(squares.length - Math.round(part * squares.length));
  const sum = (numbers: Float32Array): number => numbers.reduce((a, b) => a + b, 0);
  return sum(squares) === 0 ? 0 : sum(top) / sum(squares);
}

/** The Euclidean length of a vector. */
export function lengthOf(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! ** 2;
  return Math.sqrt(sum);
}
