// Cross-entropy, the end of a training graph, and dropout.

import { sameShape } from "../graph/shapes.js";
import { node, type Tensor } from "../graph/tensor.js";
import { checkFloats, checkTensors } from "../graph/tensor-checks.js";
import { add, cast, div, exp, greaterOrEqual, maximum, mul, neg, sub } from "./arithmetic.js";
import { reshape, sum } from "./broadcast.js";
import { addAt, checkIndices, guarded } from "./indexed.js";
import { mean } from "./reduce.js";

export interface LossOptions {
  /** Labels below 0 are padding: their loss is 0, and a mean leaves them out. Default: there are none. */
  readonly padding?: boolean;
}

/**
 * `-log softmax(logits)[label]` of every row: logits [..., classes], labels [...] (int32 or int64, 0 to classes - 1)
 * -> [...]. Gradient: the softmax, less one at the label, in two passes over the logits.
 */
export function logLoss(logits: Tensor, labels: Tensor, { padding = false }: LossOptions = {}): Tensor {
  checkFloats("logLoss", { logits });
  checkIndices("logLoss", "labels", labels);
  if (logits.rank === 0 || !sameShape(logits.shape.slice(0, -1), labels.shape)) {
    throw new RangeError(
      `logLoss: logits are [${logits.shape}] and labels [${labels.shape}]; labels need one entry for each row of logits, [${logits.shape.slice(0, -1)}]`,
    );
  }
  const rows = reshape(logits, [labels.size, -1]);
  const known = guarded(padding ? maximum(labels, 0) : labels, rows.shape[1]!);
  const column = reshape(known, [-1, 1]);
  const losses = neg(reshape(logProbabilityOf(rows, column), labels.shape));
  return padding ? mul(losses, presence(labels, logits)) : losses;
}

/** The mean of `logLoss`: over all labels, or with `padding` over those that are not below 0. */
export function crossEntropy(logits: Tensor, labels: Tensor, options: LossOptions = {}): Tensor {
  const losses = logLoss(logits, labels, options);
  if (!options.padding) return mean(losses);
  return div(sum(losses), maximum(sum(presence(labels, logits)), 1));
}

/** 1 where a label counts, 0 where it is padding. */
const presence = (labels: Tensor, { dtype }: Tensor): Tensor => cast(greaterOrEqual(labels, 0), dtype);

/** Rows [n, classes] and labels [n, 1] -> the log-probability [n, 1] of each row's label. */
function logProbabilityOf(rows: Tensor, column: Tensor): Tensor {
  const { dtype, shape } = rows;
  const [taken, all] = node({
    name: "LogProbability",
    inputs: [rows, column],
    outputs: [
      { dtype, shape: column.shape },
      { dtype, shape },
    ],
    emit: ([logits = "", labels = ""], [one = "", every = ""]) => ({
      nodes: [
        { opType: "LogSoftmax", inputs: [logits], outputs: [every], attributes: { axis: { int: -1 } } },
        {
          opType: "GatherElements",
          inputs: [every, labels],
          outputs: [one],
          attributes: { axis: { int: 1 } },
        },
      ],
      constants: [],
    }),
    backward: ([dTaken, dAll]) => {
      const parts: Tensor[] = [];
      if (dTaken) parts.push(addAt(mul(exp(all!), neg(dTaken)), column, dTaken, 1, "logLoss"));
      if (dAll) parts.push(sub(dAll, mul(exp(all!), sum(dAll, -1, true))));
      return parts.length > 0 ? [parts.reduce((a, b) => add(a, b))] : [];
    },
    facts: { reads: { input: 1, size: shape[1]!, by: "logLoss" } },
  });
  return taken!;
}

/**
 * `x * mask / keep`. The mask is an input that is 1 with probability `keep` and otherwise 0, so that the caller owns the randomness.
 */
export function dropout(x: Tensor, mask: Tensor, keep: number): Tensor {
  checkTensors("dropout", { x, mask });
  if (!(keep > 0 && keep <= 1))
    throw new RangeError(`dropout: keep is ${keep}; it is a probability above 0, up to 1`);
  return mul(x, mul(mask, 1 / keep));
}
