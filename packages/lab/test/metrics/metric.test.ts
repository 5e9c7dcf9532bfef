// What the metrics of each task do to ranking, choice of the best model, figures and words.
import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/types.js";
import { textOfLosses } from "../../src/records/record.js";
import {
  describeScore,
  isBetter,
  metricOf,
  outcomesOf,
  show,
  showDifference,
  showEstimate,
} from "../../src/statistics/metric.js";
import { summarise } from "../../src/statistics/summary.js";
import { describe as inWords } from "../../src/statistics/words.js";
import type { Score } from "../../src/tasks/common/score.js";
import type { TaskKind } from "../../src/tasks/registry.js";
import { rankingTable, runTable } from "../../src/terminal/tables.js";
import { configOf, finished } from "../records.js";

const { data, ...common } = configOf(["relu", "swiglu"], [1, 2, 3]);
const language: Config = { ...common, task: "language", data, vocabulary: 300, context: 16 };

const run = (variant: string, seed: number, loss: number) => {
  const score: Score = { loss, bitsPerByte: loss / 2 };
  return {
    ...finished(variant, seed, 0),
    validation: score,
    test: score,
    testLosses: textOfLosses(Float32Array.of(loss)),
  };
};
const records = [1, 2, 3].flatMap((seed) => [
  run("relu", seed, 3 + 0.01 * seed),
  run("swiglu", seed, 2.9 + 0.01 * seed),
]);

describe("language: the lower loss is better", () => {
  const summary = summarise(language, records);

  test("in the ranking, the difference and the choice of the best model", () => {
    expect(summary.ranking.map(({ name }) => name)).toEqual(["swiglu", "relu"]);
    expect(summary.ranking[0]!.difference!.metric.mean).toBeCloseTo(-0.1, 12);
    expect(summary.best).toMatchObject({ variant: "swiglu", seed: 1 });
  });

  test("in words", () => {
    const { shown } = inWords(summary, language, null, true);
    expect(shown[0]).toBe("swiglu has the lowest mean test loss, 2.9200; relu follows with 3.0200.");
    expect(shown[1]).toMatch(/^Better than relu, .*: swiglu \(−0\.1000 .*\) nats per token\.$/);
  });

  test("with perplexity and bits per byte in the tables", () => {
    const [head, , first] = rankingTable(summary, "language").split("\n");
    expect(head).toMatch(/test loss .*perplexity +bits per byte/);
    expect(first).toMatch(/^1 +swiglu +2\.9200 .* 18\.5\d +1\.460 /);
    expect(runTable(records, "language").split("\n")[2]).toMatch(/relu +1 +3\.0100 +20\.29 +1\.5050/);
  });
});

test("the loss ranks on every task; other outcomes have their own direction, and equal ones are told apart by the loss", () => {
  const better: Record<TaskKind, [Score, Score]> = {
    images: [
      { loss: 1, accuracy: 0.8 },
      { loss: 2, accuracy: 0.9 },
    ],
    language: [{ loss: 1 }, { loss: 2 }],
    translation: [
      { loss: 1, chrf: 20, bleu: 9 },
      { loss: 2, chrf: 30, bleu: 1 },
    ],
  };
  for (const task of ["images", "language", "translation"] as const) {
    const [a, b] = better[task];
    expect([isBetter(metricOf(task), a, b), isBetter(metricOf(task), b, a)]).toEqual([true, false]);
    expect(outcomesOf(task).every((metric) => Number.isFinite(metric.of({ ...a, bitsPerByte: 1 })))).toBe(
      true,
    );
  }
  const chrf = outcomesOf("translation")[1]!;
  expect(isBetter(chrf, { loss: 2, chrf: 30 }, { loss: 1, chrf: 20 })).toBe(true);
  expect(isBetter(chrf, { loss: 1, chrf: 30 }, { loss: 2, chrf: 30 })).toBe(true);
});

test("figures look like what they are", () => {
  expect(describeScore({ loss: 0.1, accuracy: 0.9512 })).toBe("95.12 %");
  expect(describeScore({ loss: 3.21 })).toBe("loss 3.2100");
  expect(describeScore({ loss: 3.21, chrf: 31.416, bleu: 5 })).toBe("chrF 31.42");
  const [loss, perplexity] = outcomesOf("language");
  expect(show(perplexity!, perplexity!.of({ loss: Math.log(50) }))).toBe("50.00");
  expect(showEstimate(loss, { n: 3, mean: 3, half: 0.5 })).toBe("3.0000 ± 0.5000");
  expect(showDifference(loss, { n: 3, mean: -0.1, half: 0.02 })).toBe("−0.1000 [−0.1200, −0.0800]");
});
