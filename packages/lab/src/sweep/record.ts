// What one run (a variant trained under a seed) leaves behind, as JSON, and the check of such a file when it is read.

export interface Score {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Share of right answers, 0 to 1. */
  readonly accuracy: number;
}

/** Mean training loss over the steps since the point before. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
}

interface RunBase {
  readonly variant: string;
  readonly seed: number;
  readonly curve: readonly CurvePoint[];
  /** Training alone, without set-up and evaluation. */
  readonly stepsPerSecond: number;
  /** The whole run. */
  readonly seconds: number;
}

export interface FinishedRun extends RunBase {
  readonly status: "finished";
  readonly validation: Score;
  readonly test: Score;
  /** Trained activation parameters, one value per block, as { beta: [1.03, 0.97] }; {} when none are trained. */
  readonly learned: Readonly<Record<string, readonly number[]>>;
  /** Parameters of the whole model. */
  readonly parameters: number;
}

export interface DivergedRun extends RunBase {
  readonly status: "diverged";
  /** The step, from 1, whose loss or gradient was not finite. */
  readonly divergedAt: number;
}

export type RunRecord = FinishedRun | DivergedRun;

/** The name of a run, unique in its sweep: `swiglu-2`. */
export const runKey = (variant: string, seed: number): string => `${variant}-${seed}`;

/** Whether parsed JSON is a record: enough of a check that statistics and report can rely on it. */
export function isRunRecord(json: unknown): json is RunRecord {
  if (!isObject(json)) return false;
  const { variant, seed, curve, status } = json;
  const base =
    typeof variant === "string" &&
    isNumber(seed) &&
    Array.isArray(curve) &&
    curve.every((point: unknown) => isObject(point) && isNumber(point.step) && isNumber(point.loss)) &&
    isNumber(json.stepsPerSecond) &&
    isNumber(json.seconds);
  if (!base) return false;
  if (status === "diverged") return isNumber(json.divergedAt);
  return (
    status === "finished" &&
    isScore(json.validation) &&
    isScore(json.test) &&
    isNumber(json.parameters) &&
    isObject(json.learned) &&
    Object.values(json.learned).every((values) => Array.isArray(values) && values.every(isNumber))
  );
}

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null;
const isNumber = (json: unknown): json is number => typeof json === "number" && Number.isFinite(json);
const isScore = (json: unknown): json is Score =>
  isObject(json) && isNumber(json.loss) && isNumber(json.accuracy);
