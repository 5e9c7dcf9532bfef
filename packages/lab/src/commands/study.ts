// swiglu-lab compare --lengths, --sizes: the same comparison at several lengths and widths, each a sweep in a folder of its own, and
// study.json, which is written again whenever one of them is finished.
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { activationFromJson } from "swiglu";
import { canonicalJson } from "../config/config.js";
import type { LearningRates } from "../config/learning-rates.js";
import { shapeOf } from "../config/shape.js";
import type { Config } from "../config/types.js";
import { parameterSpecs } from "../model/index.js";
import { chooseRates, type RateChoice } from "../statistics/rate-choice.js";
import { parseRising, stepsOf, tunedFor, verdictLength } from "../study/lengths.js";
import { cellRecord, studyJson, studyRecord, tuningRecord } from "../study/record.js";
import type { CellRecord, StudyRecord, TuningRecord } from "../study/types.js";
import { writeResult } from "../sweep/folder.js";
import { describeEnvironment, environment } from "../system/environment.js";
import { UserError } from "../system/errors.js";
import { print } from "../terminal/output.js";
import { tuningOutcomeText } from "../terminal/progress.js";
import { heading, wrap } from "../terminal/style.js";
import { count } from "../words/format.js";
import { type CompareOptions, type Plan, type Prepared, planOf, prepare } from "./plan.js";
import { untilInterrupted } from "./signals.js";
import { type Trained, train } from "./train.js";
import { tuneRounds } from "./tune.js";

/** One width and length: an ordinary comparison. */
export interface Cell {
  readonly width: number;
  readonly length: number;
  readonly steps: number;
  readonly parameters: number;
  readonly plan: Plan;
  /** The length whose tuning gives the rates; null where nothing is tuned. */
  readonly tunedAt: number | null;
}

export interface Study {
  readonly prepared: Prepared;
  readonly folder: string;
  readonly widths: readonly number[];
  readonly lengths: readonly number[];
  /** Width by width, lengths rising. */
  readonly cells: readonly Cell[];
}

const TUNE_SEEDS = "4";

/** What the options ask for, checked; nothing is printed or written. */
export async function studyOf(all: CompareOptions, given: readonly (keyof CompareOptions)[]): Promise<Study> {
  if (given.includes("steps")) {
    throw new UserError("--steps and --lengths are both given: lengths are passes over the training part.");
  }
  const prepared = await prepare(all, given, TUNE_SEEDS);
  const { options, settings, task, variants, seeds, tuning, place } = prepared;
  const lengths = parseRising(options.lengths ?? "1", "--lengths", "0.5,1,2");
  const widths =
    options.sizes === undefined ? [settings.width] : parseRising(options.sizes, "--sizes", "32,64,128");
  const fractional = widths.find((width) => !Number.isInteger(width));
  if (fractional !== undefined) throw new UserError(`--sizes has ${fractional}: expected whole numbers.`);
  const tuned =
    options.tuneLengths === undefined
      ? [verdictLength(lengths)]
      : parseRising(options.tuneLengths, "--tune-lengths", "1,2");
  const stranger = tuned.find((length) => !lengths.includes(length));
  if (stranger !== undefined) {
    throw new UserError(`--tune-lengths has ${stranger}, which --lengths has not: ${lengths.join(", ")}.`);
  }
  const base = parametersOf(planOf(prepared).configAt());
  const cells = widths.flatMap((width) => {
    const parameters = parametersOf(planOf(prepared, { width }).configAt());
    return lengths.map((length): Cell => {
      const { examples } = task.config.data;
      const steps = stepsOf(length, examples.train, settings.batch, parameters / base);
      const plan = planOf(prepared, { width, steps });
      return { width, length, steps, parameters, plan, tunedAt: tuning ? tunedFor(length, tuned) : null };
    });
  });
  const names = variants.map(({ name }) => name);
  const identity = { ...settings, names, seeds, widths, lengths, tuned, tuning, data: task.config };
  const hash = createHash("sha256").update(canonicalJson(identity)).digest("hex").slice(0, 10);
  const data = task.config.data.name.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "data";
  return { prepared, folder: join(place.out, `${data}-study-${hash}`), widths, lengths, cells };
}

/**
 * Carries a study out.
 *
 * @returns the exit code: 0; 1 when a run failed; 128 + the signal's number when interrupted
 */
export async function study(all: CompareOptions, given: readonly (keyof CompareOptions)[]): Promise<number> {
  const asked = await studyOf(all, given);
  print(openingOf(asked));
  const { result, code } = await untilInterrupted((aborted) => carryOut(asked, aborted));
  if (result === undefined) return code;
  const { writeStudyReport } = await import("../study/report.js");
  const { text, report } = await writeStudyReport(asked.folder, result);
  print(text);
  print(`Report: ${report}; figures: ${join(asked.folder, "study.json")}`);
  const runs = asked.prepared.variants.length * asked.prepared.seeds.length;
  return result.cells.some((cell) => cell.runs.length < runs) ? 1 : 0;
}

function openingOf({ prepared, widths, lengths, cells }: Study): string {
  const { variants, seeds, task, tuning, remarks } = prepared;
  const steps = cells.map((cell) => cell.steps);
  return [
    heading(
      `${count(variants.length, "variant")} x ${count(seeds.length, "seed")} at ${count(lengths.length, "length")}` +
        `${widths.length > 1 ? ` and ${count(widths.length, "width")}` : ""} on ${task.config.data.name}`,
    ),
    wrap(task.introduction),
    wrap(
      `Lengths: ${lengths.join(", ")} passes over the training part, each a full run with its own schedule, ` +
        `${Math.min(...steps)} to ${Math.max(...steps)} steps.` +
        (tuning === undefined
          ? " Learning rates are as given."
          : ` Learning rates are tuned under the seeds ${tuning.seeds.join(", ")}, which are never counted.`),
    ),
    ...remarks.map(wrap),
  ].join("\n");
}

async function carryOut(asked: Study, aborted: AbortSignal): Promise<StudyRecord | undefined> {
  const { prepared, folder, cells } = asked;
  const { place, task } = prepared;
  mkdirSync(folder, { recursive: true });
  const names = prepared.variants.map(({ name }) => name);
  const tunings: TuningRecord[] = [];
  const finished: CellRecord[] = [];
  const choices = new Map<string, RateChoice>();
  const save = async (): Promise<StudyRecord> => {
    const machine = describeEnvironment(environment());
    const record = studyRecord({ ...asked, ...prepared, task, tuning: tunings, cells: finished, machine });
    await writeResult(folder, "study.json", studyJson(record));
    return record;
  };
  for (const cell of cells) {
    const { width, length, tunedAt, plan } = cell;
    const key = `${width} ${tunedAt}`;
    if (tunedAt !== null && !choices.has(key)) {
      const tuned = cells.find((each) => each.width === width && each.length === tunedAt)!;
      const opening = heading(`\nTuning at width ${width}, length ${tunedAt}: ${tuned.steps} steps`);
      const round = (config: Config, text: string): Promise<Trained | undefined> =>
        train(config, text, place, aborted, tuningOutcomeText);
      const rounds = await tuneRounds(tuned.plan.grid!, opening, round);
      if (rounds === undefined) return undefined;
      const record = tuningRecord(tuned, rounds, tuned.plan.grid!, names);
      tunings.push(record);
      choices.set(key, choiceOf(record));
      print(wrap(describeChoice(names, choices.get(key)!)));
    }
    const config = plan.configAt(ratesFor(names, choices.get(key)));
    const text = heading(`\nWidth ${width}, length ${length}: ${cell.steps} steps`);
    const trained = await train(config, text, place, aborted);
    if (trained === undefined) return undefined;
    finished.push(cellRecord(cell, config, trained.records, task));
    await save();
  }
  return await save();
}

/** The rates that some tuning gives. */
export const choiceOf = ({ rates, variants }: TuningRecord): RateChoice =>
  chooseRates(
    rates,
    variants.map(({ losses }) =>
      losses.map((seeds) => seeds.map((loss) => loss ?? Number.POSITIVE_INFINITY)),
    ),
  );

export const ratesFor = (
  names: readonly string[],
  choice: RateChoice | undefined,
): LearningRates | undefined =>
  choice && {
    rate: choice.rates[0]!,
    of: Object.fromEntries(names.map((name, i) => [name, choice.rates[i]!])),
  };

function describeChoice(names: readonly string[], { common, own, p }: RateChoice): string {
  const minima = names.map((name, i) => `${name} ${own[i]}`).join(", ");
  const test = p === null ? "" : ` (p = ${p.toFixed(3)} for no difference)`;
  return common === null
    ? `Each variant gets its own rate: ${minima}${test}.`
    : `The rates cannot be told apart${test}: all variants get ${common}. Their own minima: ${minima}.`;
}

function parametersOf(config: Config): number {
  const first = config.variants[0]!;
  const variant = {
    name: first.name,
    trained: first.trained,
    activation: activationFromJson(first.activation),
  };
  return parameterSpecs(variant, shapeOf(config, first)).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
}
