// A short run of a task twice: without a pause, and from a checkpoint in its middle.
import { activations } from "swiglu";
import { makeConfig } from "../../src/config/config.js";
import type { RunProgress } from "../../src/sweep/checkpoint.js";
import { type TrainedRun, trainRun } from "../../src/sweep/train.js";
import type { LoadedTask } from "../../src/tasks/load.js";

const STEPS = 20;
const MIDDLE = 7;

/** Both, without their times. */
export async function wholeAndResumed(task: LoadedTask): Promise<{ whole: TrainedRun; resumed: TrainedRun }> {
  const variants = [{ name: "swiglu", activation: activations.swiglu, trained: true }];
  const learningRates = { rate: 0.01, of: {} };
  const training = { steps: STEPS, batch: 4, width: 8, depth: 1, heads: 2, learningRates, threads: 1 };
  const config = makeConfig({ ...training, variants, seeds: [1] }, task.config);
  let middle: RunProgress | undefined;
  const offer = async (progress: () => RunProgress): Promise<void> => {
    const now = progress();
    if (now.state.steps === MIDDLE) middle = structuredClone(now);
  };
  const train = (from: RunProgress | undefined): Promise<TrainedRun> =>
    trainRun({ config, variant: "swiglu", seed: 1, task }, { checkpoints: { resumed: from, offer } });
  const whole = await train(undefined);
  if (middle === undefined) throw new Error(`there was no step ${MIDDLE}`);
  return { whole: timeless(whole), resumed: timeless(await train(middle)) };
}

const timeless = ({ record, ...rest }: TrainedRun): TrainedRun => ({
  ...rest,
  record: { ...record, seconds: 0, stepsPerSecond: 0, cpuSeconds: Math.sign(record.cpuSeconds) },
});
