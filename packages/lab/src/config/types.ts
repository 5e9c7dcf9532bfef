// The configuration of a sweep, as plain data: what decides its results, and names its folder by a hash.
import type { Training } from "../tasks/common/config.js";
import type { TaskConfig } from "../tasks/registry.js";

/** The numbers that every task has, and the threads that a run may use. */
export interface Hyperparameters extends Training {
  readonly threads: number;
}

export interface VariantConfig {
  readonly name: string;
  readonly trained: boolean;
  /** The definition in the JSON form of `activationToJson`. */
  readonly activation: unknown;
  /** dFf of this variant. */
  readonly hidden: number;
  readonly feedForwardParameters: number;
  /** The highest of its schedule. */
  readonly learningRate: number;
}

interface CommonConfig extends Hyperparameters {
  /** The version of the lab: another one may train differently. */
  readonly version: string;
  readonly variants: readonly VariantConfig[];
  readonly seeds: readonly number[];
  readonly weightDecay: number;
  readonly clipNorm: number;
}

export type Config = CommonConfig & TaskConfig;
