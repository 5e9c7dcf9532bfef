// The tables of a probe as plain text cells, for the terminal, the page and the documents alike.
import { signed } from "../words/format.js";
import { DISTANCES } from "./measure.js";
import type { Shape } from "./shape.js";
import type { Spread, VariantProbe } from "./summary.js";

export interface Cells {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What the formulas say. */
export const shapeCells = (shapes: readonly Shape[]): Cells => ({
  head: ["activation", "largest slope", "largest 2nd derivative", "kinks", "minimum", "flat", "falling"],
  rows: shapes.map(({ name, slope, curvature, kinks, monotone, minimum, normal }) => [
    name,
    placed(slope.value, slope.at),
    placed(curvature.value, curvature.at),
    kinks.length === 0 ? "none" : kinks.map(({ at, jump }) => placed(jump, at)).join(", "),
    minimum !== null ? placed(minimum.value, minimum.at) : monotone ? "none: monotone" : "none",
    percent(normal.flat),
    percent(normal.falling),
  ]),
});

/** The gradients of the training steps, and how the loss bends along them. */
export const gradientCells = (variants: readonly VariantProbe[]): Cells => ({
  head: [
    "variant",
    "loss at the end",
    "gradient norm",
    "step to step",
    "step length",
    ...BENDS.map((i) => `curvature within ${DISTANCES[i]}`),
  ],
  rows: variants.map(({ name, loss, gradientNorm, variation, stepLength, curvature }) => [
    name,
    spread(loss, 3),
    spread(gradientNorm, 2),
    spread(variation, 2),
    spread(stepLength, 2),
    ...BENDS.map((i) => spread(curvature[i]!, 1)),
  ]),
});

/** How fast the gradient changes nearby. */
export const changeCells = (variants: readonly VariantProbe[]): Cells => ({
  head: ["variant", ...CHANGES.map((i) => `over ${DISTANCES[i]}`), `${DISTANCES[0]} : 0.01`],
  rows: variants.map(({ name, change, roughness }) => [
    name,
    ...CHANGES.map((i) => spread(change[i]!, 1)),
    spread(roughness, 2),
  ]),
});

/** The places of the distances that have columns. */
const CHANGES = [0, 2, 3, 4];
const BENDS = CHANGES.slice(1);

/** What the gates do, before training and at its end. */
export const gateCells = (variants: readonly VariantProbe[]): Cells => ({
  head: ["variant", "closed", "units closed for all", "in the top tenth", "flat", "falling"],
  rows: variants.map(({ name, shares }) => [
    name,
    ...[shares.closed, shares.dead, shares.topTenth, shares.flat, shares.falling].map(
      ({ start, end }) =>
        `${hundredths(start.mean)} \u2192 ${percent(end.mean)} (${hundredths(end.lowest)} to ${hundredths(end.highest)})`,
    ),
  ]),
});

/** "-0.278 at -1.278" */
const placed = (value: number, at: number | null): string =>
  at === null ? short(value) : `${short(value)} at ${short(at)}`;

const short = (value: number): string =>
  value < 0 ? signed(value, 3).replace(/0+$/, "").replace(/\.$/, "") : `${Number(value.toFixed(3))}`;

/** 0.1234 -> "12.3 %" */
export const percent = (share: number): string => `${hundredths(share)} %`;

const hundredths = (share: number): string => (100 * share).toFixed(1);

/** "1.20 (1.15 to 1.31)": the mean, and the range of the seeds. */
const spread = ({ mean, lowest, highest }: Spread, digits: number): string =>
  `${mean.toFixed(digits)} (${lowest.toFixed(digits)} to ${highest.toFixed(digits)})`;
