// What the numbers of a probe show, in sentences that are made from them, and what they cannot show.
import { count, list } from "../terminal/format.js";
import { type Spread, summariseProbe, type VariantProbe } from "./summary.js";
import { percent } from "./tables.js";
import type { ProbeResults } from "./types.js";

/** Sentences, in the order of the sections. */
export function probeWords(results: ProbeResults): { readonly shown: string[]; readonly limits: string[] } {
  const variants = summariseProbe(results);
  const { config, shapes, runs } = results;
  const shapeOfVariant = new Map(config.variants.map(({ name }, i) => [name, shapes[i]!]));
  const has = (property: (name: string) => boolean) => variants.filter(({ name }) => property(name));
  const kinked = has((name) => shapeOfVariant.get(name)!.kinks.length > 0);
  const smooth = has((name) => shapeOfVariant.get(name)!.kinks.length === 0);
  const bent = has((name) => shapeOfVariant.get(name)!.minimum !== null);
  const diverged = runs.filter((run) => run.diverged).length;
  return {
    shown: [
      ...smoothness(kinked, smooth, shapeOfVariant),
      ...steps(variants),
      ...monotonicity(bent),
      ...gating(variants),
      ...(diverged === 0
        ? []
        : [`${count(diverged, "run")} diverged and ${diverged === 1 ? "is" : "are"} left out.`]),
    ],
    limits: [
      "These are descriptions of one small network on one task, with no tests. That a variant has a property and learns well does not show that it " +
        "learns well because of it: gated variants, for one thing, differ from ungated ones in more than smoothness.",
      "How rough the loss is depends on how many examples it is over: kinks of single units average out, so that over more examples, and over " +
        "longer steps, a network with kinks looks ever more like a smooth one.",
      "What counts as a closed gate is a convention. A smooth gate seldom comes near 0, so that it closes less by any such threshold; that it may " +
        "still select, by making some units large, is what the top tenth is for.",
      "Nothing here is about overfitting: that takes the test losses of a comparison.",
    ],
  };
}

function smoothness(
  kinked: readonly VariantProbe[],
  smooth: readonly VariantProbe[],
  shapes: ReadonlyMap<string, ProbeResults["shapes"][number]>,
): string[] {
  const sizes = smooth.map(({ name }) => Math.abs(shapes.get(name)!.curvature.value));
  const of = (variants: readonly VariantProbe[], number: (variant: VariantProbe) => Spread): string =>
    between(
      variants.map((variant) => number(variant).mean),
      2,
    );
  const part = (variants: readonly VariantProbe[], what: string): string[] =>
    variants.length === 0
      ? []
      : [`${of(variants, ({ roughness }) => roughness)} times as fast under ${what} (${names(variants)})`];
  return [
    [
      kinked.length === 0 ? "" : `${names(kinked)} ${kinked.length === 1 ? "has a kink" : "have kinks"}. `,
      smooth.length === 0
        ? ""
        : `${names(smooth)} ${smooth.length === 1 ? "has" : "have"} none; largest second derivative ${between(sizes, 2)}.`,
    ]
      .join("")
      .trim(),
    `Over a distance of 0.0001 the gradient of the loss changes, against over 0.01, ${[
      ...part(kinked, "activations with a kink"),
      ...part(smooth, "smooth ones"),
    ].join(", and ")}.`,
  ];
}

function steps(variants: readonly VariantProbe[]): string[] {
  if (variants.length < 2) return [];
  const last = variants[0]!.change.length - 1;
  const order = [...variants].sort((a, b) => a.change[last]!.mean - b.change[last]!.mean);
  const lengths = variants.map(({ stepLength }) => stepLength.mean);
  return [
    `A training step goes ${between(lengths, 2)} on average. Over a distance of 1, the gradient changes by ` +
      `${between(
        variants.map(({ change }) => change[last]!.mean),
        1,
      )} per unit, least under ${order[0]!.name} and most under ${order.at(-1)!.name}.`,
  ];
}

const monotonicity = (bent: readonly VariantProbe[]): string[] =>
  bent.length === 0
    ? []
    : [
        `On the falling side of a minimum at the end of training: ${list(
          bent.map(({ name, shares }) => `${percent(shares.falling.end.mean)} of the inputs of ${name}`),
        )}.`,
      ];

const gating = (variants: readonly VariantProbe[]): string[] => [
  `Closed at the end: ${list(variants.map(({ name, shares }) => `${percent(shares.closed.end.mean)} under ${name}`))}.`,
  "Of all squared factors, the largest tenth holds at the end: " +
    `${list(variants.map(({ name, shares }) => `${percent(shares.topTenth.end.mean)} under ${name}`))}.`,
];

const names = (variants: readonly VariantProbe[]): string => list(variants.map(({ name }) => name));

/** "0.10 to 0.80", or one number where both are alike. */
function between(values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values).toFixed(digits), Math.max(...values).toFixed(digits)];
  return low === high ? low : `${low} to ${high}`;
}
