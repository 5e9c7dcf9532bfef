// What stands at the end and inside of a training graph: cross-entropy and dropout.

import { sameShape } from "../shapes.js";
import type { Tensor } from "../tensor.js";
import { mul, neg } from "./arithmetic.js";
import { reshape } from "./broadcast.js";
import { gatherElements } from "./gather.js";
import { logSoftmax } from "./normalise.js";
import { mean } from "./reduce.js";

/**
 * Mean of `-log softmax(logits)[label]`: logits [..., classes], labels [...] (int32 or int64, 0 to classes - 1).
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  if (!sameShape(logits.shape.slice(0, -1), labels.shape)) {
    throw new Error(
      `crossEntropy: logits are [${logits.shape}] and labels [${labels.shape}]; labels need one entry for each row of logits, [${logits.shape.slice(0, -1)}]`,
    );
  }
  const rows = reshape(logSoftmax(logits), [labels.size, -1]);
  return neg(mean(gatherElements(rows, reshape(labels, [-1, 1]), 1)));
}

/**
 * `x * mask / keep`: the mask, 1 with probability `keep` and else 0, is an input, so that the caller owns the randomness.
 */
export function dropout(x: Tensor, mask: Tensor, keep: number): Tensor {
  if (!(keep > 0 && keep <= 1))
    throw new Error(`dropout: keep is ${keep}; it is a probability above 0, up to 1`);
  return mul(x, mul(mask, 1 / keep));
}
