// The answers of a study in words and cells, verdict first: for the terminal, the page and docs/evidence.
import { BEYOND } from "../statistics/length-curve.js";
import { FEWEST_SEEDS } from "../statistics/verdicts.js";
import { list, signed } from "../words/format.js";
import type { Answer, Judged, PartAnswer, StudyAnalysis, Verdict } from "./analysis.js";
import type { StudyRecord } from "./types.js";

/** exp of the logarithm: "1.12"; "0.05" at the least, so that it fits. */
const ratio = (logarithm: number): string => {
  const value = Math.exp(logarithm);
  return value > 99 ? "> 99" : value < 0.01 ? "< 0.01" : value.toFixed(2);
};

/** "×1.12 [1.05, 1.20]"; "more than ×2.00" where the curve is not followed so far. */
export function multiplierText({ multiplier, bound }: PartAnswer): string {
  if (multiplier === null) return "";
  if (bound !== null) return `${bound === "more" ? "more" : "less"} than ×${ratio(multiplier.value)}`;
  return `×${ratio(multiplier.value)} [${ratio(multiplier.interval.low)}, ${ratio(multiplier.interval.high)}]`;
}

const differenceText = ({ value, interval }: Judged, digits = 4): string =>
  `${signed(value, digits)} [${signed(interval.low, digits)}, ${signed(interval.high, digits)}]`;

/** "better", or "no verdict: validation says better, the test part open". */
export function verdictText({ words, agreed }: Verdict): string {
  if (agreed === "open") return "open: these runs cannot tell";
  return agreed ?? `no verdict: the validation part says ${words.validation}, the test part ${words.test}`;
}

/** "1 pass", "0.5 passes". */
export const passes = (length: number): string => `${length} ${length === 1 ? "pass" : "passes"}`;

/** "swiglu against swish: better. At 2 passes swish needs 1.12 times the steps (test; 1.10 validation) for the same loss." */
export function answerText(answer: Answer, isFixed: boolean): string {
  const { subject, rival, verdict, lengths } = answer;
  const at = lengths.find(({ length }) => length === verdict?.length) ?? lengths.at(-1)!;
  const head = `${subject} against ${rival}: ${verdict === null ? "exploratory, no verdict" : verdictText(verdict)}.`;
  const { validation, test } = at.parts;
  const compute =
    test.multiplier === null
      ? ""
      : ` In compute ${multiplierText(test)} on the test part, ${multiplierText(validation)} on the validation part: so many times the steps ${rival} needs for ${subject}'s loss.`;
  const few =
    at.seeds < FEWEST_SEEDS && verdict !== null
      ? ` With ${at.seeds} seeds this is a first look${isFixed ? "" : ", and nothing was fixed in advance"}.`
      : "";
  return `${head} At ${passes(at.length)} over the training part the difference in loss is ${differenceText(test.difference)} nats.${compute}${few}`;
}

/** One row for each length: what the difference and the multiplier are in both parts. */
export function lengthCells({ lengths, verdict }: Answer): { head: string[]; rows: string[][] } {
  return {
    head: [
      "passes",
      "steps",
      "seeds",
      "test: difference, nats",
      "test: compute",
      "validation: difference, nats",
      "validation: compute",
    ],
    rows: lengths.map(({ length, steps, seeds, parts: { test, validation } }) => [
      `${length}${length === verdict?.length ? " (verdict)" : ""}`,
      `${steps}`,
      `${seeds}`,
      differenceText(test.difference),
      multiplierText(test),
      differenceText(validation.difference),
      multiplierText(validation),
    ]),
  };
}

/** How the advantage changes with length and size. */
export function trendTexts({ widths, slopes }: StudyAnalysis): string[] {
  const slopeWords = ({ value, interval }: Judged): string =>
    `${signed(value, 2)} [${signed(interval.low, 2)}, ${signed(interval.high, 2)}]: ${
      interval.low > 0 ? "it grows" : interval.high < 0 ? "it shrinks" : "no trend is shown"
    }`;
  return [
    ...widths.flatMap(({ width, answers }) =>
      answers.flatMap(({ subject, rival, trend, isPrimary }) =>
        trend === null || !isPrimary
          ? []
          : [
              `With the length, ${subject}'s multiplier against ${rival}${widths.length > 1 ? ` at width ${width}` : ""} changes by ${slopeWords(trend)} (logarithm over logarithm of the steps, test part).`,
            ],
      ),
    ),
    ...slopes.map(
      ({ subject, rival, slope }) =>
        `With the size, ${subject}'s multiplier against ${rival} changes by ${slopeWords(slope.test)} on the test part, ${slopeWords(slope.validation)} on the validation part (logarithm over logarithm of the parameters).`,
    ),
  ];
}

/** What a reader has to know to read the figures. */
export function readingTexts(study: StudyRecord): string[] {
  const { lengths, tuning, seeds } = study;
  return [
    "Compute says how many times the steps the rival needs for the same loss, read off the rival's own losses at full runs of the other lengths. Above 1 the first variant saves compute; from 0.95 to 1.05 they count as the same.",
    `The curve is followed by a factor of ${BEYOND} beyond its ends. Intervals are of 95 %, by a bootstrap over seeds, groups of examples${tuning.length > 0 ? " and tuning seeds" : ""}.`,
    "A verdict counts where validation and test part say the same.",
    ...(lengths.length < 2
      ? [
          "With one length there is no curve, and so no compute multiplier and no verdict: give --lengths two or more.",
        ]
      : []),
    ...(tuning.length === 0
      ? [
          "Learning rates were not tuned. What suits one variant best may cost another, most of all where runs are short: give --tune to have them chosen.",
        ]
      : []),
    ...(Math.min(...lengths) < 1
      ? [
          `The shortest runs do not see all of the training part once (${list(lengths.filter((each) => each < 1).map(String))} passes).`,
        ]
      : []),
    ...(seeds.length < FEWEST_SEEDS
      ? [`${seeds.length} seeds are few: intervals are wide, and verdicts a first look.`]
      : []),
  ];
}
