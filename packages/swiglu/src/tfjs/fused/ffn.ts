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
import type { PackedWeights } from "../../wasm/ffn-weights.js";
import { padded, product, rowMajor, sameRow, tileRows, wholeTiles } from "../../wasm/gemm.js";
import { readMatrix, writePadded } from "../../wasm/matrix-copy.js";
import type { KernelAttributes } from "../seam.js";
import { outputParameters, parametersOf } from "./activation.js";
import { definitionOf } from "./definition.js";
import { tensorWeights } from "./weights.js";
import type { Run } from "./workplace.js";

/** `SwigluFfn`: its residual is what the activation takes, in the order that the backward reads it. */
export function ffnForward(run: Run, attributes: KernelAttributes): void {
  const { plan, weights, fused, rows } = blockOf(run, attributes);
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
}

/** `SwigluFfnBackward` */
export function ffnBackward(run: Run, attributes: KernelAttributes): void {
  const { plan, weights, fused, rows } = blockOf(run, attributes);
  const { engine, scratch } = run;
  const names = Object.keys(run.inputs).filter((name) => name === "x" || name in plan.weights);
  const places = new Map(
    names.map((name) => [name, run.output(run.shape(name), wholeRows(run.shape(name)))]),
  );
  const place = (name: string): number => places.get(name) as number;
  const array = (name: string): Float32Array => engine.heap.at(place(name), run.data(name).length);
  const backward = new FfnBackward(engine, plan, weights, fused, rows, scratch, { array, place });
  outputParameters(run, plan, backward.run(matrix(run, "x"), run.address("residual.0"), matrix(run, "dy")));
}

/** The size of a matrix whose last rows are a whole tile. */
const wholeRows = ([rows, columns = 1]: readonly number[]): number =>
  Math.ceil((rows as number) / tileRows) * tileRows * columns;

interface Block {
  readonly plan: FfnPlan;
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
