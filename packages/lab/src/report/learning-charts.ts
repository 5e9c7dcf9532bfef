// Learning curves as small multiples: every variant in a panel of its own, with the baseline behind it in grey.
import { axisX, axisY, gridY, line, type PlotOptions } from "@observablehq/plot";
import type { Family } from "../activation/samples.js";
import type { CurvePoint } from "../records/record.js";
import type { Summary, VariantSummary } from "../statistics/summary.js";
import { familyColour, panelFrame, svg } from "./svg.js";

/** Where a logarithmic axis of losses has its ticks. */
const ROUND_LOSSES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** The same where the losses stay within a few nats, as those of tokens do. */
const NEAR_LOSSES = [0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12];

export interface Panel {
  readonly name: string;
  readonly note: string;
  readonly chart: string;
}

/** One panel per variant in the order of the ranking: mean training loss (thick), every seed (thin), baseline (grey). */
export function learningPanels(
  { ranking, baseline }: Summary,
  families: ReadonlyMap<string, Family>,
): Panel[] {
  const means = new Map(ranking.map((variant) => [variant.name, meanCurve(variant)]));
  const losses = [...means.values()].flat().map(({ loss }) => loss);
  const domain: [number, number] = [Math.min(...losses) * 0.9, Math.max(...losses) * 1.05];
  const reference = means.get(baseline) ?? [];
  return ranking.map((variant) => {
    const { name, finished, diverged } = variant;
    const mean = means.get(name) ?? [];
    const seeds = finished.flatMap(({ seed, curve }) => curve.map((point) => ({ ...point, seed })));
    const colour = familyColour[families.get(name) ?? "ungated"];
    const last = mean.at(-1);
    return {
      name,
      note: last === undefined ? `${diverged.length} diverged` : `ends at ${last.loss.toFixed(3)}`,
      chart: svg(
        panel(mean, seeds, reference, colour, domain),
        `Training loss of ${name} over the steps, against ${baseline}`,
      ),
    };
  });
}

function panel(
  mean: readonly CurvePoint[],
  seeds: readonly (CurvePoint & { seed: number })[],
  reference: readonly CurvePoint[],
  colour: string,
  domain: [number, number],
): PlotOptions {
  const within = (losses: readonly number[]): number[] =>
    losses.filter((loss) => loss >= domain[0] && loss <= domain[1]);
  const ticks = within(ROUND_LOSSES).length > 1 ? within(ROUND_LOSSES) : within(NEAR_LOSSES);
  return {
    ...panelFrame,
    x: { nice: false },
    y: { type: "log", domain, clamp: true },
    marks: [
      gridY({ ticks }),
      axisX({ ticks: 3, tickSize: 0, label: null }),
      axisY({ ticks, tickSize: 0, label: null, tickFormat: (loss: number) => `${loss}` }),
      line(reference, { x: "step", y: "loss", stroke: "var(--baseline)", strokeWidth: 1.5 }),
      line(seeds, { x: "step", y: "loss", z: "seed", stroke: colour, strokeWidth: 0.7, strokeOpacity: 0.5 }),
      line(mean, { x: "step", y: "loss", stroke: colour, strokeWidth: 2 }),
    ],
  };
}

/** The mean over the finished runs, whose points lie at the same steps. */
export function meanCurve({ finished }: Pick<VariantSummary, "finished">): CurvePoint[] {
  const [first] = finished;
  if (first === undefined) return [];
  return first.curve.map(({ step }, i) => ({
    step,
    loss: finished.reduce((sum, { curve }) => sum + curve[i]!.loss, 0) / finished.length,
  }));
}
