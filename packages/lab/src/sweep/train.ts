// One run from start to end: build the model, train it, evaluate it. No files, no processes.

import { setImmediate as yieldToEvents } from "node:timers/promises";
import { activationFromJson } from "swiglu";
import { shapeOf } from "../config/shape.js";
import type { Config, VariantConfig } from "../config/types.js";
import { describeEnvironment, environment } from "../environment.js";
import { messageOf, UserError } from "../errors.js";
import { Trainer } from "../model/index.js";
import { type CurvePoint, type RunRecord, textOfLosses } from "../records/record.js";
import type { Task } from "../tasks/common/task.js";
import type { Checkpoints, RunProgress } from "./checkpoint.js";
import { learningRateAt } from "./schedule.js";

/** Points on a learning curve, and on that of the validation loss. */
const CURVE_POINTS = 40;
const VALIDATION_POINTS = 10;

/** The examples of a point of the validation curve, as a share of those trained on: all points are 2.5 % of the work. */
const VALIDATION_SHARE = 0.0075;

/** Sees the model after `step` steps, the last of which had a gradient of this length. */
type Observe = (trainer: Trainer, step: number, gradNorm?: number) => Promise<void>;

export interface TrainedRun {
  readonly record: RunRecord;
  /** The trained model as ONNX; undefined when the run diverged. */
  readonly model?: Uint8Array;
}

/**
 * Trains one variant under one seed; a loss or gradient that is not finite ends the run as diverged.
 * At one thread the result depends on the arguments alone, its times excepted.
 *
 * @param onStep called after every step with its number, from 1, and its loss
 * @param checkpoints where an earlier process left the run, and where this one may
 * @param observe called before the first step and after every one; the run waits for it, and ends when it throws
 */
export async function trainRun(
  config: Config,
  variantName: string,
  seed: number,
  task: Task,
  onStep: (step: number, loss: number) => void,
  checkpoints?: Checkpoints,
  observe?: Observe,
): Promise<TrainedRun> {
  const resumed = checkpoints?.resumed;
  const began = performance.now() - (resumed?.elapsed ?? 0);
  const variant = config.variants.find(({ name }) => name === variantName);
  if (variant === undefined) throw new Error(`the configuration has no variant ${variantName}`);
  const { learningRate } = variant;
  const trainer = await createTrainer(config, variant);
  try {
    if (resumed === undefined) trainer.initialise(seed);
    else restore(trainer, resumed);
    const done = trainer.state.steps;
    const batches = task.batches(seed, config.batch, done);
    const curve: CurvePoint[] = [...(resumed?.curve ?? [])];
    const validationCurve: CurvePoint[] = [...(resumed?.validationCurve ?? [])];
    const sample = task.validationBatch(Math.ceil(VALIDATION_SHARE * config.steps * config.batch));
    const window = Math.ceil(config.steps / CURVE_POINTS);
    let { sum, since, trainingTime, cpuTime } = resumed ?? { sum: 0, since: 0, trainingTime: 0, cpuTime: 0 };
    const elapsed = (): number => performance.now() - began;
    const progress = (): RunProgress => ({
      state: trainer.state,
      curve,
      validationCurve,
      sum,
      since,
      trainingTime,
      cpuTime,
      elapsed: elapsed(),
    });
    const timing = (steps: number) => ({
      stepsPerSecond: steps / (trainingTime / 1000),
      cpuSeconds: cpuTime / 1000,
      seconds: elapsed() / 1000,
      machine: describeEnvironment(environment()),
    });
    const diverged = (step: number): RunRecord => ({
      variant: variantName,
      seed,
      status: "diverged",
      divergedAt: step,
      curve,
      validationCurve,
      ...timing(step),
    });
    await observe?.(trainer, done);
    for (let step = done + 1; step <= config.steps; step++) {
      const { inputs, labels } = batches.next().value;
      const before = performance.now();
      const cpuBefore = process.cpuUsage();
      const { loss, gradNorm } = await trainer.step(
        inputs,
        labels,
        learningRateAt(step - 1, config.steps, learningRate),
      );
      trainingTime += performance.now() - before;
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuTime += (user + system) / 1000;
      onStep(step, loss);
      if (!Number.isFinite(loss + gradNorm)) return { record: diverged(step) };
      await observe?.(trainer, step, gradNorm);
      sum += loss;
      since++;
      if (since === window || step === config.steps) {
        curve.push({ step, loss: sum / since });
        sum = 0;
        since = 0;
      }
      if (isValidated(step, config.steps)) {
        const validation = await trainer.evaluate(sample.inputs, sample.labels);
        if (!Number.isFinite(validation.loss)) return { record: diverged(step) };
        validationCurve.push({ step, loss: validation.loss });
      }
      await checkpoints?.offer(progress);
      await yieldToEvents(); // the engine blocks: let messages and a lost parent be noticed between steps
    }
    const { validation, test, testLosses, validationLosses, samples } = await task.evaluate(trainer);
    if (!Number.isFinite(validation.loss + test.loss)) return { record: diverged(config.steps) };
    let parameters = 0;
    for (const values of trainer.parameters().values()) parameters += values.length;
    const record: RunRecord = {
      variant: variantName,
      seed,
      status: "finished",
      validation,
      test,
      testLosses: textOfLosses(testLosses),
      validationLosses: textOfLosses(validationLosses),
      ...(samples && { samples }),
      learned: trainer.trainedValues(),
      parameters,
      curve,
      validationCurve,
      ...timing(config.steps),
    };
    return { record, model: trainer.inferenceModel() };
  } finally {
    await trainer.dispose();
  }
}

function restore(trainer: Trainer, { state }: RunProgress): void {
  try {
    trainer.restore(state);
  } catch (thrown) {
    throw new UserError(
      `its checkpoint is of another model (${messageOf(thrown)}): delete it to have the run trained anew`,
    );
  }
}

/** Whether a point of the validation curve follows a step: after every tenth of the run. */
function isValidated(step: number, steps: number): boolean {
  const points = (done: number): number => Math.floor((done * VALIDATION_POINTS) / steps);
  return points(step) > points(step - 1);
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
