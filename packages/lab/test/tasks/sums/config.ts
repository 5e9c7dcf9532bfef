// The configuration of a task that the lab does not have: adding numbers.
import type { DataConfig } from "../../../src/tasks/common/config.js";

export interface SumsConfig {
  readonly task: "sums";
  readonly data: DataConfig;
  /** Of each number that is added. */
  readonly digits: number;
}

/** The characters that a sum is written with; each is a token. */
export const SIGNS = "0123456789+=";

/** The tokens of "07+45=052" without its last. */
export const contextOf = (digits: number): number => 3 * digits + 2;
