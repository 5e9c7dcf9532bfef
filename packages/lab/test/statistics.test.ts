// Estimates, paired differences and the words made of them, against examples worked out by hand.
import { expect, describe as group, test } from "vitest";
import type { Config } from "../src/config/types.js";
import type { RunRecord } from "../src/records/record.js";
import { analyse } from "../src/statistics/analysis.js";
import { estimate, excludesZero, median } from "../src/statistics/inference/estimate.js";
import { summarise } from "../src/statistics/summary.js";
import { describe } from "../src/statistics/words.js";
import { configOf, diverged, finished } from "./records.js";

group("estimate", () => {
  test("mean and t-interval of 1, 2, 3: 2 +- 4.302653 * 1 / sqrt(3)", () => {
    const { n, mean, half } = estimate([1, 2, 3]);
    expect([n, mean]).toEqual([3, 2]);
    expect(half).toBeCloseTo(2.4841377117, 9);
  });

  test("five values, 99 %: t(4) = 4.604095, s = sqrt(2.5)", () => {
    expect(estimate([5, 6, 7, 8, 9], 0.99).half).toBeCloseTo(
      (4.604094871415897 * Math.sqrt(2.5)) / Math.sqrt(5),
      9,
    );
  });

  test("no interval below three values", () => {
    expect(estimate([4, 6])).toEqual({ n: 2, mean: 5, half: null });
    expect(excludesZero(estimate([4, 6]))).toBe(false);
  });

  test("an interval excludes zero when the mean is farther from it than half its width", () => {
    expect(excludesZero({ n: 3, mean: -2, half: 1.9 })).toBe(true);
    expect(excludesZero({ n: 3, mean: -2, half: 2 })).toBe(false);
  });

  test("median", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  });
});

group("summary", () => {
  const config = configOf(["relu", "swiglu", "tanh"], [1, 2, 3]);
  const records: RunRecord[] = [
    ...[0.9, 0.91, 0.92].map((accuracy, i) => finished("relu", i + 1, accuracy)),
    ...[0.93, 0.94, 0.95].map((accuracy, i) => finished("swiglu", i + 1, accuracy)),
    ...[0.9, 0.93, 0.9].map((accuracy, i) => finished("tanh", i + 1, accuracy)),
  ];

  test("ranks by mean test loss", () => {
    expect(summarise(config, records).ranking.map(({ name }) => name)).toEqual(["swiglu", "relu", "tanh"]);
  });

  test("differences are paired by seed: a constant gain has an interval of no width", () => {
    const { ranking } = summarise(config, records);
    const { metric, values } = ranking[0]!.difference!;
    expect(metric.mean).toBeCloseTo(-0.03, 12); // of the loss
    expect(metric.half).toBeCloseTo(0, 12);
    expect(values).toHaveLength(3);
    expect(ranking[1]!.difference).toBeNull();
  });

  test("differences 0, 0.02, -0.02: mean 0 +- 4.302653 * 0.02 / sqrt(3)", () => {
    const { metric } = summarise(config, records).ranking[2]!.difference!;
    expect(metric.mean).toBeCloseTo(0, 12);
    expect(metric.half).toBeCloseTo((4.302652729749462 * 0.02) / Math.sqrt(3), 9);
  });

  test("the best model is chosen by validation, never by the test", () => {
    const tempting = [
      finished("relu", 1, 0.5, { validation: 0.99 }),
      finished("swiglu", 1, 0.99, { validation: 0.5 }),
    ];
    expect(summarise(config, tempting).best).toMatchObject({ variant: "relu", seed: 1 });
  });

  test("diverged runs are counted, kept out of the means, and ranked last when nothing else is left", () => {
    const { ranking } = summarise(config, [...records.slice(0, 6), diverged("tanh", 1), diverged("tanh", 2)]);
    expect(ranking.at(-1)).toMatchObject({ name: "tanh", test: null, difference: null });
    expect(ranking.at(-1)!.diverged).toHaveLength(2);
  });

  test("a run that diverged counts in differences as the worst that finished; a missing one does not count", () => {
    const { ranking } = summarise(config, [diverged("relu", 1), ...records.slice(1, 5)]);
    // Losses: 1 - accuracy. relu: worst (0.91), 0.91, 0.92; swiglu: 0.93, 0.94, none.
    const { values } = ranking.find(({ name }) => name === "swiglu")!.difference!;
    expect(values).toHaveLength(2);
    expect(values[0]).toBeCloseTo(0.91 - 0.93, 12);
    expect(values[1]).toBeCloseTo(0.91 - 0.94, 12);
  });

  test("without relu the first variant is the baseline", () => {
    expect(summarise(configOf(["swish", "swiglu"], [1]), []).baseline).toBe("swish");
  });

  test("learned parameters: mean and extremes over blocks and seeds", () => {
    const runs = [
      finished("swiglu", 1, 0.9, { learned: { beta: [1, 2] } }),
      finished("swiglu", 2, 0.9, { learned: { beta: [3, 4] } }),
    ];
    expect(summarise(config, runs).ranking[0]!.learned).toEqual({ beta: { mean: 2.5, min: 1, max: 4 } });
  });
});

group("words", () => {
  const part = { weights: Int32Array.of(1, 1, 1, 1), clusters: Int32Array.of(0, 1, 2, 3) };
  const say = (config: Config, records: readonly RunRecord[]) =>
    describe(summarise(config, records), config, analyse(config, records, part), true);
  const three = [1, 2, 3];

  test("name who is better, who is worse, and how many are undecided", () => {
    const config = configOf(["relu", "up", "down", "same"], three);
    const runs = three.flatMap((seed) => [
      finished("relu", seed, 0.9),
      finished("up", seed, 0.95 + 0.001 * seed),
      finished("down", seed, 0.8 + 0.001 * seed),
      finished("same", seed, 0.9 + 0.01 * (seed - 2)),
    ]);
    const { shown } = say(config, runs);
    expect(shown[0]).toBe("up has the lowest mean test loss, 0.0480; relu follows with 0.1000.");
    expect(shown[1]).toMatch(
      /^Better than relu, with a 95 % interval that excludes zero: up \(−0\.0520 \[−0\.0545, −0\.0495\]\) nats\.$/,
    );
    expect(shown[2]).toMatch(/^Worse than relu, .*: down \(\+0\.0980 \[/);
    expect(shown[3]).toBe("same cannot be told from relu: its interval includes zero.");
    expect(shown[4]).toMatch(
      /^These are 3 comparisons: .* about 0\.2 .* all 3 exploratory comparisons .*, up and down remain\.$/,
    );
  });

  test("say so when nothing can be told apart", () => {
    const runs = three.flatMap((seed) => [
      finished("relu", seed, 0.9),
      finished("a", seed, 0.9 + 0.01 * (seed - 2)),
    ]);
    const { shown, limits } = say(configOf(["relu", "a"], three), runs);
    expect(shown).toContain("No variant can be told from relu: every 95 % interval includes zero.");
    expect(limits[0]).toMatch(/^With 3 seeds .* typically reaches 0\.0248 nats .* --seeds 10/);
  });

  test("with fewer than three seeds there is no interval, and they say so", () => {
    const { limits } = say(configOf(["relu", "a"], [1, 2]), [
      finished("relu", 1, 0.9),
      finished("a", 1, 0.8),
    ]);
    expect(limits[0]).toMatch(/^With 2 seeds there is no interval/);
  });

  test("diverged and missing runs are told", () => {
    const { shown } = say(configOf(["relu", "a"], three), [
      finished("relu", 1, 0.9),
      finished("relu", 2, 0.9),
      finished("relu", 3, 0.9),
      finished("a", 1, 0.9),
      diverged("a", 2, 17),
    ]);
    expect(shown.join(" ")).toMatch(
      /a diverged in 1 of 3 runs \(seed 2 at step 17\): .* flatter it; in comparisons each counts as the worst/,
    );
    expect(shown.join(" ")).toMatch(/1 run did not end/);
  });

  test("answer the primary questions, with the seeds that it would take", () => {
    const config = configOf(["swish", "glu", "swiglu"], three);
    const runs = three.flatMap((seed) => [
      finished("swish", seed, 0.5 + 0.002 * (seed % 2)),
      finished("glu", seed, 0.6 + 0.01 * seed),
      finished("swiglu", seed, 0.6 + 0.01 * (seed % 3)),
    ]);
    const { primary } = say(config, runs);
    expect(primary).toHaveLength(2);
    expect(primary[0]).toMatch(
      /^swiglu against swish: better\. Test loss 0\.3900 against 0\.4987, \u22120\.1087 \[\u22120\.1\d+, \u22120\.0\d+\] nats \(\u221221\.8\u00a0%\) over 3 seeds; Dunnett's p < 0\.001; within \u00b10\.0050 of each other: p = 0\.\d+\. With 3 seeds this is a first look: give --seeds 6 or more\.$/,
    );
    expect(primary[1]).toMatch(
      /^swiglu against glu: not distinguishable at this scale\. .* With 3 seeds this is a first look: give --seeds 6 or more\.$/,
    );
    const six = [1, 2, 3, 4, 5, 6];
    const more = six.flatMap((seed) => [
      finished("swish", seed, 0.5 + 0.002 * (seed % 2)),
      finished("glu", seed, 0.6 + 0.01 * (seed % 4)),
      finished("swiglu", seed, 0.6 + 0.01 * (seed % 3)),
    ]);
    expect(say(configOf(["swish", "glu", "swiglu"], six), more).primary[1]).toMatch(
      /^swiglu against glu: not distinguishable at this scale\. .* For 80 % power, a difference of this size would take about [\d,]+ seeds, one of the margin's about [\d,]+ seeds\.$/,
    );
    expect(say(configOf(["relu", "swish"], three), []).primary).toEqual([]);
  });

  test("when every run diverged there is nothing to rank", () => {
    expect(say(configOf(["relu"], [1]), [diverged("relu", 1)]).shown[0]).toMatch(/^No run finished/);
  });

  test("tell how many passes over the data the steps are", () => {
    const { limits } = say(configOf(["relu"], [1]), [finished("relu", 1, 0.9)]);
    expect(limits.at(-1)).toMatch(/^100 steps of 32 images are 3\.2 passes over the 1,000 training images/);
  });
});
