// One side of a comparison: something that runs training steps on request and says how long each took.
import type { ModelShape } from "swiglu-lab";

/** The model and the optimiser that every side runs. */
export type StepConfig = ModelShape & {
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  /** Of translation: how many tokens each sequence's source and target have; what follows is padding, and only the target counts. */
  readonly pairs?: readonly (readonly [source: number, target: number])[] | undefined;
};

/** What the very first step from the formula's weights gives: the same on every side, or they train different models. */
export interface FirstStep {
  readonly loss: number;
  readonly gradientNorm: number;
}

export interface Contender {
  readonly name: string;
  /** Cores that it may use. */
  readonly cores: number;
  readonly first: FirstStep;
  /** Runs steps one after the other; returns the milliseconds of each. */
  run(steps: number): Promise<number[]>;
  close(): Promise<void>;
}

/** Element `i` of a parameter or of the images, before scaling; the same formula is in pytorch/step.py. */
export function value(name: string, i: number): number {
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return Math.sin(0.1 * phase + 1.3 * i);
}
