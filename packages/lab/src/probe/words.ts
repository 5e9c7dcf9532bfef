// What the numbers of a probe show, in sentences that are made from them, and what they cannot show.
import { count, list } from "../words/format.js";
import { DISTANCES } from "./measure.js";
import type { Shape } from "./shape.js";
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
  if (variants.length === 0) return { shown: ["Every run diverged: there is nothing to show."], limits: [] };
  return {
    shown: [
      ...smoothness(kinked, smooth, shapeOfVariant),
      ...steps(variants),
      ...monotonicity(bent),
      ...gating(variants),
      `Loss on the probed examples at the end, lowest first: ${ranked(variants, ({ loss }) => loss, 3)}.`,
      ...(diverged === 0
        ? []
        : [`${count(diverged, "run")} diverged and ${diverged === 1 ? "is" : "are"} left out.`]),
    ],
    limits: [
      "These are descriptions of one small network on one task, with no tests. That a variant has a property and learns well does not show that it " +
        "learns well because of it: gated variants, for one thing, differ from ungated ones in more than smoothness.",
      "How rough the loss is depends on how many examples it is over: kinks of single units average out, so that over more examples, and over " +
        "longer steps, a network with kinks looks ever more like a smooth one.",
      "Where the loss is lower its gradient and its curvature are smaller too, so that a variant that learns faster looks smoother for that reason alone.",
      "What counts as a closed gate is a convention. A smooth gate seldom comes near 0, so that it closes less by any such threshold; that it may " +
        "still select, by making some units large, is what the top tenth is for.",
      "Nothing here is about overfitting: that takes the test losses of a comparison.",
    ],
  };
}

function smoothness(
  kinked: readonly VariantProbe[],
  smooth: readonly VariantProbe[],
  shapes: ReadonlyMap<string, Shape>,
): string[] {
  const largest = smooth.map(({ name }) => Math.abs(shapes.get(name)!.curvature.value));
  const nearby = (variants: readonly VariantProbe[], what: string): string =>
    `${between(variants, ({ roughness }) => roughness)} times as fast under ${what} (${names(variants)})`;
  const kinks = `${names(kinked)} ${kinked.length === 1 ? "has a kink" : "have kinks"}`;
  const none = `${names(smooth)} ${smooth.length === 1 ? "has" : "have"} none, and second derivatives of at most ${range(largest)}`;
  const parts = (ofKinked: string, ofSmooth: string): string =>
    [...(kinked.length === 0 ? [] : [ofKinked]), ...(smooth.length === 0 ? [] : [ofSmooth])].join("; ");
  return [
    `Smoothness, in the formulas: ${parts(kinks, none)}.`,
    "Smoothness, in training: over a distance of 0.0001 the gradient of the loss changes, against over 0.01, " +
      `${parts(nearby(kinked, "activations with a kink"), nearby(smooth, "those without"))}. Where it is smooth, that is 1.`,
  ];
}

function steps(variants: readonly VariantProbe[]): string[] {
  const length = variants.reduce((sum, { stepLength }) => sum + stepLength.mean, 0) / variants.length;
  const off = DISTANCES.map((distance) => Math.abs(Math.log(distance / length)));
  const near = off.indexOf(Math.min(...off));
  return [
    `At the scale of training: a step goes ${between(variants, ({ stepLength }) => stepLength)} on average. Over ${DISTANCES[near]}, the gradient changes ` +
      `by this per unit of distance, least first: ${ranked(variants, ({ change }) => change[near]!, 1)}. The curvature of the loss along its gradient, within ` +
      `${DISTANCES[near]}: ${ranked(variants, ({ curvature }) => curvature[near]!, 1)}.`,
    "From one step to the next, the length of the gradient changes by a factor whose logarithm is in the mean, least first: " +
      `${ranked(variants, ({ variation }) => variation, 2)}.`,
  ];
}

const monotonicity = (bent: readonly VariantProbe[]): string[] =>
  bent.length === 0
    ? []
    : [
        "Non-monotonicity: the share of inputs that lie where the activation falls, before training and at its end: " +
          `${list(bent.map(({ name, shares: { falling } }) => `${name} ${percent(falling.start.mean)} and ${percent(falling.end.mean)}`))}.`,
      ];

const gating = (variants: readonly VariantProbe[]): string[] => [
  `Gating: closed at the end are ${list(variants.map(({ name, shares }) => `${percent(shares.closed.end.mean)} under ${name}`))}. ` +
    `Of all squared factors, the largest tenth holds ${list(variants.map(({ name, shares }) => `${percent(shares.topTenth.end.mean)} under ${name}`))}.`,
];

/** "a 1.0, b 1.2 and c 3.4" */
const ranked = (
  variants: readonly VariantProbe[],
  number: (variant: VariantProbe) => Spread,
  digits: number,
): string =>
  list(
    [...variants]
      .sort((a, b) => number(a).mean - number(b).mean)
      .map((variant) => `${variant.name} ${number(variant).mean.toFixed(digits)}`),
  );

const names = (variants: readonly VariantProbe[]): string => list(variants.map(({ name }) => name));

/** "0.10 to 0.80" of the variants' means, or one number where all are alike. */
const between = (variants: readonly VariantProbe[], number: (variant: VariantProbe) => Spread): string =>
  range(variants.map((variant) => number(variant).mean));

function range(values: readonly number[]): string {
  const [low, high] = [Math.min(...values).toFixed(2), Math.max(...values).toFixed(2)];
  return low === high ? low : `${low} to ${high}`;
}
