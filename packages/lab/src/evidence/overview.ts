// docs/evidence.md: the answer in two minutes. One sentence, one forest plot in one unit, one plot of the difference over training, three
// caveats, a row for each task. All else is in a file for each task.
import { presetNames } from "../config/presets.js";
import { markdownBullets, markdownTable } from "../report/markdown.js";
import { estimate, excludesZero } from "../statistics/inference/estimate.js";
import { pairedTest } from "../statistics/inference/paired.js";
import type { StudyAnalysis } from "../study/analysis.js";
import { verdictLength } from "../study/lengths.js";
import type { StudyRecord } from "../study/types.js";
import { multiplierText, verdictText } from "../study/words.js";
import { list, signed } from "../words/format.js";
import { answers } from "./answers.js";
import { crossing, type Gap, gapsOf } from "./gaps.js";
import { about, titleOf } from "./presets.js";
import { primaryMetric, scoresOf } from "./scores.js";
import type { Evidence } from "./types.js";

export interface FinishedStudy {
  readonly study: StudyRecord;
  readonly analysis: StudyAnalysis;
}

/**
 * The overview.
 *
 * @param all the first edition's results
 * @param studies the second edition's, as far as they are done
 */
export function overviewDocument(all: readonly Evidence[], studies: readonly FinishedStudy[]): string {
  const done = presetNames.flatMap((name) => all.filter(({ preset }) => preset === name));
  return `${[
    "# Evidence: is SwiGLU better?",
    "Made of the files in `docs/evidence/` by `npm run docs`; a test checks that it is current.",
    answer(studies, done),
    ...article(done),
    forest(studies, done),
    training(done),
    "## Three caveats",
    markdownBullets(caveats(studies)),
    "## Task by task",
    ...(studies.length === 0 ? [] : [studyTable(studies)]),
    firstTable(done),
    "Reasons that the article gives (smooth, not monotone, gated): [measured](evidence/probe.md). The order of eight activations beside Shazeer's, limits, data and " +
      "how to repeat all of it: [first edition](evidence/first-edition.md); rules: [method](method.md), [of the first edition](method-first-edition.md).",
  ].join("\n\n")}\n`;
}

function answer(studies: readonly FinishedStudy[], done: readonly Evidence[]): string {
  const verdicts = studies.flatMap(({ study, analysis }) =>
    analysis.widths.flatMap(({ width, answers: found }) =>
      found.flatMap(({ subject, rival, verdict }) =>
        verdict === null
          ? []
          : [
              `${subject} against ${rival} on ${study.preset}${analysis.widths.length > 1 ? ` at width ${width}` : ""}: ${verdictText(verdict)}`,
            ],
      ),
    ),
  );
  if (verdicts.length > 0) return `**${verdicts.join("; ")}.**`;
  const claim = answers(done).at(-1)!;
  return `**First edition: at one length of training each, and small. ${claim}** The [second edition](method.md), at several lengths and sizes, in compute, is not done yet.`;
}

const ARTICLE = "swigluBlend-trained";

/** The article's literal claim: its own blend against its own GLU and its own Swish, where a task of the first edition has them. */
function article(done: readonly Evidence[]): string[] {
  return done.flatMap((evidence) => {
    const scores = scoresOf(evidence, primaryMetric(evidence));
    const own = scores.get(ARTICLE);
    if (own === undefined) return [];
    const parts = ["selfGlu", "swish-trained"].flatMap((rival) => {
      const other = scores.get(rival);
      if (other === undefined) return [];
      const { mean, p } = pairedTest(own.map((loss, i) => loss - other[i]!));
      return [`${rival} (${signed(mean, 4)} nats, p = ${p.toPrecision(1)})`];
    });
    return [
      `The article's own function is another one: a [blend](which-swiglu.md) of its input and a projection. On ${about[evidence.preset].task} its loss (${ARTICLE}) is above that of its own ` +
        `GLU and its own Swish: ${list(parts)}; paired by seed, first edition, exploratory.`,
    ];
  });
}

function forest(studies: readonly FinishedStudy[], done: readonly Evidence[]): string {
  if (studies.length === 0 && done.length === 0) return "No task is finished yet.";
  const caption =
    studies.length > 0
      ? "How many times the steps the rival needs for the same loss, with 95 % intervals: test part orange, validation part blue. Right of 1, the first one saves compute; in the grey band (5 %) they count as the same."
      : "First edition: SwiGLU's test loss against its rival's, in per cent of it. Left of 0 SwiGLU is better; in the grey band (1 %) the difference is too small to matter. Thick: 95 % interval over other seeds; thin: over other seeds and another test part.";
  return `![The answers of all tasks in one unit](evidence/forest.svg)\n\n${caption}`;
}

/** A crossing before this share of a run is of its warm-up. */
const LATE = 0.2;

function training(done: readonly Evidence[]): string {
  const shown = trainingTasks(done);
  if (shown.length === 0) return "";
  const sentences = shown.flatMap((evidence) =>
    gapsOf(evidence).flatMap((gap) => {
      const at = crossing(gap);
      return at === undefined || at < LATE ? [] : [crossingText(gap, at, about[evidence.preset].task)];
    }),
  );
  return [
    "## The answer depends on when training stops",
    "![SwiGLU's validation loss minus its rivals' over a run](evidence/training.svg)",
    `First edition, a sample of the validation part, means and 95 % intervals over seeds. ${sentences.join(" ")} ` +
      "Points inside a run were made with a learning rate that had not yet fallen to zero, so they are not runs of that length: that is what the second edition makes.",
  ].join("\n\n");
}

const crossingText = ({ rival, points }: Gap, at: number, task: string): string => {
  const last = points.at(-1)!;
  const [way, end] = last.mean < 0 ? ["behind", "ahead"] : ["ahead of", "behind"];
  const side = last.mean < 0 ? 1 : -1;
  const most = points.reduce((a, b) => (side * b.mean > side * a.mean ? b : a));
  return `On ${task} SwiGLU is ${way} ${rival} as late as at ${Math.round(100 * at)} % of the run (most at ${Math.round(100 * most.share)} %, ${signed(most.mean, 1)} % of the loss), and ${end} when it ends (${signed(last.mean, 1)} %).`;
};

/** The tasks whose difference over training is drawn. */
export const trainingTasks = (done: readonly Evidence[]): Evidence[] =>
  done.filter(({ preset }) => preset === "evidence-translation" || preset === "evidence-language");

const caveats = (studies: readonly FinishedStudy[]): string[] => [
  "**Small.** The models have 0.1 to 0.7 million parameters and are trained for minutes. What holds at a thousand times the size is not shown.",
  studies.length > 0
    ? "**Each answer is of one length.** It is given at the second-longest of the lengths that were run; the files of the tasks show how it changes with the length."
    : "**One length.** Each task was trained for one number of steps, and on two of them the order changes on the way.",
  studies.length > 0
    ? "**One set of data a task.** A verdict counts only where validation and test part agree, but both are of the same collection."
    : "**Learning rates were chosen by two seeds**, and no interval of the first edition contains that choice. Where rates lie within noise of each other, up to a third of an effect on language comes from the grid.",
];

function studyTable(studies: readonly FinishedStudy[]): string {
  const rows = studies.flatMap(({ study, analysis }) => {
    const at = verdictLength(study.lengths);
    const cells = analysis.widths.flatMap(({ width, answers: found }) =>
      found.flatMap((each) => {
        const parts = each.lengths.find(({ length }) => length === at)?.parts;
        if (each.verdict === null || parts === undefined) return [];
        const where = analysis.widths.length > 1 ? `, width ${width}` : "";
        return [
          `${each.subject} / ${each.rival}${where}: **${verdictText(each.verdict)}**, ${multiplierText(parts.test)}`,
        ];
      }),
    );
    return [
      [
        `[${study.preset}](evidence/${study.preset}.md)`,
        `${study.lengths.join(", ")}`,
        cells.join("<br>") || "not done yet",
      ],
    ];
  });
  return markdownTable(
    { head: ["experiment", "passes", "verdicts, and compute on the test part"], rows },
    { texts: true },
  );
}

/** A row a task: verdicts of the first edition, and whether the validation part says the same. */
function firstTable(done: readonly Evidence[]): string {
  const rows = done.map((evidence) => {
    const { preset, analysis } = evidence;
    const cells = analysis.outcomes[0]!.primary.map(
      ({ verdict, percent, reference }) =>
        `**${verdict}** (${percent === null ? "" : `${signed(percent, 1)} %`}); validation: ${validationText(evidence, reference)}`,
    );
    return [`[${titleOf(preset)}](evidence/${preset}.md)`, ...cells];
  });
  return [
    "First edition, each at one length; test loss of SwiGLU in per cent of its rival's, and what the validation part says of the same runs:",
    markdownTable({ head: ["task", "against Swish", "against GLU"], rows }, { texts: true }),
  ].join("\n\n");
}

/** "+1.2 %, worse": the mean difference on the validation part, paired by seed, with a word where its 95 % interval leaves out zero. */
function validationText({ records, analysis }: Evidence, rival: string): string {
  const lossOf = (name: string, seed: number): number | undefined => {
    const run = records.find((each) => each.variant === name && each.seed === seed);
    return run?.status === "finished" ? run.validation.loss : undefined;
  };
  const pairs = analysis.seeds.flatMap((seed) => {
    const [own, other] = [lossOf("swiglu", seed), lossOf(rival, seed)];
    return own === undefined || other === undefined ? [] : [(100 * (own - other)) / other];
  });
  if (pairs.length === 0) return "not measured";
  const mean = estimate(pairs);
  const word = !excludesZero(mean) ? "open" : mean.mean < 0 ? "better" : "worse";
  return `${signed(mean.mean, 1)} %, ${word}`;
}
