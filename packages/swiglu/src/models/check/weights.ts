// Rows of gate and up from an original and its conversion: which half is which, shown by the numbers themselves.
import type { Slot } from "../blocks/names.js";
import { weightOf } from "../blocks/weight.js";
import type { Model } from "../model.js";
import type { Judged } from "./report.js";

/** Two rows are the same weights when their angle says so: quantising to two bits keeps the cosine above this. */
const same = 0.9;
const sampled = 4;

/** What the numbers of one block say: halves swapped, or one of them changed alone. No sentence where they agree. */
export async function compareWeights(a: Model, one: Judged, b: Model, other: Judged): Promise<string[]> {
  const [first, second] = await Promise.all([sample(a, one), sample(b, other)]);
  if (first === undefined || second === undefined || first.gate[0]?.length !== second.gate[0]?.length)
    return [];
  const alike = (x: Half, y: Half): number =>
    Math.min(...x.map((row, i) => cosine(row, y[i] as Float32Array)));
  const straight = [alike(first.gate, second.gate), alike(first.up, second.up)] as const;
  const crossed = [alike(first.gate, second.up), alike(first.up, second.gate)] as const;
  if (Math.min(...crossed) > same && Math.max(...straight) < same)
    return [
      "gate and up are swapped: rows of the first model's gate are the second's up, and the other way round",
    ];
  const equal = (x: Half, y: Half): boolean =>
    x.every((row, i) => row.every((value, j) => Object.is(value, (y[i] as Float32Array)[j])));
  const [gates, ups] = [equal(first.gate, second.gate), equal(first.up, second.up)];
  if (gates !== ups)
    return [
      `${gates ? "up" : "gate"} differs and ${gates ? "gate" : "up"} is the same bit for bit: a change meant for both, or for the other, went into one`,
    ];
  if (Math.min(...straight) < same) return ["the sampled rows of gate and up are other weights"];
  return [];
}

type Half = readonly Float32Array[];

/** A few outputs of gate and up of a block's first expert; undefined where the block has no halves, or they are not read. */
async function sample(
  model: Model,
  { place, report }: Judged,
): Promise<{ gate: Half; up: Half } | undefined> {
  const [dFf, layout, orientation] = [report.dFf.value, report.layout.value, report.orientation.value];
  if (place === undefined || dFf === "unknown" || layout === "ungated" || layout === "unknown")
    return undefined;
  if (orientation === "unknown") return undefined;
  const { site, shape } = place;
  const outputs = Array.from({ length: Math.min(sampled, dFf) }, (_, i) => Math.floor((i * dFf) / sampled));
  const half = async (slot: Slot, at: (output: number) => number): Promise<Half | undefined> => {
    const parts = site.matrices[slot]?.values().next().value;
    const weight = parts && weightOf(model, parts);
    if (weight?.read === undefined || weight.shape === undefined) return undefined;
    const { read } = weight;
    // A row apart where the file has rows; else the whole matrix, of the first expert.
    if (!shape.stacked && orientation === "[out,in]")
      return Promise.all(outputs.map((output) => read({ start: at(output), count: 1 })));
    const matrix = await read(shape.stacked ? { start: 0, count: 1 } : undefined);
    const [rows, columns] = weight.shape.slice(-2) as [number, number];
    return outputs.map((output) =>
      orientation === "[out,in]"
        ? matrix.subarray(at(output) * columns, (at(output) + 1) * columns)
        : Float32Array.from({ length: rows }, (_, row) => matrix[row * columns + at(output)] as number),
    );
  };
  const slot: Slot = site.scheme.parts.packed === undefined ? "up" : "packed";
  const first = (output: number): number => output;
  const second = (output: number): number => dFf + output;
  const even = (output: number): number => 2 * output;
  const odd = (output: number): number => 2 * output + 1;
  const places: Readonly<Record<typeof layout, readonly [Slot, typeof first, Slot, typeof first]>> = {
    separate: ["gate", first, "up", first],
    "gate-first": [slot, first, slot, second],
    "gate-second": [slot, second, slot, first],
    interleaved: [slot, even, slot, odd],
  };
  const [gateSlot, gateAt, upSlot, upAt] = places[layout];
  const [gate, up] = [await half(gateSlot, gateAt), await half(upSlot, upAt)];
  return gate === undefined || up === undefined ? undefined : { gate, up };
}

function cosine(x: Float32Array, y: Float32Array): number {
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    product += a * b;
    left += a * a;
    right += b * b;
  }
  return product / Math.sqrt(left * right || 1);
}
