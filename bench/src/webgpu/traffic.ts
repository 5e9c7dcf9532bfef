// How many bytes a case has to move between the GPU and its memory, whoever computes it.
import type { Case } from "../peers/cases.js";
import { backwardSteps, forwardSteps, type Step } from "./unfused.js";

/** What a contender's way of computing means for traffic. */
export type Way = "fused" | "unfused";

const unfusedTensors = (steps: readonly Step[]): number =>
  steps.reduce((total, { reads }) => total + reads.length + 1, 0);

/** Whole tensors read and written for each elementwise case. */
const tensors: { readonly [K in "forward" | "backward"]: Readonly<Record<Way, number>> } = {
  // gate, up; y
  forward: { fused: 3, unfused: unfusedTensors(forwardSteps) },
  // gate, up, dy; the gradients of gate and up
  backward: { fused: 5, unfused: unfusedTensors(backwardSteps) },
};

/**
 * Bytes moved if every kernel reads each of its operands once and writes its results once. For a block's forward pass that is x,
 * y and the weights once, and the hidden layer out and in again; for its training step it is not counted.
 */
export function bytesMoved(task: Case, way: Way = "fused", bytesPerNumber = 4): number | undefined {
  switch (task.kind) {
    case "forward":
    case "backward":
      return bytesPerNumber * task.count * tensors[task.kind][way];
    case "ffnForward": {
      const { rows, dModel, dFf } = task;
      return bytesPerNumber * (2 * rows * dModel + 3 * dModel * dFf + 2 * rows * dFf);
    }
    case "ffnStep":
      return undefined;
  }
}
