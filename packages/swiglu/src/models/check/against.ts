// An original and its conversion, side by side: where the two files do not say the same of a block, and what that costs.

import type { Activation } from "../../catalogue/activation.js";
import { activationByName } from "../../catalogue/catalogue.js";
import { evaluate } from "../../scalar.js";
import type { Model } from "../model.js";
import type { BlockReport } from "./block-report.js";
import { shownParameters } from "./field.js";
import { type Judged, judgeAll } from "./report.js";
import { compareWeights } from "./weights.js";

/** What two files say differently, and what of it could not be compared. */
export interface Comparison {
  /** A sentence each; none where the two agree. */
  readonly differences: readonly string[];
  /** What one of them does not say, a sentence each. */
  readonly undecided: readonly string[];
}

export interface CompareOptions {
  /** Read a few rows of gate and up from both, and say where halves are swapped or only one of them was changed. */
  readonly weights?: boolean;
}

/**
 * Compares two models block by block: activation and limits of each layer and role, widths, experts, biases. How gate and up
 * are packed may differ, since conversions repack. With `weights`, rows of both are read and compared as well.
 */
export async function compareModels(
  a: Model,
  b: Model,
  { weights = false }: CompareOptions = {},
): Promise<Comparison> {
  const [left, right] = [byPlace(judgeAll(a)), byPlace(judgeAll(b))];
  const groups = new Map<string, { layers: number[]; say: (layers: string) => string; undecided: boolean }>();
  const note = (key: string, layer: number, undecided: boolean, say: (layers: string) => string): void => {
    const group = groups.get(key) ?? { layers: [], say, undecided };
    group.layers.push(layer);
    groups.set(key, group);
  };
  const costs: Costs = new Map();
  for (const [place, one] of left) {
    const other = right.get(place);
    const layer = one.report.layer ?? 0;
    const role = one.report.role;
    if (other === undefined) {
      note(
        `${role} missing`,
        layer,
        false,
        (layers) => `${layers}, ${role}: the second model has no such block`,
      );
      continue;
    }
    for (const { key, undecided, say } of differencesOf(one.report, other.report, costs))
      note(`${role} ${key}`, layer, undecided, (layers) => `${layers}, ${role}: ${say}`);
    if (weights)
      for (const say of await compareWeights(a, one, b, other))
        note(`${role} ${say}`, layer, false, (layers) => `${layers}, ${role}: ${say}`);
  }
  for (const [place, { report }] of right)
    if (!left.has(place))
      note(
        `${report.role} extra`,
        report.layer ?? 0,
        false,
        (layers) => `${layers}, ${report.role}: the first model has no such block`,
      );
  const sentences = (wanted: boolean): string[] =>
    [...groups.values()]
      .filter(({ undecided }) => undecided === wanted)
      .map(({ layers, say }) => say(layerRange(layers)));
  return { differences: sentences(false), undecided: sentences(true) };
}

/** "layer 3", "layers 3-5", "layers 0, 3-5". */
export function layerRange(layers: readonly number[]): string {
  const sorted = [...new Set(layers)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const layer of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === layer - 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  const text = runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
  return `${sorted.length === 1 ? "layer" : "layers"} ${text}`;
}

/** Blocks by what is the same in every format: the tower, the layer's number, the role. */
function byPlace(judged: readonly Judged[]): Map<string, Judged> {
  const paths = judged.map(({ report }) => report.stack);
  const both = paths.some((path) => encoder.test(path)) && paths.some((path) => decoder.test(path));
  const places = new Map<string, Judged>();
  for (const block of judged) {
    const { stack, layer, role } = block.report;
    const tower = /vision|visual|^v\./.test(stack)
      ? "vision"
      : /audio|^a\./.test(stack)
        ? "audio"
        : both
          ? encoder.test(stack)
            ? "encoder"
            : "decoder"
          : "";
    const place = `${tower} ${layer} ${role}`;
    if (!places.has(place)) places.set(place, block);
  }
  return places;
}
const encoder = /(^|\.)enc(oder)?\./;
const decoder = /(^|\.)dec(oder)?\./;

interface Difference {
  readonly key: string;
  readonly undecided: boolean;
  readonly say: string;
}

/** Costs that were computed before, by both formulas. */
type Costs = Map<string, string | undefined>;

function differencesOf(a: BlockReport, b: BlockReport, costs: Costs): Difference[] {
  const found: Difference[] = [];
  const [first, second] = [formulaOf(a), formulaOf(b)];
  if (first === undefined || second === undefined) {
    const { evidence } = first === undefined ? a.activation : b.activation;
    found.push({
      key: `unknown ${evidence}`,
      undecided: true,
      say: `the ${first === undefined ? "first" : "second"} model's activation is unknown: ${evidence}`,
    });
  } else {
    const pair = `${shownFormula(first)} ${shownFormula(second)}`;
    const cost = costs.has(pair) ? costs.get(pair) : costOf(first, second);
    costs.set(pair, cost);
    if (cost !== undefined)
      found.push({
        key: `${shownFormula(first)} ${shownFormula(second)}`,
        undecided: false,
        say: `${shownFormula(first)} in the first model, ${shownFormula(second)} in the second; ${cost}`,
      });
  }
  for (const name of ["dModel", "dFf", "experts"] as const) {
    const [one, other] = [a[name].value, b[name].value];
    if (one !== "unknown" && other !== "unknown" && one !== other)
      found.push({
        key: `${name} ${one} ${other}`,
        undecided: false,
        say: `${name} is ${one} in the first model, ${other} in the second`,
      });
  }
  const [biases, others] = [a, b].map(({ biases: { value } }) =>
    value.length === 0 || value === "unknown" ? "no biases" : `biases`,
  );
  if (biases !== others)
    found.push({
      key: "biases",
      undecided: false,
      say: `${biases} in the first model, ${others} in the second`,
    });
  return found;
}

interface Formula {
  readonly activation: Activation;
  readonly parameters: Readonly<Record<string, number>>;
}

function formulaOf({ activation, parameters }: BlockReport): Formula | undefined {
  if (activation.value === "unknown" || parameters.value === "unknown") return undefined;
  return { activation: activationByName(activation.value), parameters: parameters.value };
}

/** "swigluStep (limit 4)". */
function shownFormula({ activation, parameters }: Formula): string {
  const values = shownParameters(parameters);
  return values.length === 0 ? activation.name : `${activation.name} (${values.join(", ")})`;
}

/** Where two formulas differ, found by evaluating both; undefined where they agree to float32's precision. */
function costOf(a: Formula, b: Formula): string | undefined {
  const valueAt = ({ activation, parameters }: Formula, gate: number, up: number): number =>
    activation.kind === "gated"
      ? evaluate(activation, { gate, up } as never, parameters as never)
      : evaluate(activation, { x: gate } as never, parameters as never) * up;
  if (shownFormula(a) === shownFormula(b)) return undefined;
  let worst = { gate: 0, up: 0, difference: 0 };
  let agreed = Number.POSITIVE_INFINITY;
  for (const gate of points)
    for (const up of points) {
      const [one, other] = [valueAt(a, gate, up), valueAt(b, gate, up)];
      const scale = Math.max(Math.abs(one), Math.abs(other), 1e-3);
      const difference = Math.abs(one - other) / scale;
      if (difference > 0.01) agreed = Math.min(agreed, Math.max(Math.abs(gate), Math.abs(up)));
      // Among equal relative differences, the point nearest to 0 is the most telling.
      if (difference > worst.difference * 1.05) worst = { gate, up, difference };
    }
  if (worst.difference < 1e-6) return undefined;
  const [one, other] = [valueAt(a, worst.gate, worst.up), valueAt(b, worst.gate, worst.up)].map((value) =>
    Number(value.toPrecision(4)),
  );
  const within = Number.isFinite(agreed)
    ? `they differ by more than 1 % from |gate| or |up| ${agreed} on`
    : "they differ by less than 1 %";
  return `${within}; at gate ${worst.gate}, up ${worst.up}: ${one} and ${other}`;
}

/** Points that separate the catalogue's forms, from 0.25 to 40, both signs. */
const magnitudes = [0.25, 0.5, 1, 1.5, 2, 2.75, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 12, 16, 20, 24, 30, 40];
const points: readonly number[] = magnitudes.flatMap((value) => [value, -value]);
