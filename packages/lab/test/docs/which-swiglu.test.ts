// The losses that docs/which-swiglu.md quotes are those of the committed results.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { primaryMetric, scoresOf } from "../../src/evidence/scores.js";
import type { Evidence } from "../../src/evidence/types.js";
import { meanOf } from "../../src/statistics/inference/estimate.js";
import { pairedTest } from "../../src/statistics/inference/paired.js";

const docs = new URL("../../../../docs/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, docs), "utf8");
const text = read("which-swiglu.md");
const scoresOn = (task: string) => {
  const evidence: Evidence = JSON.parse(read(`evidence/evidence-${task}.json`));
  return scoresOf(evidence, primaryMetric(evidence));
};

describe("the table of gated against ungated", () => {
  const lines = text.split("\n").filter((line) => /^\|.*\|$/.test(line));
  const cellsOf = (line: string): string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const head = cellsOf(lines.find((line) => line.includes("| swiglu | swish "))!);
  const rows = lines.map(cellsOf).filter(([, first = ""]) => /^\d\.\d{4}$/.test(first));

  test("has every task", () => {
    expect(rows.map(([task]) => task)).toEqual(["images", "language", "translation", "compiler messages"]);
  });

  test.each(rows)("%s", (task = "", ...losses) => {
    const scores = scoresOn(task.split(" ").at(-1)!);
    for (const [i, name] of head.slice(1, -1).entries())
      expect(meanOf(scores.get(name)!).toFixed(4), name).toBe(losses[i]);
  });
});

describe("the article's literal claim", () => {
  const scores = scoresOn("images");
  const own = scores.get("swigluBlend-trained")!;

  test.each(["selfGlu", "swish-trained"])("against %s", (rival) => {
    const other = scores.get(rival)!;
    const { mean, p } = pairedTest(own.map((loss, i) => loss - other[i]!));
    const difference = `+${mean.toFixed(4)}`;
    expect(text).toMatch(
      new RegExp(
        `\`${rival}\`\\s\\(${meanOf(other).toFixed(4)};\\s(difference )?\\${difference}, p = ${p.toPrecision(1)}`,
      ),
    );
  });

  test("the blend is the highest of ten, the paper's among the lowest", () => {
    expect(text).toContain(`\`swigluBlend-trained\` (${meanOf(own).toFixed(4)})`);
    expect([...scores.keys()].at(-1)).toBe("swigluBlend-trained");
    expect(scores.size).toBe(10);
    expect(text).toContain(`\`swiglu\` (${meanOf(scores.get("swiglu")!).toFixed(4)})`);
    expect([...scores.keys()].indexOf("swiglu")).toBeLessThan(3);
  });
});
