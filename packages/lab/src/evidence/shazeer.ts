// The order of the variants beside that of Table 1 in Shazeer 2020, "GLU Variants Improve Transformer" (arXiv 2002.05202).
import { markdownTable } from "../report/markdown.js";
import { meanOf } from "../statistics/inference/estimate.js";
import { kendall } from "../statistics/inference/kendall.js";
import { signed } from "../words/format.js";
import { about, titleOf } from "./presets.js";
import { primaryMetric, scoresOf } from "./scores.js";
import type { Evidence } from "./types.js";

/** Log-perplexity on held-out data after 65,536 steps (means of four runs), and after 524,288 (one run). */
export const table1 = {
  relu: { short: 1.997, long: 1.677 },
  gelu: { short: 1.983, long: 1.679 },
  swish: { short: 1.994, long: 1.683 },
  glu: { short: 1.982, long: 1.663 },
  bilinear: { short: 1.96, long: 1.648 },
  geglu: { short: 1.942, long: 1.633 },
  swiglu: { short: 1.944, long: 1.636 },
  reglu: { short: 1.953, long: 1.645 },
} satisfies Readonly<Record<string, { readonly short: number; readonly long: number }>>;

type Published = keyof typeof table1;

const isPublished = (name: string): name is Published => Object.hasOwn(table1, name);

/** The section of the document. */
export function shazeerSection(all: readonly Evidence[]): string {
  const orders = all.map((evidence) => {
    const scores = scoresOf(evidence, primaryMetric(evidence));
    const losses = new Map([...scores].map(([name, seeds]) => [name, meanOf(seeds)]));
    return { preset: evidence.preset, names: [...scores.keys()].filter(isPublished), losses };
  });
  const common = (Object.keys(table1) as Published[]).filter((name) =>
    orders.every(({ names }) => names.includes(name)),
  );
  const published = common.toSorted((a, b) => table1[a].short - table1[b].short);
  const rows = published.map((name, place) => [
    `${place + 1}`,
    `${name} (${table1[name].short.toFixed(3)})`,
    ...orders.map(({ names, losses }) => {
      const here = names.filter((each) => common.includes(each))[place]!;
      return `${here} (${losses.get(here)!.toFixed(4)})`;
    }),
  ]);
  const agreements = orders.map(({ preset, names }) => {
    const own = common.map((name) => names.indexOf(name));
    const cells = (["short", "long"] as const).flatMap((column) => {
      const theirs = common.map((name) => table1[name][column]);
      const { concordant, pairs, tau, p } = kendall(own, theirs);
      return [`${concordant} of ${pairs}`, signed(tau, 2), `${(100 * p).toFixed(1)} %`];
    });
    return [titleOf(preset), ...cells];
  });
  return [
    "## The order beside Shazeer's",
    "Shazeer (2020) compared these activations in Table 1 of [GLU Variants Improve Transformer](https://arxiv.org/abs/2002.05202), by log-perplexity. " +
      "His task is another: filling spans of text in an encoder-decoder of 220 million parameters. Only the column of 65,536 steps, shown here, has repeats, four of them, " +
      "with standard deviations from 0.003 to 0.010: geglu and swiglu, glu and gelu, and swish and relu are level there.",
    ...(orders.length === 0
      ? ["No task is finished yet."]
      : [
          markdownTable({
            head: ["place", "Shazeer 2020", ...orders.map(({ preset }) => about[preset].task)],
            rows,
          }),
          "How many pairs of variants stand the same way round, with Kendall's tau, and how often an order at random would agree as well:",
          markdownTable({
            head: ["", "his 65,536 steps", "tau", "at random", "his 524,288 steps", "tau", "at random"],
            rows: agreements,
          }),
        ]),
  ].join("\n\n");
}
