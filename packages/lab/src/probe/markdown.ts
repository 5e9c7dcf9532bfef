// The probe as a document in Markdown: docs/evidence/probe.md is made of docs/evidence/probe.json by this.
import { describeRates } from "../config/learning-rates.js";
import { markdownBullets, markdownTable } from "../report/markdown.js";
import { definitionOf } from "../tasks/registry.js";
import { count } from "../words/format.js";
import { probeSections } from "./sections.js";
import type { ProbeResults } from "./types.js";
import { probeWords } from "./words.js";

/**
 * The whole document, its tables and sentences from the results.
 *
 * @param command that gives the same results again
 */
export function probeMarkdown(results: ProbeResults, command: string): string {
  const { config, environment } = results;
  const { shown, limits } = probeWords(results);
  const { task, data, steps, batch, width, depth, variants, seeds } = config;
  const sections = probeSections(results).flatMap(({ title, text, cells }) => [
    `## ${title}`,
    text,
    markdownTable(cells),
  ]);
  return `${[
    "# Smoothness, non-monotonicity and gating, measured",
    "Made of `probe.json` by `npm run docs`; a test checks that it is current.",
    "The article that this project began with gives three reasons for SwiGLU: it is smoother than ReLU, which can lead to better optimisation; it is not " +
      "monotone; and it has a gate, which selects units by the input. Here is what each of these is in the formulas, and what becomes of it in training. " +
      "`swiglu-lab probe --shapes` has the formulas of the whole catalogue.",
    `\`${command}\``,
    `${data.name}, ${count(variants.length, "variant")}, seeds ${seeds.join(", ")}; ${count(steps, "step")} of ${batch} ${definitionOf({ task }).examples}, width ${width}, ` +
      `${count(depth, "block")}, learning rate ${describeRates(variants)}; feed-forward parameters matched within 1 %. Node ${environment.node}, ${environment.platform}, ${environment.processor}.`,
    "## What the numbers show",
    markdownBullets(shown),
    "## What they cannot show",
    markdownBullets(limits),
    ...sections,
  ].join("\n\n")}\n`;
}
