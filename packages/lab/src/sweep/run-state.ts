// What is counted while a run is trained: its learning curves, and the time that its steps take.

import type { CurvePoint } from "../records/record.js";
import { describeEnvironment, environment } from "../system/environment.js";
import type { RunProgress } from "./checkpoint.js";

/** Points on a learning curve, and on that of the validation loss. */
const CURVE_POINTS = 40;
const VALIDATION_POINTS = 10;

/** What a run has measured so far; `RunProgress` is the same as data, together with the model. */
export class RunState {
  private readonly began: number;
  private readonly curve: CurvePoint[];
  private readonly validationCurve: CurvePoint[];
  /** The sum of the losses since the last point of the curve, and how many they are. */
  private sum: number;
  private since: number;
  /** Milliseconds in training steps, on the clock and of the processor. */
  private trainingTime: number;
  private cpuTime: number;

  /** @param steps of the whole run */
  constructor(
    private readonly steps: number,
    resumed: RunProgress | undefined,
  ) {
    this.began = performance.now() - (resumed?.elapsed ?? 0);
    this.curve = [...(resumed?.curve ?? [])];
    this.validationCurve = [...(resumed?.validationCurve ?? [])];
    this.sum = resumed?.sum ?? 0;
    this.since = resumed?.since ?? 0;
    this.trainingTime = resumed?.trainingTime ?? 0;
    this.cpuTime = resumed?.cpuTime ?? 0;
  }

  /** Does a training step, and counts its time. */
  async timed<T>(step: () => Promise<T>): Promise<T> {
    const before = performance.now();
    const cpuBefore = process.cpuUsage();
    const result = await step();
    this.trainingTime += performance.now() - before;
    const { user, system } = process.cpuUsage(cpuBefore);
    this.cpuTime += (user + system) / 1000;
    return result;
  }

  /** Takes the training loss of a step. */
  addLoss(step: number, loss: number): void {
    this.sum += loss;
    this.since++;
    if (this.since < Math.ceil(this.steps / CURVE_POINTS) && step < this.steps) return;
    this.curve.push({ step, loss: this.sum / this.since });
    this.sum = 0;
    this.since = 0;
  }

  /** Whether a point of the validation curve follows a step: after every tenth of the run. */
  isValidated(step: number): boolean {
    const points = (done: number): number => Math.floor((done * VALIDATION_POINTS) / this.steps);
    return points(step) > points(step - 1);
  }

  addValidationLoss(step: number, loss: number): void {
    this.validationCurve.push({ step, loss });
  }

  /** The part of a checkpoint that is not the model. */
  progress(): Omit<RunProgress, "state"> {
    const { curve, validationCurve, sum, since, trainingTime, cpuTime } = this;
    return {
      curve,
      validationCurve,
      sum,
      since,
      trainingTime,
      cpuTime,
      elapsed: performance.now() - this.began,
    };
  }

  /** The part of a record that every run has; this one ended after `steps` steps. */
  ended(steps: number) {
    const { curve, validationCurve } = this;
    return {
      curve,
      validationCurve,
      stepsPerSecond: steps / (this.trainingTime / 1000),
      cpuSeconds: this.cpuTime / 1000,
      seconds: (performance.now() - this.began) / 1000,
      machine: describeEnvironment(environment()),
    };
  }
}
