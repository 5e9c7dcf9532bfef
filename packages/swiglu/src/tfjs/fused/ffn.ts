// The feed-forward kernels for TensorFlow.js: projections with the activation in the tile, and one backward for everything.
// Weights change with every training step, so they are packed anew in each call.
import type { Tensor } from "../../backend/data.js";
import {
  type FfnPlan,
  type FfnWeights,
  type GatedFfnWeights,
  planFfn,
  planGatedFfn,
} from "../../backend/ffn.js";
import { FfnBackward } from "../../wasm/ffn-backward.js";
import { FusedCalls } from "../../wasm/ffn-fused.js";
import { PackedWeights } from "../../wasm/ffn-weights.js";
import { padded, product, rowMajor, sameRow, wholeTiles } from "../../wasm/gemm.js";
import { readMatrix, writePadded } from "../../wasm/matrix-copy.js";
import type { KernelAttributes } from "../seam.js";
import { outputParameters, parametersOf } from "./activation.js";
import { definitionOf } from "./definition.js";
import type { Run } from "./workplace.js";

/** `SwigluFfn`: its residual is what the activation takes, in the order that the backward reads it. */
export function ffnForward(run: Run, attributes: KernelAttributes): void {
  withBlock(run, attributes, ({ plan, weights, fused, rows }) => {
    const { engine, scratch } = run;
    const { dModel } = plan;
    const columns = padded(dModel);
    const y = run.output([rows, dModel], wholeTiles(rows) * columns);
    const room = fused.roomForInputs(rows);
    const inputs = attributes.training ? run.output([room]) : scratch.place(room);
    const left = fused.forward(matrix(run, "x"), rows, inputs, scratch);
    const { panels, bias } = weights.down;
    const target = columns === dModel ? y : scratch.place(wholeTiles(rows) * columns);
    product(engine, { left, right: panels, start: sameRow(bias), out: rowMajor(target, columns) });
    if (target !== y) readMatrix(engine, target, rows, dModel, engine.heap.at(y, rows * dModel));
  });
}

/** `SwigluFfnBackward` */
export function ffnBackward(run: Run, attributes: KernelAttributes): void {
  withBlock(run, attributes, ({ plan, weights, fused, rows }) => {
    const names = ["x", ...Object.keys(run.inputs).filter((name) => name in plan.weights)];
    const places = new Map(names.map((name) => [name, run.output(run.shape(name))]));
    const out = (name: string): Float32Array => {
      const count = run.data(name).length;
      return run.engine.heap.at(places.get(name) as number, count);
    };
    const backward = new FfnBackward(run.engine, plan, weights, fused, rows, run.scratch, out);
    const gradients = backward.run(matrix(run, "x"), run.address("residual.0"), matrix(run, "dy"));
    outputParameters(run, plan, gradients);
  });
}

interface Block {
  readonly plan: FfnPlan;
  readonly weights: PackedWeights;
  readonly fused: FusedCalls;
  readonly rows: number;
}

/** The block of a call, its weights packed for as long as `work` takes. */
function withBlock(run: Run, attributes: KernelAttributes, work: (block: Block) => void): void {
  const { engine } = run;
  const plan = planned(run, attributes);
  const weights = new PackedWeights(engine, plan, (name) =>
    name in run.inputs ? () => run.numbers(name) : undefined,
  );
  try {
    const fused = new FusedCalls(engine, plan, weights);
    work({ plan, weights, fused, rows: run.shape("x")[0] as number });
  } finally {
    weights.release();
  }
}

function planned(run: Run, attributes: KernelAttributes): FfnPlan {
  const activation = definitionOf(attributes);
  const notWeights = new Set(["x", "dy"]);
  const weights: Record<string, Tensor> = {};
  for (const name of Object.keys(run.inputs))
    if (!notWeights.has(name) && !name.includes(".")) weights[name] = run.data(name);
  const common = {
    activation,
    dModel: run.shape("x")[1] as number,
    dFf: run.shape("down")[0] as number,
    parameters: parametersOf(run, activation),
  };
  const gated = "gate" in weights || "packed" in weights || "in" in weights;
  if (!gated) return planFfn({ ...common, weights: weights as Partial<FfnWeights> as FfnWeights });
  const { layout } = attributes;
  return planGatedFfn({
    ...common,
    weights: weights as Partial<GatedFfnWeights> as GatedFfnWeights,
    ...(layout === undefined ? {} : { layout }),
  });
}

/** Where rows of width dModel are, padded: the tensor itself if it needs no padding. */
function matrix(run: Run, name: string): number {
  const [rows, columns] = run.shape(name) as [number, number];
  if (columns === padded(columns)) return run.address(name);
  const place = run.scratch.place(rows * padded(columns) + 8);
  writePadded(run.engine, place, () => run.numbers(name), [rows, columns]);
  return place;
}
