// One run from start to end: build the model, train it, evaluate it. No files, no processes.
import { setImmediate as yieldToEvents } from "node:timers/promises";
import { activationFromJson } from "swiglu";
import type { Config } from "../config/config.js";
import { Trainer } from "../model/index.js";
import type { Task } from "../tasks/task.js";
import type { Checkpoints, RunProgress } from "./checkpoint.js";
import { type CurvePoint, type RunRecord, textOfLosses } from "./record.js";
import { learningRateAt } from "./schedule.js";

/** Points on a learning curve. */
const CURVE_POINTS = 40;

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
 */
export async function trainRun(
  config: Config,
  variantName: string,
  seed: number,
  task: Task,
  onStep: (step: number, loss: number) => void,
  checkpoints?: Checkpoints,
): Promise<TrainedRun> {
  const resumed = checkpoints?.resumed;
  const began = performance.now() - (resumed?.elapsed ?? 0);
  const trainer = await createTrainer(config, variantName, task);
  try {
    if (resumed === undefined) trainer.initialise(seed);
    else trainer.restore(resumed.state);
    const done = trainer.state.steps;
    const batches = task.batches(seed, config.batch, done);
    const curve: CurvePoint[] = [...(resumed?.curve ?? [])];
    const window = Math.ceil(config.steps / CURVE_POINTS);
    let { sum, since, trainingTime } = resumed ?? { sum: 0, since: 0, trainingTime: 0 };
    const elapsed = (): number => performance.now() - began;
    const progress = (): RunProgress => ({
      state: trainer.state,
      curve,
      sum,
      since,
      trainingTime,
      elapsed: elapsed(),
    });
    const timing = (steps: number) => ({
      stepsPerSecond: steps / (trainingTime / 1000),
      seconds: elapsed() / 1000,
    });
    const diverged = (step: number): RunRecord => ({
      variant: variantName,
      seed,
      status: "diverged",
      divergedAt: step,
      curve,
      ...timing(step),
    });
    for (let step = done + 1; step <= config.steps; step++) {
      const { inputs, labels } = batches.next().value;
      const before = performance.now();
      const { loss, gradNorm } = await trainer.step(
        inputs,
        labels,
        learningRateAt(step - 1, config.steps, config.learningRate),
      );
      trainingTime += performance.now() - before;
      onStep(step, loss);
      if (!Number.isFinite(loss + gradNorm)) return { record: diverged(step) };
      sum += loss;
      since++;
      if (since === window || step === config.steps) {
        curve.push({ step, loss: sum / since });
        sum = 0;
        since = 0;
      }
      await checkpoints?.offer(progress);
      await yieldToEvents(); // the engine blocks: let messages and a lost parent be noticed between steps
    }
    const { validation, test, testLosses, samples } = await task.evaluate(trainer);
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
      ...(samples && { samples }),
      learned: trainer.trainedValues(),
      parameters,
      curve,
      ...timing(config.steps),
    };
    return { record, model: trainer.inferenceModel() };
  } finally {
    await trainer.dispose();
  }
}

function createTrainer(config: Config, name: string, { ends }: Task): Promise<Trainer> {
  const variant = config.variants.find((candidate) => candidate.name === name);
  if (variant === undefined) throw new Error(`the configuration has no variant ${name}`);
  const { width, depth, heads, batch, weightDecay, clipNorm, threads } = config;
  return Trainer.create(
    { name, activation: activationFromJson(variant.activation), trained: variant.trained },
    { ...ends, width, depth, heads, hidden: variant.hidden },
    { batch, weightDecay, clipNorm, threads },
  );
}
