// What one run (a variant trained under a seed) leaves behind, as JSON, and the check of such a file when it is read.
import { activationFromJson } from "swiglu";
import { z } from "zod";
import { type Checked, problemOf } from "../config/schema.js";
import type { Config } from "../config/types.js";
import type { Sample, Score } from "../tasks/common/score.js";
import { definitionOf, tasks } from "../tasks/registry.js";
import type { Run } from "./run.js";

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

/** Larger losses than float32 has are no losses; a bound on all numbers keeps what is computed of them finite. */
const number = z
  .number()
  .min(-(2 ** 128))
  .max(2 ** 128);
const loss = number.nonnegative();
const count = z
  .int()
  .positive()
  .max(2 ** 40);

/** The figures that scores of some task have beside the loss. */
const figures = Object.values(tasks).flatMap(({ figures }) =>
  Object.entries(figures).map(
    ([name, largest]) => [name, z.number().min(0).max(largest).optional()] as const,
  ),
);

const score = z.strictObject({ loss, ...Object.fromEntries(figures) });

export const curveSchema = z
  .array(z.strictObject({ step: count, loss }))
  .refine((points) => points.every(({ step }, i) => i === 0 || step > points[i - 1]!.step), {
    message: "its steps do not rise",
  });

const base = {
  variant: z.string().min(1),
  seed: z.int().nonnegative(),
  curve: curveSchema,
  validationCurve: curveSchema,
  stepsPerSecond: loss,
  cpuSeconds: loss,
  seconds: loss,
  machine: z.string().max(1000).optional(),
};

const losses = z.string().refine(isLosses, { message: "expected float32 numbers from 0 in base64" });

/** The schema of a record, of whatever run. */
const schema = z.discriminatedUnion("status", [
  z.strictObject({
    ...base,
    status: z.literal("finished"),
    validation: score,
    test: score,
    testLosses: losses,
    validationLosses: losses.optional(),
    samples: z
      .array(z.strictObject({ source: z.string(), reference: z.string(), output: z.string() }))
      .optional(),
    learned: z.record(z.string(), z.array(number).min(1)),
    parameters: count,
  }),
  z.strictObject({ ...base, status: z.literal("diverged"), divergedAt: count }),
]);

function isLosses(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return (
    bytes.length % 4 === 0 &&
    bytes.toString("base64") === text &&
    lossesOfText(text).every((each) => each >= 0 && each < Number.POSITIVE_INFINITY)
  );
}

/** Whether parsed JSON is a record, of whatever run. */
export const isRunRecord = (json: unknown): json is RunRecord => schema.safeParse(json).success;

/** Checks that parsed JSON is the record of this run of a configuration, so that statistics and report can rely on it. */
export function checkRecord(json: unknown, config: Config, run: Run): Checked<RunRecord> {
  const { error } = schema.safeParse(json);
  if (error !== undefined) return { problem: problemOf(error) };
  const record = json as RunRecord; // as it came, keys in their order: what is read is written again bit for bit
  const problem = misfitOf(record, config, run);
  return problem === undefined ? { value: record } : { problem };
}

/** What does not fit in a record that is one. */
function misfitOf(record: RunRecord, config: Config, run: Run): string | undefined {
  const { steps, depth } = config;
  if (record.variant !== run.variant || record.seed !== run.seed)
    return `it is of ${record.variant}, seed ${record.seed}`;
  if ([...record.curve, ...record.validationCurve].some(({ step }) => step > steps))
    return `curve: it goes beyond the ${steps} steps of a run`;
  if (record.status === "diverged")
    return record.divergedAt > steps ? `divergedAt: a run has ${steps} steps` : undefined;
  const { testLosses, validationLosses, validation, test, learned, validationCurve } = record;
  if (record.curve.length === 0) return "curve: it is empty";
  for (const figure of Object.keys(definitionOf(config).figures))
    for (const [part, each] of Object.entries({ validation, test }))
      if (each[figure] === undefined) return `${part}.${figure}: it is missing`;
  const { examples } = config.data;
  for (const [name, text, expected] of [
    ["testLosses", testLosses, examples.test],
    ["validationLosses", validationLosses, examples.validation],
  ] as const) {
    const found = text === undefined ? expected : lossesOfText(text).length;
    if (found !== expected) return `${name}: ${found} numbers, expected one for each of ${expected} examples`;
  }
  if (validationCurve.at(-1)?.step !== steps) return `validationCurve: it does not end at step ${steps}`;
  const variant = config.variants.find(({ name }) => name === run.variant);
  if (variant === undefined) return `the configuration has no variant ${run.variant}`;
  const own = variant.trained ? Object.keys(activationFromJson(variant.activation).parameters) : [];
  const isLearned = ([name, values]: [string, readonly number[]]): boolean =>
    own.includes(name) && values.length === depth;
  if (Object.keys(learned).length !== own.length || !Object.entries(learned).every(isLearned))
    return `learned: expected ${own.length === 0 ? "nothing" : `${own.join(" and ")}, ${depth} values each`}`;
  return undefined;
}

/** Losses in the form that records keep them in. */
export const textOfLosses = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

/** Losses that a record keeps. */
export const lossesOfText = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
