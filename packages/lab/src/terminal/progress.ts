// The state of a sweep and what it looks like while it runs: a panel in a terminal, lines elsewhere. Pure functions.
import type { Job } from "../sweep/job.js";
import type { RunRecord } from "../sweep/record.js";
import { count, duration, percent } from "./format.js";

interface WorkerState {
  readonly variant: string;
  readonly seed: number;
  readonly step: number;
  readonly loss: number | null;
}

export interface SweepState {
  readonly total: number;
  readonly stepsPerRun: number;
  /** Runs that were there before this start. */
  readonly kept: number;
  /** Runs that ended since: finished or diverged. */
  readonly done: number;
  readonly failed: number;
  /** One per process; null while idle. */
  readonly workers: readonly (WorkerState | null)[];
}

export function startState(total: number, kept: number, stepsPerRun: number, slots: number): SweepState {
  return { total, kept, done: 0, failed: 0, stepsPerRun, workers: Array.from({ length: slots }, () => null) };
}

export type SweepEvent =
  | { readonly type: "started"; readonly slot: number; readonly job: Pick<Job, "variant" | "seed"> }
  | { readonly type: "progress"; readonly slot: number; readonly step: number; readonly loss: number }
  | { readonly type: "finished"; readonly slot: number }
  | { readonly type: "failed"; readonly slot: number };

/** The state after an event. */
export function advance(state: SweepState, event: SweepEvent): SweepState {
  const put = (worker: WorkerState | null): (WorkerState | null)[] =>
    state.workers.map((old, slot) => (slot === event.slot ? worker : old));
  const current = state.workers[event.slot];
  switch (event.type) {
    case "started":
      return {
        ...state,
        workers: put({ variant: event.job.variant, seed: event.job.seed, step: 0, loss: null }),
      };
    case "progress":
      return current ? { ...state, workers: put({ ...current, step: event.step, loss: event.loss }) } : state;
    case "finished":
      return { ...state, done: state.done + 1, workers: put(null) };
    case "failed":
      return { ...state, failed: state.failed + 1, workers: put(null) };
  }
}

/**
 * Seconds until the end, from the steps done since the start; null before there is anything to judge by.
 *
 * @param elapsed seconds since the start
 */
export function timeLeft(state: SweepState, elapsed: number): number | null {
  const ended = state.done + state.failed;
  const done = ended * state.stepsPerRun + stepsInHand(state);
  const left = (state.total - state.kept) * state.stepsPerRun - done;
  return done === 0 || elapsed < 1 ? null : (left / done) * elapsed;
}

const stepsInHand = ({ workers }: SweepState): number =>
  workers.reduce((sum, worker) => sum + (worker?.step ?? 0), 0);

/** The panel: a bar, then what every process is at. */
export function panelText(state: SweepState, elapsed: number): string {
  const { total, kept, done, failed, stepsPerRun } = state;
  const ended = kept + done + failed;
  const width = 30;
  const filled = Math.floor((width * (ended * stepsPerRun + stepsInHand(state))) / (total * stepsPerRun));
  const left = timeLeft(state, elapsed);
  const failures = failed > 0 ? `, ${failed} failed` : "";
  const head =
    `${"\u2588".repeat(filled)}${"\u2591".repeat(width - filled)}  ${ended} of ${count(total, "run")}${failures}, ` +
    `${duration(elapsed)} so far, ${left === null ? "estimating the time left" : `about ${duration(left)} left`}`;
  const lines = state.workers.flatMap((worker) => {
    if (worker === null) return [];
    const { variant, seed, step, loss } = worker;
    const place = `step ${String(step).padStart(String(stepsPerRun).length)} of ${stepsPerRun}`;
    return `  ${`${variant}, seed ${seed}`.padEnd(32)}  ${place}  ${loss === null ? "starting" : `loss ${loss.toFixed(3)}`}`;
  });
  return [head, ...lines].join("\n");
}

/** The line that a run leaves when it ends. */
export function runLine(state: SweepState, record: RunRecord, elapsed: number): string {
  const outcome =
    record.status === "diverged"
      ? `diverged at step ${record.divergedAt}`
      : `validation ${percent(record.validation.accuracy)}, test ${percent(record.test.accuracy)}, ` +
        `test loss ${record.test.loss.toFixed(4)}`;
  return `${position(state)} ${record.variant}, seed ${record.seed}: ${outcome} (${duration(record.seconds)}${remaining(state, elapsed)})`;
}

/** The line that a failed run leaves. */
export function failureLine(state: SweepState, job: Pick<Job, "variant" | "seed">, message: string): string {
  return `${position(state)} ${job.variant}, seed ${job.seed}: failed: ${message}`;
}

function position({ total, kept, done, failed }: SweepState): string {
  return `[${String(kept + done + failed).padStart(String(total).length)}/${total}]`;
}

function remaining(state: SweepState, elapsed: number): string {
  const left = timeLeft(state, elapsed);
  return left === null || left <= 0 ? "" : `, about ${duration(left)} left`;
}
