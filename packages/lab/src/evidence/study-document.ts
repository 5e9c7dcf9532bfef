// docs/evidence/<preset>.md of the second edition: answers, every length in both parts, rates, cost and what was left out.
import { markdownBullets, markdownTable } from "../report/markdown.js";
import { rankAgreement } from "../study/rank-agreement.js";
import { answerText, lengthCells, passes, readingTexts, trendTexts } from "../study/words.js";
import { count, grouped, signed } from "../words/format.js";
import type { FinishedStudy } from "./overview.js";
import { table1 } from "./shazeer.js";

export function studyDocument({ study, analysis }: FinishedStudy): string {
  const { preset, cells, tuning, leftOut, remarks, widths } = study;
  const hours = (seconds: number): string => (seconds / 3600).toFixed(1);
  const seconds = cells.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.cpuSeconds, 0);
  const tuned = tuning.reduce((sum, each) => sum + each.cpuSeconds, 0);
  return `${[
    `# ${preset}: second edition`,
    `${remarks.join(" ")} [All tasks](../evidence.md), [method](../method.md).`,
    study.introduction,
    ...analysis.widths.flatMap(({ width, parameters, answers, gaps }) => [
      `## ${widths.length > 1 ? `Width ${width}, ${grouped(parameters)} parameters` : `${grouped(parameters)} parameters`}`,
      markdownBullets([...answers.map((answer) => answerText(answer, true)), ...gaps]),
      ...answers.flatMap((answer) => [
        `### ${answer.subject} against ${answer.rival}`,
        markdownTable(lengthCells(answer)),
      ]),
    ]),
    ...(preset === "spans" ? order(study) : []),
    "## How to read this",
    markdownBullets([...trendTexts(analysis), ...readingTexts(study)]),
    "## Learning rates and cost",
    markdownTable({
      head: ["width", "passes", "tuned at", ...study.variants],
      rows: cells.map(({ width, length, tunedAt, config }) => [
        `${width}`,
        `${length}`,
        `${tunedAt ?? ""}`,
        ...config.variants.map(({ learningRate }) => `${learningRate}`),
      ]),
    }),
    `${count(cells.flatMap(({ runs }) => runs).length, "counted run")}, ${hours(seconds)} processor hours; tuning ${hours(tuned)}. ` +
      `${count(leftOut.tooLong.length, "example")} too long and left out, ${count(leftOut.nearCopies.length, "group")} of near-copies kept in one part: named in \`${preset}.json\`, ` +
      "with the tuning losses by seed and the losses of every run by group of examples. `scripts/evidence.py` computes all of it again.",
  ].join("\n\n")}\n`;
}

/** The mean losses beside both columns of Shazeer's Table 1. */
function order(study: FinishedStudy["study"]): string[] {
  const known = Object.entries(table1).filter(([name]) => study.variants.includes(name));
  const agreements = (["short", "long"] as const).map((column) => ({
    name: column === "short" ? "65,536 steps" : "524,288 steps",
    at: rankAgreement(study, new Map(known.map(([name, row]) => [name, row[column]]))),
  }));
  const lengths = agreements[0]!.at;
  const rows = known.map(([name, { short, long }]) => [
    name,
    ...lengths.map(({ losses }) => losses[study.variants.indexOf(name)]!.toFixed(4)),
    short.toFixed(3),
    long.toFixed(3),
  ]);
  const taus = agreements.map(
    ({ name, at }) =>
      `With his column of ${name}: ${at
        .map(
          ({ length, tau, interval }) =>
            `${signed(tau, 2)} [${signed(interval.low, 2)}, ${signed(interval.high, 2)}] at ${passes(length)}`,
        )
        .join(", ")}.`,
  );
  return [
    "## Beside Shazeer's Table 1",
    "Test log-perplexity here beside his. His is an encoder-decoder of 220 million parameters on C4; this is a decoder that reads its source as a prefix, of half a million.",
    markdownTable({
      head: [
        "variant",
        ...lengths.map(({ length }) => passes(length)),
        "his 65,536 steps",
        "his 524,288 steps",
      ],
      rows,
    }),
    `Kendall's tau of the two orders, with a 95 % bootstrap interval (1: the same order). ${taus.join(" ")}`,
  ];
}
