// What one run (a variant trained under a seed) leaves behind, as JSON, and the check of such a file when it is read.

/** How well a model does on one part of the data; what a task does not measure is missing. */
export interface Score {
  /** Mean cross-entropy in nats: of an image, or of a token. */
  readonly loss: number;
  /** Share of images that are labelled rightly, 0 to 1. */
  readonly accuracy?: number;
  /** Cross-entropy in bits for every byte of the text. */
  readonly bitsPerByte?: number;
  /** Of translations, 0 to 100. */
  readonly chrf?: number;
  readonly bleu?: number;
}

/** A translation that a model made. */
export interface Sample {
  readonly source: string;
  readonly reference: string;
  readonly output: string;
}

/** A loss after some steps. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
}

interface RunBase {
  readonly variant: string;
  readonly seed: number;
  /** The mean training loss over the steps since the point before. */
  readonly curve: readonly CurvePoint[];
  /** The loss on a fixed sample of the validation part, at ten places of the run. */
  readonly validationCurve: readonly CurvePoint[];
  /** Training alone, without set-up and evaluation. */
  readonly stepsPerSecond: number;
  /** Processor time of training alone, which other work on the machine changes less than the time on the clock. */
  readonly cpuSeconds: number;
  /** The whole run. */
  readonly seconds: number;
  /** What it was made on; records of before 0.2.0 do not say. */
  readonly machine?: string;
}

export interface FinishedRun extends RunBase {
  readonly status: "finished";
  readonly validation: Score;
  readonly test: Score;
  /** The cross-entropy of every test example in nats, summed over its tokens: base64 of float32, little-endian; `lossesOfText` reads it. */
  readonly testLosses: string;
  /** The same of every validation example; records of before the second edition lack it. */
  readonly validationLosses?: string;
  readonly samples?: readonly Sample[];
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
  const { variant, seed, curve, validationCurve, status } = json;
  const base =
    typeof variant === "string" &&
    isNumber(seed) &&
    isCurve(curve) &&
    isCurve(validationCurve) &&
    isNumber(json.stepsPerSecond) &&
    isNumber(json.cpuSeconds) &&
    isNumber(json.seconds) &&
    (json.machine === undefined || typeof json.machine === "string");
  if (!base) return false;
  if (status === "diverged") return isNumber(json.divergedAt);
  return (
    status === "finished" &&
    isScore(json.validation) &&
    isScore(json.test) &&
    typeof json.testLosses === "string" &&
    (json.validationLosses === undefined || typeof json.validationLosses === "string") &&
    isNumber(json.parameters) &&
    isObject(json.learned) &&
    Object.values(json.learned).every((values) => Array.isArray(values) && values.every(isNumber))
  );
}

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null;
const isNumber = (json: unknown): json is number => typeof json === "number" && Number.isFinite(json);
const isCurve = (json: unknown): boolean =>
  Array.isArray(json) &&
  json.every((point) => isObject(point) && isNumber(point.step) && isNumber(point.loss));
const isScore = (json: unknown): json is Score =>
  isObject(json) && isNumber(json.loss) && Object.values(json).every(isNumber);

/** Losses in the form that records keep them in. */
export const textOfLosses = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

/** Losses that a record keeps. */
export const lossesOfText = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
