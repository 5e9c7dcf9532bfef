// Watches a run: measures it before the first step and after every tenth of its steps, and keeps account of the gradients
// of the training steps in between.
import { z } from "zod";
import type { Trainer } from "../model/index.js";
import type { Batch } from "../tasks/common/task.js";
import { lengthOf, type Measurement, measure, QUANTILES, type View } from "./measure.js";

/** Measurements after the first step. */
const POINTS = 10;

export interface Point extends Measurement {
  /** Training steps done. */
  readonly step: number;
  /** Figures of the training batches since the point before, gradients before clipping; null before the first step. */
  readonly training: {
    /** Mean length of the gradient. */
    readonly gradientNorm: number;
    /** Mean of |ln(length / length one step before)|: 0.1 is a change of about 10 % from a step to the next. */
    readonly variation: number;
    /** Mean distance in parameter space that a step goes. */
    readonly stepLength: number;
  } | null;
}

/** Numbers that were not finite are null in JSON. */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** What the file of a run's points holds. */
export const pointsSchema = z
  .array(
    z.strictObject({
      step: z.int().nonnegative(),
      training: z.strictObject({ gradientNorm: number, variation: number, stepLength: number }).nullable(),
      loss: number,
      gradientNorm: number,
      along: z.array(z.strictObject({ distance: number, change: number, curvature: number })),
      gates: z.array(
        z.strictObject({
          quantiles: z.array(number).length(QUANTILES.length),
          closed: number,
          dead: number,
          topTenth: number,
          flat: number,
          falling: number,
        }),
      ),
    }),
  )
  .min(1) satisfies z.ZodType<readonly Point[]>;

/** Sums over the steps since the last point. */
const NOTHING = { steps: 0, norms: 0, changes: 0, lengths: 0 };

/** Collects the points of one run; `observe` is called as `trainRun` does. */
export class Watch {
  readonly points: Point[] = [];
  private since = NOTHING;
  private norm = Number.NaN;
  private parameters = new Float32Array();

  constructor(
    private readonly inspector: View,
    private readonly batch: Batch,
    private readonly steps: number,
  ) {}

  /** @param gradientNorm of the step's own batch; left out before the first step */
  async observe({ state }: Pick<Trainer, "state">, step: number, gradientNorm?: number): Promise<void> {
    if (gradientNorm !== undefined) this.account(gradientNorm, state.parameters);
    this.parameters = state.parameters.slice();
    if (step > 0 && !isMeasured(step, this.steps)) return;
    const { steps, norms, changes, lengths } = this.since;
    this.since = NOTHING;
    const training =
      steps === 0
        ? null
        : { gradientNorm: norms / steps, variation: changes / steps, stepLength: lengths / steps };
    this.points.push({ step, training, ...(await measure(this.inspector, this.parameters, this.batch)) });
  }

  private account(norm: number, parameters: Float32Array): void {
    const { steps, norms, changes, lengths } = this.since;
    const change = this.norm > 0 && norm > 0 ? Math.abs(Math.log(norm / this.norm)) : 0;
    this.norm = norm;
    this.since = {
      steps: steps + 1,
      norms: norms + norm,
      changes: changes + change,
      lengths: lengths + lengthOf(parameters.map((x, i) => x - this.parameters[i]!)),
    };
  }
}

/** Whether a tenth of the run ends with a step. */
function isMeasured(step: number, steps: number): boolean {
  const tenths = (done: number): number => Math.floor((done * POINTS) / steps);
  return tenths(step) > tenths(step - 1);
}
