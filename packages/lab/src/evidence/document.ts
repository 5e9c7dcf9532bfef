// docs/evidence/first-edition.md: what the first edition's results say together; each task has a file of its own.
import { type PresetName, presetNames, presets } from "../config/presets.js";
import { markdownBullets, markdownTable } from "../report/markdown.js";
import { machinesOf } from "../system/environment.js";
import { grouped } from "../words/format.js";
import { answerRows, answers } from "./answers.js";
import { about, titleOf } from "./presets.js";
import { sizeOf } from "./section.js";
import { shazeerSection } from "./shazeer.js";
import type { Evidence } from "./types.js";

/**
 * The document on all tasks of the first edition.
 *
 * @param all of the presets that are done, in any order
 * @param probe the sentences of the probe; undefined where it is not done
 */
export function firstEditionDocument(all: readonly Evidence[], probe: readonly string[] | undefined): string {
  const done = presetNames.flatMap((name) => all.filter(({ preset }) => preset === name));
  return `${[
    "# Evidence, first edition",
    "Made of the files in `docs/evidence/` by `npm run docs`; a test checks that it is current.",
    "A widely read article says that SwiGLU outperforms Swish and GLU in image classification, language modelling and machine translation. " +
      "We asked small transformers: the same network, as many parameters, each activation at its own best learning rate, many seeds. " +
      "How, and by which rule a verdict is given, was [written down](../method-first-edition.md) before the first counted run. [The second edition](../evidence.md) asks at several lengths and sizes.",
    ...answers(done),
    markdownTable(answerRows(done), { texts: true }),
    ...(done.length === 0
      ? []
      : [`In full: ${done.map(({ preset }) => `[${titleOf(preset)}](${preset}.md)`).join(", ")}.`]),
    shazeerSection(done),
    reasons(probe),
    "## What this does not show",
    markdownBullets(limits(done)),
    repeating(done),
  ].join("\n\n")}\n`;
}

const reasons = (probe: readonly string[] | undefined): string =>
  [
    "## The article's reasons",
    ...(probe === undefined
      ? ["Smoothness, non-monotonicity and gating: not measured yet."]
      : [
          "Smoothness, non-monotonicity and gating, as [measured](probe.md), with no tests:",
          markdownBullets(probe),
        ]),
  ].join("\n\n");

function limits(done: readonly Evidence[]): string[] {
  const scale =
    done.length === 0
      ? "The models are small"
      : `The models have ${sizeOf(done.flatMap(({ records }) => records))}`;
  return [
    `${scale} and are trained for minutes. What happens at a thousand times the size, or with long training, is not shown.`,
    "One architecture, and one set of data for each task: another may put the variants in another order.",
    "Only the learning rate was tuned for each variant, on two seeds; weight decay, warm-up, width and depth are the same for all.",
    '"Not distinguishable" is not "equal": it says that these seeds cannot tell.',
    "Exploratory comparisons are hints for others to test. So are secondary outcomes.",
    "Losses at equal cost are read off before the learning rate has fallen to zero, so that they are too hard on variants that cost more. Processor time is of this engine and machine, and of what else ran there.",
    "Seeds change the first weights and the order of the data, not which data is for training and which for the test; the interval that includes the test part says how far another one might differ.",
  ];
}

function repeating(done: readonly Evidence[]): string {
  const of = (name: PresetName): Evidence | undefined => done.find(({ preset }) => preset === name);
  const hours = (seconds: number): string => (seconds / 3600).toFixed(1);
  const costs = done.map(({ preset, cost: { compared, tuned }, environment, records }) => [
    titleOf(preset),
    grouped(compared.runs),
    hours(compared.cpuSeconds),
    grouped(tuned?.runs ?? 0),
    hours(tuned?.cpuSeconds ?? 0),
    hours(compared.seconds + (tuned?.seconds ?? 0)),
    machinesOf(records, environment).join("; and "),
  ]);
  const commands = presetNames.map((name) => {
    const state = of(name) === undefined ? "  # not done yet" : "";
    return `npm start -- --preset ${name}${about[name].options}${state}`;
  });
  return [
    "## Repeating it",
    "In a clone of the repository; each command tunes, trains and analyses, and goes on where it was when it is interrupted:",
    `\`\`\`sh\n${commands.join("\n")}\n\`\`\``,
    ...(costs.length === 0
      ? []
      : [
          markdownTable({
            head: [
              "task",
              "runs compared",
              "processor hours of their training",
              "runs to tune",
              "processor hours of theirs",
              "hours of all runs, one after the other",
              "machine",
            ],
            rows: costs,
          }),
        ]),
    markdownTable(
      {
        head: ["data", "licence", "SHA-256"],
        rows: presetNames.map((name) => {
          const { data, licence } = about[name];
          return [data, licence, `\`${presets[name].data.sha256}\``];
        }),
      },
      { texts: true },
    ),
    "The scores of every run are in `docs/evidence/<preset>.json`, with the whole configuration and analysis. `node scripts/evidence.mjs <preset> <folder>` makes such a file of a finished sweep.",
  ].join("\n\n");
}
