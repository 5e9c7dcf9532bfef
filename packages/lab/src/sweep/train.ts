// One run from start to end: build the model, train it, evaluate it. No files, no processes.
import { setImmediate as yieldToEvents } from "node:timers/promises";
import { activationFromJson } from "swiglu";
import { shapeOf } from "../config/shape.js";
import type { Config, VariantConfig } from "../config/types.js";
import { Trainer } from "../model/index.js";
import { type FinishedRun, type RunRecord, textOfLosses } from "../records/record.js";
import type { Run } from "../records/run.js";
import { messageOf, UserError } from "../system/errors.js";
import type { Outcome, Task } from "../tasks/common/task.js";
import type { Checkpoints, RunProgress } from "./checkpoint.js";
import { RunState } from "./run-state.js";
import { learningRateAt } from "./schedule.js";

/** The examples of a point of the validation curve, as a share of those trained on: all points are 2.5 % of the work. */
const VALIDATION_SHARE = 0.0075;

/** A run of a configuration, and the task that it learns. */
export interface Assignment extends Run {
  readonly config: Config;
  readonly task: Task;
}

/** Who else takes part in a run. */
export interface Companions {
  /** Called after every step with its number, from 1, and its loss. */
  readonly onStep?: (step: number, loss: number) => void;
  /** Where an earlier process left the run, and where this one may leave it. */
  readonly checkpoints?: Checkpoints;
  /**
   * Sees the model before the first step and after every one, with the length of that step's gradient; the run waits for
   * it, and ends when it throws.
   */
  readonly observe?: (trainer: Trainer, step: number, gradNorm?: number) => Promise<void>;
}

export interface TrainedRun {
  readonly record: RunRecord;
  /** The trained model as ONNX; undefined when the run diverged. */
  readonly model?: Uint8Array;
}

/**
 * Trains one variant under one seed; a loss or gradient that is not finite ends the run as diverged.
 * At one thread the result depends on the assignment alone, its times excepted.
 */
export async function trainRun(assignment: Assignment, companions: Companions = {}): Promise<TrainedRun> {
  const { config, variant, seed, task } = assignment;
  const resumed = companions.checkpoints?.resumed;
  const state = new RunState(config.steps, resumed);
  const trainer = await createTrainer(config, variantOf(config, variant));
  const diverged = (step: number): TrainedRun => ({
    record: { variant, seed, status: "diverged", divergedAt: step, ...state.ended(step) },
  });
  try {
    if (resumed === undefined) trainer.initialise(seed);
    else restore(trainer, resumed);
    const divergedAt = await trainSteps(trainer, state, assignment, companions);
    if (divergedAt !== undefined) return diverged(divergedAt);
    const outcome = await task.evaluate(trainer);
    if (!Number.isFinite(outcome.validation.loss + outcome.test.loss)) return diverged(config.steps);
    const record: FinishedRun = {
      variant,
      seed,
      status: "finished",
      ...measured(outcome),
      learned: trainer.trainedValues(),
      parameters: parametersOf(trainer),
      ...state.ended(config.steps),
    };
    return { record, model: trainer.inferenceModel() };
  } finally {
    await trainer.dispose();
  }
}

/**
 * Does the steps that are left of a run.
 *
 * @returns the step whose loss or gradient was not finite; undefined where all were
 */
async function trainSteps(
  trainer: Trainer,
  state: RunState,
  { config, variant, seed, task }: Assignment,
  { onStep, checkpoints, observe }: Companions,
): Promise<number | undefined> {
  const { steps, batch } = config;
  const { learningRate } = variantOf(config, variant);
  const done = trainer.state.steps;
  const batches = task.batches(seed, batch, done);
  const sample = task.validationBatch(Math.ceil(VALIDATION_SHARE * steps * batch));
  const progress = (): RunProgress => ({ state: trainer.state, ...state.progress() });
  await observe?.(trainer, done);
  for (let step = done + 1; step <= steps; step++) {
    const { inputs, labels } = batches.next().value;
    const rate = learningRateAt(step - 1, steps, learningRate);
    const { loss, gradNorm } = await state.timed(() => trainer.step(inputs, labels, rate));
    onStep?.(step, loss);
    if (!Number.isFinite(loss + gradNorm)) return step;
    await observe?.(trainer, step, gradNorm);
    state.addLoss(step, loss);
    if (state.isValidated(step)) {
      const validation = await trainer.evaluate(sample.inputs, sample.labels);
      if (!Number.isFinite(validation.loss)) return step;
      state.addValidationLoss(step, validation.loss);
    }
    await checkpoints?.offer(progress);
    await yieldToEvents(); // the engine blocks: let messages and a lost parent be noticed between steps
  }
  return undefined;
}

/** What a record keeps of a model's evaluation. */
const measured = ({ validation, test, testLosses, validationLosses, samples }: Outcome) => ({
  validation,
  test,
  testLosses: textOfLosses(testLosses),
  validationLosses: textOfLosses(validationLosses),
  ...(samples && { samples }),
});

/** How many parameters the model has. */
const parametersOf = (trainer: Trainer): number =>
  [...trainer.parameters().values()].reduce((sum, { length }) => sum + length, 0);

function restore(trainer: Trainer, { state }: RunProgress): void {
  try {
    trainer.restore(state);
  } catch (thrown) {
    throw new UserError(
      `its checkpoint is of another model (${messageOf(thrown)}): delete it to have the run trained anew`,
    );
  }
}

function variantOf({ variants }: Config, name: string): VariantConfig {
  const variant = variants.find((each) => each.name === name);
  if (variant === undefined) throw new Error(`the configuration has no variant ${name}`);
  return variant;
}

function createTrainer(config: Config, variant: VariantConfig): Promise<Trainer> {
  const { batch, weightDecay, clipNorm, threads } = config;
  const { name, activation, trained } = variant;
  return Trainer.create(
    { name, activation: activationFromJson(activation), trained },
    shapeOf(config, variant),
    { batch, weightDecay, clipNorm, threads },
  );
}
