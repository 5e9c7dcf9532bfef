// The gated projection for TensorFlow.js, activation(x gate + gateBias, x up + upBias): both products at once, then the
// elementwise kernels; its backward goes from their gradients to x, weights and biases.

import { forms } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { type ActivationPlan, planActivation } from "../../call/check.js";
import {
  backward,
  forward,
  ProjectionGradients,
  packLeft,
  padded,
  product,
  readMatrix,
  sameRow,
  wholeTiles,
  writePadded,
  zerosOf,
} from "../../wasm/face.js";
import type { KernelAttributes } from "../seam.js";
import { definitionOf, outputParameters, parametersOf } from "./definition.js";
import { gradientTargets, matrix, weightsGiven } from "./matrices.js";
import { tensorWeight } from "./weights.js";
import { type Run, tensorOf } from "./workplace.js";

/** `SwigluGatedDense`. Its residuals are gate and up. */
export function gatedDenseForward(run: Run, attributes: KernelAttributes): void {
  const { engine, scratch } = run;
  const { plan, rows, elementwise } = planned(run, attributes);
  const { dModel, dFf } = plan;
  const [columns, width] = [padded(dModel), padded(dFf)];
  const count = wholeTiles(rows) * width;
  const y = run.output([rows, dFf]);
  const inputs = [0, 1].map(() =>
    attributes.training ? run.output([rows, dFf], count) : scratch.allocate(count),
  ) as [number, number];
  const [gate, up] = width === dFf ? inputs : [scratch.allocate(count), scratch.allocate(count)];
  const { panels, bias } = tensorWeight(run, plan, ["gate", "up"], dModel, dFf);
  const room = scratch.allocate(wholeTiles(rows) * columns);
  product(engine, {
    left: packLeft(engine, matrix(run, "x"), rows, columns, room),
    right: panels,
    start: sameRow(bias),
    out: { base: gate, row: 4 * width, panel: 16, half: up - gate },
  });
  if (width !== dFf)
    [gate, up].forEach((from, i) => {
      readMatrix(engine, from, rows, dFf, engine.heap.at(inputs[i] as number, rows * dFf));
    });
  forward(engine, elementwise, inputs, y, scratch);
}

/** `SwigluGatedDenseBackward` */
export function gatedDenseBackward(run: Run, attributes: KernelAttributes): void {
  const { engine, scratch } = run;
  const { plan, rows, elementwise } = planned(run, attributes);
  const { dModel, dFf } = plan;
  const targets = gradientTargets(run, plan);
  const inputs = ["residual.0", "residual.1"].map((name) => run.address(name));
  const slopes = inputs.map(() => scratch.allocate(rows * dFf)) as [number, number];
  const sums = backward(engine, elementwise, inputs, run.address("dy"), slopes, scratch);
  const [gate, up] = slopes.map((from) => paddedRows(run, from, rows, dFf)) as [number, number];
  const projections = new ProjectionGradients(engine, plan, zerosOf(scratch), rows, scratch, targets);
  const flow = projections.pairFlow(gate, up, padded(dFf));
  projections.inputGradient(flow, tensorWeight(run, plan, ["gate", "up"], dModel, dFf));
  projections.weightGradients(["gate", "up"], matrix(run, "x"), dModel, dFf, flow.right);
  outputParameters(run, sums);
}

interface GatedDense {
  /** The plan of the block that this layer would be with a last projection. */
  readonly plan: BlockPlan;
  readonly rows: number;
  readonly elementwise: ActivationPlan;
}

function planned(run: Run, attributes: KernelAttributes): GatedDense {
  const activation = definitionOf(attributes);
  const parameters = parametersOf(run, activation, attributes);
  const [rows, dModel] = run.shape("x") as [number, number];
  const dFf = run.shape("gate")[1] as number;
  const hidden = tensorOf([rows, dFf]);
  return {
    plan: { form: forms.gated, activation, dModel, dFf, weights: weightsGiven(run), parameters },
    rows,
    elementwise: planActivation(activation, { gate: hidden, up: hidden }, parameters),
  };
}

/** Row-major data in the heap as rows with padding. */
function paddedRows({ engine, scratch }: Run, from: number, rows: number, columns: number): number {
  if (columns === padded(columns)) return from;
  const address = scratch.allocate(rows * padded(columns));
  writePadded(engine, address, () => engine.heap.at(from, rows * columns), [rows, columns]);
  return address;
}
