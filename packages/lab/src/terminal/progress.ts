// The state of a sweep and what it looks like while it runs: a panel in a terminal, lines elsewhere. Pure functions.
import type { Config } from "../config/types.js";
import { type CurvePoint, type RunRecord, runKey } from "../records/record.js";
import type { Run } from "../records/run.js";
import { describeScore } from "../statistics/metric.js";
import { count, duration } from "../words/format.js";
import { emptyTrace, sparkline, type Trace, traced } from "./sparkline.js";

/** Columns of a sparkline. */
const TRACE_COLUMNS = 20;

/** A run in somebody's hands. */
interface ActiveRun extends Run {
  readonly step: number;
  /** Steps that were done before, by a process that was interrupted. */
  readonly from: number;
  readonly loss: number | null;
  readonly trace: Trace;
}

/** How a run looks in the overview. */
const MARKS = { finished: "\u25cf", diverged: "\u25cb", failed: "\u00d7", active: "\u25b6", ahead: "\u00b7" };

export interface SweepState {
  readonly variants: readonly string[];
  readonly seeds: readonly number[];
  readonly stepsPerRun: number;
  /** Runs that were there before this start. */
  readonly kept: number;
  /** How runs ended, by key: those that were there before, too. */
  readonly ended: ReadonlyMap<string, "finished" | "diverged" | "failed">;
  /** Steps since this start in runs that ended. */
  readonly stepsEnded: number;
  /** In the order in which they started. */
  readonly active: readonly ActiveRun[];
}

export function startState(
  { variants, seeds, steps }: Pick<Config, "variants" | "seeds" | "steps">,
  kept: readonly RunRecord[],
): SweepState {
  return {
    variants: variants.map(({ name }) => name),
    seeds,
    stepsPerRun: steps,
    kept: kept.length,
    ended: new Map(kept.map((record) => [keyOf(record), record.status])),
    stepsEnded: 0,
    active: [],
  };
}

export type SweepEvent =
  | { readonly type: "started"; readonly run: Run }
  | {
      readonly type: "resumed";
      readonly run: Run;
      readonly step: number;
      readonly curve: readonly CurvePoint[];
    }
  | { readonly type: "progress"; readonly run: Run; readonly step: number; readonly loss: number }
  | { readonly type: "returned"; readonly run: Run }
  | { readonly type: "ended"; readonly run: Run; readonly how: "finished" | "diverged" | "failed" };

/** The state after an event. */
export function advance(state: SweepState, event: SweepEvent): SweepState {
  const { stepsPerRun } = state;
  const { variant, seed } = event.run;
  const key = keyOf(event.run);
  const others = state.active.filter((run) => keyOf(run) !== key);
  const change = (update: (run: ActiveRun) => ActiveRun): SweepState => ({
    ...state,
    active: state.active.map((run) => (keyOf(run) === key ? update(run) : run)),
  });
  switch (event.type) {
    case "started": {
      const run = { variant, seed, step: 0, from: 0, loss: null, trace: emptyTrace(TRACE_COLUMNS) };
      return { ...state, active: [...others, run] };
    }
    case "resumed": {
      const { step, curve } = event;
      return change((run) => ({
        ...run,
        step,
        from: step,
        trace: curve.reduce((trace, point) => traced(trace, point.step, stepsPerRun, point.loss), run.trace),
      }));
    }
    case "progress": {
      const { step, loss } = event;
      return change((run) => ({ ...run, step, loss, trace: traced(run.trace, step, stepsPerRun, loss) }));
    }
    case "returned":
      return { ...state, active: others };
    case "ended": {
      const from = state.active.find((run) => keyOf(run) === key)?.from ?? 0;
      return {
        ...state,
        ended: new Map(state.ended).set(key, event.how),
        stepsEnded: state.stepsEnded + stepsPerRun - from,
        active: others,
      };
    }
  }
}

/**
 * Seconds until the end, from the steps done since the start; null before there is anything to judge by.
 *
 * @param elapsed seconds since the start
 */
export function timeLeft(state: SweepState, elapsed: number): number | null {
  const { stepsEnded, stepsPerRun, active } = state;
  const done = stepsEnded + active.reduce((sum, { step, from }) => sum + step - from, 0);
  const left = (totalOf(state) - state.ended.size) * stepsPerRun - stepsInHand(state);
  return done === 0 || elapsed < 1 ? null : (left / done) * elapsed;
}

const totalOf = ({ variants, seeds }: SweepState): number => variants.length * seeds.length;

const stepsInHand = ({ active }: SweepState): number => active.reduce((sum, { step }) => sum + step, 0);

const keyOf = ({ variant, seed }: Run): string => runKey(variant, seed);

/** The panel: a bar, every run as a mark where there is room for that, and what is in hand with its losses so far. */
export function panelText(state: SweepState, elapsed: number, { rows = 24, columns = 80 } = {}): string {
  const bar = headLine(state, elapsed);
  const active = state.active.map((run) => activeLine(run, state.stepsPerRun));
  const overview = overviewLines(state);
  const room = rows - active.length - 3; // the line of the cursor, and the two between the parts
  const isRoom = overview.length < room && overview.every((line) => line.length < columns);
  const lines = isRoom ? [bar, "", ...overview, "", ...active] : [bar, ...active];
  return lines
    .slice(0, rows - 1)
    .map((line) => line.slice(0, columns - 1).trimEnd())
    .join("\n");
}

function headLine(state: SweepState, elapsed: number): string {
  const { ended, stepsPerRun } = state;
  const total = totalOf(state);
  const width = 30;
  const filled = Math.floor(
    (width * (ended.size * stepsPerRun + stepsInHand(state))) / (total * stepsPerRun),
  );
  const failed = [...ended.values()].filter((how) => how === "failed").length;
  const left = timeLeft(state, elapsed);
  return (
    `${"\u2588".repeat(filled)}${"\u2591".repeat(width - filled)}  ` +
    `${ended.size} of ${count(total, "run")}${failed > 0 ? `, ${failed} failed` : ""}, ` +
    `${duration(elapsed)} so far, ${left === null ? "estimating the time left" : `about ${duration(left)} left`}`
  );
}

/** A line for each variant, with a mark for each seed. */
function overviewLines({ variants, seeds, ended, active }: SweepState): string[] {
  const inHand = new Set(active.map(keyOf));
  const width = Math.max(...variants.map(({ length }) => length));
  return variants.map((variant) => {
    const marks = seeds.map((seed) => {
      const key = runKey(variant, seed);
      return MARKS[inHand.has(key) ? "active" : (ended.get(key) ?? "ahead")];
    });
    return `  ${variant.padEnd(width)}  ${marks.join("")}`;
  });
}

function activeLine({ variant, seed, step, loss, trace }: ActiveRun, stepsPerRun: number): string {
  const place = `step ${String(step).padStart(String(stepsPerRun).length)} of ${stepsPerRun}`;
  const value = loss === null ? (step === 0 ? "starting" : "going on") : `loss ${loss.toFixed(3)}`;
  return `  ${`${variant}, seed ${seed}`.padEnd(24)}  ${place}  ${sparkline(trace)}  ${value}`;
}

/** The line that a run leaves when it ends. */
export function runLine(
  state: SweepState,
  record: RunRecord,
  elapsed: number,
  outcomeOf: OutcomeText = outcomeText,
): string {
  const left = timeLeft(state, elapsed);
  const remaining = left === null || left <= 0 ? "" : `, about ${duration(left)} left`;
  const { variant, seed, seconds } = record;
  return `${position(state)} ${variant}, seed ${seed}: ${outcomeOf(record)} (${duration(seconds)}${remaining})`;
}

/** What became of a run, in words. */
export type OutcomeText = (record: RunRecord) => string;

/** What is said of a run that is compared. */
export function outcomeText(record: RunRecord): string {
  if (record.status === "diverged") return `diverged at step ${record.divergedAt}`;
  const { validation, test } = record;
  const loss = test.accuracy === undefined ? "" : `, test loss ${test.loss.toFixed(4)}`;
  return `validation ${describeScore(validation)}, test ${describeScore(test)}${loss}`;
}

/** What is said of a run that serves to choose a learning rate: the loss that chooses, and nothing of the test part. */
export function tuningOutcomeText(record: RunRecord): string {
  if (record.status === "diverged") return outcomeText(record);
  return `validation loss ${record.validation.loss.toFixed(4)}`;
}

/** The line that a failed run leaves. */
export function failureLine(state: SweepState, run: Run, message: string): string {
  return `${position(state)} ${run.variant}, seed ${run.seed}: failed: ${message}`;
}

/** The line of a run that goes on where an interrupted process left it. */
export const resumedLine = ({ stepsPerRun }: SweepState, { variant, seed }: Run, step: number): string =>
  `${variant}, seed ${seed}: goes on after step ${step} of ${stepsPerRun}`;

/** The line of something to know about a run that goes on. */
export const remarkLine = ({ variant, seed }: Run, message: string): string =>
  `${variant}, seed ${seed}: ${message}`;

function position(state: SweepState): string {
  const total = totalOf(state);
  return `[${String(state.ended.size).padStart(String(total).length)}/${total}]`;
}
