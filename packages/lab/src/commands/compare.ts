// swiglu-lab compare: from options to a sweep (and to those that tune learning rates before it), and from its records to
// tables, results.json, report.html and best.onnx.
import { isStudyPreset } from "../config/presets.js";
import type { Config } from "../config/types.js";
import { analyse } from "../statistics/analysis.js";
import { describeWaiting } from "../statistics/load.js";
import { describeMatched, type Matched, matchCosts } from "../statistics/matched.js";
import { describeScore, metricOf } from "../statistics/metric.js";
import { type Summary, summarise } from "../statistics/summary.js";
import { describeTuning, type Tuning } from "../statistics/tuning.js";
import { describe, type Findings } from "../statistics/words.js";
import { UserError } from "../system/errors.js";
import { print } from "../terminal/output.js";
import { tuningOutcomeText } from "../terminal/progress.js";
import { heading, wrap } from "../terminal/style.js";
import { matchedTable, rankingTable, runTable, tuningTable } from "../terminal/tables.js";
import { type CompareOptions, type Plan, planOf, prepare } from "./plan.js";
import { untilInterrupted } from "./signals.js";
import { type Trained, train } from "./train.js";
import { tune, tunedRates } from "./tune.js";

/**
 * Runs the comparison.
 *
 * @param options all of them, defaults included
 * @param given the names of those that the user gave
 * @returns the exit code: 0; 1 when a run failed or none finished; 128 + the signal's number when interrupted
 */
export async function compare(
  options: CompareOptions,
  given: readonly (keyof CompareOptions)[],
): Promise<number> {
  if (isStudy(options)) {
    const { study, studyOf } = await import("./study.js");
    if (options.plan !== true) return await study(options, given);
    const { printPlan } = await import("./study-plan.js");
    await printPlan(await studyOf(options, given));
    return 0;
  }
  if (options.plan === true)
    throw new UserError("--plan is for --lengths and --sizes, and presets with them.");
  const plan = planOf(await prepare(options, given));
  const { result, code } = await untilInterrupted((aborted) => carryOut(plan, aborted));
  if (result === undefined) return code;
  const { config, tuning, folder, records } = result;
  const summary = summarise(config, records);
  const analysis = analyse(config, records, plan.task.testPart);
  const findings = describe(summary, config, analysis, tuning !== undefined);
  const matched = matchCosts(config, records);
  const everything = {
    config,
    task: plan.task,
    tuning,
    records,
    summary,
    findings,
    analysis,
    matched,
    isFixed: plan.isFixed,
  };
  // What draws takes as long to load as all the rest: not before it is needed.
  const { writeResults } = await import("../report/results.js");
  const { best, report } = await writeResults(folder, everything);
  printResults(config, summary, findings);
  if (matched !== undefined) printMatched(matched, describeWaiting(config.steps, records));
  print(`${heading("\nRuns")}\n${runTable(records, config.task)}`);
  if (best !== null) {
    print(
      `\nBest model by validation loss: ${best.variant}, seed ${best.seed} (${describeScore(best.validation)}), saved as ${folder}/${best.file}; ` +
        `loaded again, ${best.checked}.`,
    );
  }
  print(`Report: ${report}`);
  return summary.missing > 0 || best === null ? 1 : 0;
}

/** Whether several lengths or sizes are asked for. */
const isStudy = ({ lengths, sizes, preset }: CompareOptions): boolean =>
  lengths !== undefined || sizes !== undefined || (preset !== undefined && isStudyPreset(preset));

interface Outcome extends Trained {
  readonly config: Config;
  readonly tuning: Tuning | undefined;
}

/** The sweep, after those that tune where there are any; undefined when interrupted. */
async function carryOut(
  { grid, place, opening, configAt }: Plan,
  aborted: AbortSignal,
): Promise<Outcome | undefined> {
  const round = (config: Config, text: string): Promise<Trained | undefined> =>
    train(config, text, place, aborted, tuningOutcomeText);
  const tuning = grid && (await tune(grid, opening, round));
  if (grid !== undefined && tuning === undefined) return undefined;
  const config = configAt(tuning && tunedRates(tuning));
  const text = tuning === undefined ? opening : tuningText(tuning);
  const trained = await train(config, text, place, aborted);
  return trained && { config, tuning, ...trained };
}

const tuningText = (tuning: Tuning): string =>
  [
    heading("\nTuned learning rates, by mean validation loss"),
    tuningTable(tuning),
    ...describeTuning(tuning).map(wrap),
    heading("\nThe comparison, at the best rate of each variant"),
  ].join("\n");

/** The verdicts first. */
function printResults({ task }: Config, summary: Summary, findings: Findings): void {
  const intervals = summary.ranking.some(({ test }) => test?.metric.half != null);
  if (findings.primary.length > 0)
    print(`${heading("\nPrimary questions")}\n${findings.primary.map(wrap).join("\n")}`);
  for (const warning of findings.warnings) print(`\n${wrap(warning)}`);
  print(
    heading(`\nRanking, by mean test ${metricOf(task).name}`) +
      (intervals ? " (with 95 % intervals over seeds)" : ""),
  );
  print(rankingTable(summary, task));
  print(`${heading("\nWhat this shows")}\n${findings.shown.map(wrap).join("\n")}`);
  print(`${heading("\nWhat it cannot show")}\n${findings.limits.map(wrap).join("\n")}`);
}

function printMatched(matched: Matched, warnings: readonly string[]): void {
  print(`${heading("\nAt equal cost")}\n${matchedTable(matched)}`);
  print([...warnings, ...describeMatched(matched)].map(wrap).join("\n"));
}
