// The losses that docs/which-swiglu.md quotes are those of the committed results.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { primaryMetric, scoresOf } from "../../src/evidence/scores.js";
import type { Evidence } from "../../src/evidence/types.js";
import { meanOf } from "../../src/statistics/estimate.js";

const docs = new URL("../../../../docs/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, docs), "utf8");

/** "On images ... swiglu (0.3291)", up to the end of the paragraph. */
const passages = [
  ...read("which-swiglu.md").matchAll(
    /On (images|language|translation|the compiler's messages)\b(.*?)(?=\bOn [a-z]+\b|\n\n)/gs,
  ),
];

test("it quotes results", () => {
  expect(passages).not.toEqual([]);
});

test.each(passages.map(([, task = "", text = ""]) => ({ task, text })))(
  "losses on $task: $text",
  ({ task, text }) => {
    const evidence: Evidence = JSON.parse(read(`evidence/evidence-${task.split(" ").at(-1)}.json`));
    const scores = scoresOf(evidence, primaryMetric(evidence));
    const quoted = [...text.matchAll(/([\w-]+) \((\d\.\d+)\)/g)];
    expect(quoted).not.toEqual([]);
    for (const [, variant = "", loss] of quoted)
      expect(meanOf(scores.get(variant) ?? []).toFixed(4), variant).toBe(loss);
  },
);
