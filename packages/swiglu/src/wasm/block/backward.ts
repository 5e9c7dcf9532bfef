// The backward pass of a feed-forward block. The product dY downᵀ is fused with the activation's gradients. Then follow one
// product for the gradient of x and one for each weight. The gradients of biases and parameters are sums in float64.

import type { BlockPlan } from "../../block/plan.js";
import type { ParameterValue } from "../../call/data.js";
import { sumsOf } from "../../call/sums.js";
import type { Engine } from "../machine/engine.js";
import type { Scratch } from "../machine/scratch.js";
import { padded, product, rowMajor, tileColumns } from "../product/product.js";
import type { FusedCalls } from "./fused.js";
import { type GradientTargets, ProjectionGradients } from "./projection-gradients.js";
import type { PackedWeights } from "./weights.js";

/** One call of `backward` on one recorded pass. */
export class BlockBackward {
  private readonly projections: ProjectionGradients;

  constructor(
    private readonly engine: Engine,
    private readonly plan: BlockPlan,
    private readonly weights: PackedWeights,
    private readonly fused: FusedCalls,
    private readonly rows: number,
    private readonly scratch: Scratch,
    targets: GradientTargets,
  ) {
    this.projections = new ProjectionGradients(engine, plan, weights.start, rows, scratch, targets);
  }

  /** All arguments are addresses; matrices are row-major and padded. Where `kept` is undefined, the inputs are computed again. */
  run(
    x: number,
    kept: number | undefined,
    dY: number,
    parameterGradients = true,
  ): Readonly<Record<string, ParameterValue>> {
    const { engine, fused, rows, scratch, projections } = this;
    const { dModel, dFf } = this.plan;
    const { first, square } = this.weights;
    const inputs = kept ?? scratch.allocate(fused.roomForInputs(rows));
    if (kept === undefined) fused.forward(x, rows, inputs, scratch);
    const back = projections.flow(dY, padded(dModel));
    const slopes = fused.backward(back.left, rows, inputs, scratch);
    if (parameterGradients) this.sumParameters(slopes.parameters);
    projections.weightGradients(["down"], slopes.hidden, dFf, dModel, back.right);

    let flow = slopes.product;
    if (square) {
      projections.weightGradients(square.names, inputs, dFf, dFf, flow.right);
      const own = rowMajor(slopes.own, padded(dFf));
      product(engine, { left: flow.left, right: square.transposed(), start: own, out: own });
      flow = projections.flow(slopes.own, padded(dFf));
    }
    projections.inputGradient(flow, first);
    projections.weightGradients(first.names, x, dModel, dFf, flow.right);
    return projections.gradients;
  }

  private sumParameters(slopes: readonly number[]): void {
    const { dFf, parameters } = this.plan;
    const width = padded(dFf);
    Object.entries(parameters).forEach(([name, value], parameter) => {
      const columns = this.projections.columnSums(
        rowMajor(slopes[parameter] as number, width),
        width / tileColumns,
      );
      this.projections.gradients[name] = sumsOf(value, columns.subarray(0, dFf));
    });
  }
}
