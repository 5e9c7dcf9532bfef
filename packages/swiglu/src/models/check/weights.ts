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

/** A few rows of gate and up of a block's first expert; undefined where they cannot be read row by row. */
async function sample(
  model: Model,
  { place, report }: Judged,
): Promise<{ gate: Half; up: Half } | undefined> {
  if (place === undefined) return undefined;
  const { site, shape } = place;
  const { value: dFf } = report.dFf;
  const { value: layout } = report.layout;
  if (dFf === "unknown" || report.orientation.value !== "[out,in]" || shape.stacked) return undefined;
  if (layout === "ungated" || layout === "unknown") return undefined;
  const rows = Array.from({ length: Math.min(sampled, dFf) }, (_, i) => Math.floor((i * dFf) / sampled));
  const half = async (slot: Slot, at: (row: number) => number): Promise<Half | undefined> => {
    const parts = site.matrices[slot]?.values().next().value;
    const read = parts && weightOf(model, parts).read;
    return read && Promise.all(rows.map((row) => read({ start: at(row), count: 1 })));
  };
  const slot: Slot = site.scheme.parts.packed === undefined ? "up" : "packed";
  const places: Readonly<
    Record<typeof layout, readonly [Slot, (row: number) => number, Slot, (row: number) => number]>
  > = {
    separate: ["gate", (row) => row, "up", (row) => row],
    "gate-first": [slot, (row) => row, slot, (row) => dFf + row],
    "gate-second": [slot, (row) => dFf + row, slot, (row) => row],
    interleaved: [slot, (row) => 2 * row, slot, (row) => 2 * row + 1],
  };
  const [gateSlot, gateRow, upSlot, upRow] = places[layout];
  const [gate, up] = [await half(gateSlot, gateRow), await half(upSlot, upRow)];
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
