// Dense layers and feed-forward blocks as graphs. The core's table of forms says which products they have, and of which shapes.

import { weightShapes } from "../../block/forms.js";
import { type BlockPlan, inputViews, planFfn, planGatedFfn } from "../../block/plan.js";
import type { FfnWeights, GatedFfnOptions, GatedFfnWeights, SeparateWeights } from "../../block/weights.js";
import type { Data } from "../../call/data.js";
import type { Activation } from "../../catalogue/activation.js";
import { activationByName } from "../../catalogue/catalogue.js";
import type { PackedLayout } from "../../layout.js";
import type { Dimension } from "../model/model.js";
import type { Graph, GraphTensor, GraphWeight } from "./graph.js";
import {
  checkArray,
  type GraphInput,
  type GraphParameter,
  graphParameters,
  isInput,
  standIn,
} from "./parameters.js";

/** Weights in a graph: data that it keeps, or inputs that come with every run. */
export type GraphWeights<W> = W extends unknown
  ? { readonly [N in keyof W]: Float32Array | GraphInput }
  : never;
type WithoutDown<W> = W extends unknown ? Omit<W, "down" | "downBias"> : never;

/** What every block is made from; see `FfnOptions` of the core for shapes and meaning. */
export interface BlockGraphOptions<W = FfnWeights> {
  /** The activation, or the name of the catalogue's. */
  readonly activation: Activation | string;
  /** The size of the last axis of `x`. */
  readonly dModel: number;
  /** The width of the hidden layer, where the activation is. */
  readonly dFf: number;
  readonly weights: GraphWeights<W>;
  readonly parameters?: Readonly<Record<string, GraphParameter>>;
  /** The axes of `x` before the last; names stand for sizes known only at run time. Default `["rows"]`. */
  readonly leading?: readonly Dimension[];
}
export interface GatedBlockGraphOptions<W> extends BlockGraphOptions<W> {
  /** Where gate and up lie in `weights.packed`; only with packed weights. */
  readonly layout?: PackedLayout;
}
/** The weights of a gated dense layer: those of a block without its last product. */
export type GatedDenseWeights = WithoutDown<GatedFfnWeights>;

/**
 * The graph of a gated feed-forward block, `activation(x W + b, x V + c) W2 + d`: x [..., dModel] to y of the same shape.
 * Weights are separate `{ gate, up, down }`, packed `{ packed, down }` with a layout, or self-gated `{ in, square, down }`,
 * with biases or without. A unary activation `a` means `a(gate) * up`. Throws a TypeError or RangeError that names the
 * argument.
 *
 * @example
 * const [gate, up, down] = [new Float32Array(6), new Float32Array(6), new Float32Array(6)];
 * gatedFfnGraph({ activation: "swiglu", dModel: 2, dFf: 3, weights: { gate, up, down } }).output.shape // ["rows", 2]
 */
export function gatedFfnGraph(options: GatedBlockGraphOptions<GatedFfnWeights>): Graph {
  return blockGraph("gatedFfn", options, gatedPlan);
}

/** The graph of an ungated block, `activation(x up + upBias) down + downBias`; otherwise as `gatedFfnGraph`. */
export function ffnGraph(options: BlockGraphOptions): Graph {
  return blockGraph("ffn", options, (planned) =>
    planFfn({ ...planned, weights: planned.weights as Readonly<Record<keyof FfnWeights, Data>> }),
  );
}

/**
 * The graph of a gated dense layer, `activation(x W + b, x V + c)`: x [..., dModel] to y [..., dFf]. Its weights are those of
 * `gatedFfnGraph` without the last product, down.
 *
 * @example
 * const weights = { gate: new Float32Array(6), up: new Float32Array(6) };
 * gatedDenseGraph({ activation: "swiglu", dModel: 2, dFf: 3, weights }).output.shape // ["rows", 3]
 */
export function gatedDenseGraph(options: GatedBlockGraphOptions<GatedDenseWeights>): Graph {
  const { dModel, dFf, weights } = options;
  const extra = Object.keys(weights).find((name) => isDown(name));
  if (extra !== undefined)
    throw new TypeError(
      `weights.${extra} belongs to a feed-forward block: leave it out, or use gatedFfnGraph`,
    );
  const down = standIn({ input: [dFf, dModel] }, "down");
  return blockGraph("gatedDense", options, (planned) =>
    gatedPlan({ ...planned, weights: { ...planned.weights, down } }),
  );
}

type Planned = Omit<GatedFfnOptions, "weights"> & { readonly weights: Readonly<Record<string, Data>> };

function gatedPlan(planned: Planned): BlockPlan {
  return planGatedFfn({ ...planned, weights: planned.weights as WeightsOfAnyForm });
}
/** What `planGatedFfn` checks at run time, whatever the form. */
type WeightsOfAnyForm = Readonly<Record<keyof SeparateWeights, Data>>;

function isDown(name: string): boolean {
  return name === "down" || name === "downBias";
}

/** The graph of a block of the form that `planOf` gives it. */
export function blockGraph(
  kind: "gatedFfn" | "ffn" | "gatedDense",
  options: GatedBlockGraphOptions<Readonly<Record<string, Data>>>,
  planOf: (planned: Planned) => BlockPlan,
): Graph {
  const { activation: named, dModel, dFf, parameters = {}, layout, leading = ["rows"] } = options;
  const given = options.weights as Readonly<Record<string, Float32Array | GraphInput>>;
  const plan = planOf({
    activation: typeof named === "string" ? activationByName(named) : named,
    dModel,
    dFf,
    ...(layout !== undefined && { layout }),
    weights: Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        isInput(value) ? standIn(value, `weights.${name}`) : value,
      ]),
    ),
  });
  const { form, activation } = plan;
  const shapes = weightShapes(form, dModel, dFf);
  const shapeOf = (weight: string): readonly number[] => shapes[weight]!;
  const fixed = graphParameters(activation, parameters, [dFf]);
  const { weights, inputs } = graphWeights(given, shapeOf);
  return {
    name: `${kind}_${activation.name}`,
    inputs: [{ name: "x", shape: [...leading, dModel] }, ...inputs, ...fixed.inputs],
    weights: [...weights, ...fixed.weights],
    numbers: fixed.numbers,
    output: { name: "y", shape: [...leading, kind === "gatedDense" ? dFf : dModel] },
    write: (to) => {
      const products: Record<string, string> = { x: to.tensor("x") };
      for (const { weight, from } of form.products) products[weight] = to.product(products[from]!, weight);
      const operands = inputViews(plan, 1).map(({ product, view }) =>
        to.part(products[product]!, -1, shapeOf(product).at(-1)!, view),
      );
      if (kind === "gatedDense") to.activation(activation, operands, to.tensor("y"));
      else to.product(to.activation(activation, operands), "down", to.tensor("y"));
    },
  };
}

/** Divides the weights into data in the model and tensors that come with every run. */
function graphWeights(
  given: Readonly<Record<string, Float32Array | GraphInput | undefined>>,
  shapeOf: (weight: string) => readonly number[],
): Pick<Graph, "weights" | "inputs"> {
  const weights: GraphWeight[] = [];
  const inputs: GraphTensor[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const shape = shapeOf(name);
    if (!isInput(value)) weights.push({ name, shape, data: checkArray(value, `weights.${name}`) });
    else if (String(value.input) === String(shape)) inputs.push({ name, shape });
    else
      throw new RangeError(
        `weights.${name} is an input of shape [${value.input.join(", ")}], expected [${shape.join(", ")}]`,
      );
  }
  return { weights, inputs };
}
