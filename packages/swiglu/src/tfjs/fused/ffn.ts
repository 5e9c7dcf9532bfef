// The feed-forward kernels for TensorFlow.js: projections with the activation in the tile, and one backward for everything.
// Weights change with every training step, so they are packed anew in each call.

import { type BlockPlan, planFfn, planGatedFfn } from "../../block/plan.js";
import type { FfnWeights, GatedFfnWeights } from "../../block/weights.js";
import type { ParameterValue } from "../../call/data.js";
import {
  BlockBackward,
  FusedCalls,
  type PackedWeights,
  padded,
  product,
  readMatrix,
  rowMajor,
  sameRow,
  wholeTiles,
} from "../../wasm/face.js";
import type { KernelAttributes } from "../seam.js";
import { definitionOf, outputParameters, parametersOf } from "./definition.js";
import { gradientTargets, matrix, weightsGiven } from "./matrices.js";
import { tensorWeights } from "./weights.js";
import type { Run } from "./workplace.js";

/** `SwigluFfn`. Its residual is the activation's inputs, in the order in which the backward reads them. */
export function ffnForward(run: Run, attributes: KernelAttributes): void {
  const { plan, weights, fused, rows } = blockOf(run, attributes);
  const { engine, scratch } = run;
  const { dModel } = plan;
  const columns = padded(dModel);
  const y = run.output([rows, dModel], wholeTiles(rows) * columns);
  const room = fused.roomForInputs(rows);
  const inputs = attributes.training ? run.output([room]) : scratch.allocate(room);
  const left = fused.forward(matrix(run, "x"), rows, inputs, scratch);
  const { panels, bias } = weights.down;
  const target = columns === dModel ? y : scratch.allocate(wholeTiles(rows) * columns);
  product(engine, { left, right: panels, start: sameRow(bias), out: rowMajor(target, columns) });
  if (target !== y) readMatrix(engine, target, rows, dModel, engine.heap.at(y, rows * dModel));
}

/** `SwigluFfnBackward` */
export function ffnBackward(run: Run, attributes: KernelAttributes): void {
  const { plan, weights, fused, rows } = blockOf(run, attributes);
  const { engine, scratch } = run;
  const targets = gradientTargets(run, plan);
  const backward = new BlockBackward(engine, plan, weights, fused, rows, scratch, targets);
  const gradients = backward.run(matrix(run, "x"), run.address("residual.0"), matrix(run, "dy"));
  const names = Object.keys(plan.parameters);
  outputParameters(run, Object.fromEntries(names.map((name) => [name, gradients[name] as ParameterValue])));
}

interface Block {
  readonly plan: BlockPlan;
  readonly weights: PackedWeights;
  readonly fused: FusedCalls;
  readonly rows: number;
}

/** The block of a call. */
function blockOf(run: Run, attributes: KernelAttributes): Block {
  const plan = planned(run, attributes);
  const weights = tensorWeights(run, plan);
  return {
    plan,
    weights,
    fused: new FusedCalls(run.engine, plan, weights),
    rows: run.shape("x")[0] as number,
  };
}

function planned(run: Run, attributes: KernelAttributes): BlockPlan {
  const activation = definitionOf(attributes);
  const weights = weightsGiven(run);
  const common = {
    activation,
    dModel: run.shape("x")[1] as number,
    dFf: run.shape("down")[0] as number,
    parameters: parametersOf(run, activation, attributes),
  };
  const gated = ["gate", "packed", "in"].some((name) => Object.hasOwn(weights, name));
  if (!gated) return planFfn({ ...common, weights: weights as Partial<FfnWeights> as FfnWeights });
  const { layout } = attributes;
  return planGatedFfn({
    ...common,
    weights: weights as Partial<GatedFfnWeights> as GatedFfnWeights,
    ...(layout === undefined ? {} : { layout }),
  });
}
