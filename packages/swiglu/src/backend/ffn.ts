// The feed-forward contract shared by every backend: which weights a block has, their shapes, and the checks on them.
// A backend receives a `FfnPlan`, in which nothing is left to validate.
import { type Activation, asGated } from "../catalogue/activation.js";
import { withoutLimits } from "../catalogue/limits.js";
import { listing, own, rejectUnknownKeys, shown } from "../errors.js";
import { type PackedLayout, packedViews, sizeOf, type View, wholeView } from "../layout.js";
import { checkChannels, checkData, checkDistinct, checkLength, checkParameters } from "./check.js";
import type { Data, ParameterValue } from "./data.js";

/** Weights of an ungated block; matrices are row-major [in, out]. */
export interface FfnWeights {
  /** [dModel, dFf] */
  readonly up: Data;
  /** [dFf, dModel] */
  readonly down: Data;
  /** [dFf] */
  readonly upBias?: Data;
  /** [dModel] */
  readonly downBias?: Data;
}

/** Weights of a gated block with two projections. */
export interface SeparateWeights extends FfnWeights {
  /** [dModel, dFf] */
  readonly gate: Data;
  /** [dFf] */
  readonly gateBias?: Data;
}

/** Weights of a gated block whose gate and up are one matrix, in the block's `layout`. */
export interface PackedWeights {
  /** [dModel, 2 dFf] */
  readonly packed: Data;
  /** [dFf, dModel] */
  readonly down: Data;
  /** [2 dFf] */
  readonly packedBias?: Data;
  /** [dModel] */
  readonly downBias?: Data;
}

/** Weights of a self-gated block: `in` projects to dFf, `square` makes the other operand from that. */
export interface SelfGatedWeights {
  /** [dModel, dFf] */
  readonly in: Data;
  /** [dFf, dFf] */
  readonly square: Data;
  /** [dFf, dModel] */
  readonly down: Data;
  /** [dFf] */
  readonly inBias?: Data;
  /** [dFf] */
  readonly squareBias?: Data;
  /** [dModel] */
  readonly downBias?: Data;
}
export type GatedFfnWeights = SeparateWeights | PackedWeights | SelfGatedWeights;

/** What every block is made from. */
export interface FfnOptions<W = FfnWeights> {
  readonly activation: Activation;
  /** The width of the block's input and output. */
  readonly dModel: number;
  /** The width of its hidden layer. */
  readonly dFf: number;
  readonly weights: W;
  /** The activation's parameters: numbers, or arrays whose length divides dFf. Defaults from the definition. */
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  /**
   * Whether a recorded pass keeps only x, and computes the activation's inputs again in its backward: rows * dModel
   * numbers instead of that and 2 rows * dFf (dFf where ungated). Default false. The reference keeps everything anyway.
   */
  readonly recompute?: boolean;
}
export interface GatedFfnOptions<W extends GatedFfnWeights = GatedFfnWeights> extends FfnOptions<W> {
  /** Where gate and up lie in `weights.packed`; only with packed weights. */
  readonly layout?: PackedLayout;
}

/** The forms a block can take; they differ in how the activation's inputs are projected. */
export type FfnForm = "ungated" | "gated" | "packed" | "selfGated";

type Shape = (dModel: number, dFf: number) => readonly number[];
const hidden: Shape = (_, dFf) => [dFf];
const into: Shape = (dModel, dFf) => [dModel, dFf];
const back = {
  down: (dModel: number, dFf: number) => [dFf, dModel],
  downBias: (dModel: number) => [dModel],
} satisfies Readonly<Record<string, Shape>>;

/** The weights of each form with their shapes; those that end in `Bias` are optional. */
export const weightShapes: { readonly [F in FfnForm]: Readonly<Record<string, Shape>> } = {
  ungated: { up: into, upBias: hidden, ...back },
  gated: { gate: into, gateBias: hidden, up: into, upBias: hidden, ...back },
  packed: {
    packed: (dModel, dFf) => [dModel, 2 * dFf],
    packedBias: (_, dFf) => [2 * dFf],
    ...back,
  },
  selfGated: { in: into, inBias: hidden, square: (_, dFf) => [dFf, dFf], squareBias: hidden, ...back },
};

/** The weights among these that a block cannot do without: all but biases. */
export const requiredWeights = (shapes: Readonly<Record<string, Shape>>): string[] =>
  Object.keys(shapes).filter((name) => !name.endsWith("Bias"));

/**
 * The form of a gated block, by the names of its weights. Throws a TypeError or RangeError for self-gated weights of an
 * activation that is not, and for a layout that is missing, wrong, or of no use.
 */
export function gatedForm(
  activation: Activation,
  weights: object,
  layout?: PackedLayout,
): Exclude<FfnForm, "ungated"> {
  const has = (name: string): boolean => Object.hasOwn(weights, name);
  const form = has("in") ? "selfGated" : has("packed") ? "packed" : "gated";
  if (form === "selfGated" && activation.self === undefined)
    throw new TypeError(
      `weights are { in, square, down }, but ${activation.name} is not self-gated: pass { gate, up, down }, or use selfGlu or swigluBlend`,
    );
  if ((form === "packed") !== (layout !== undefined))
    throw new TypeError(
      form === "packed"
        ? "layout is missing: packed weights need one of gate-first, gate-second and interleaved"
        : `layout is ${shown(layout)}, but the weights are not packed: leave it out, or pass { packed, down }`,
    );
  if (layout !== undefined) packedViews([2], { layout });
  return form;
}

/** Throws a TypeError for a gated activation, where a block takes unary ones. */
export function checkUngated({ name, kind }: Activation): void {
  if (kind !== "unary")
    throw new TypeError(`activation ${name} is gated: use gatedFfn, or a unary activation`);
}

/** One matrix product of a block: which weight (its bias is `${weight}Bias`), and what it multiplies. */
export interface Projection {
  readonly weight: string;
  readonly from: string;
}

/** The products before the activation, in order; `from` is the block's input `x` or an earlier product. */
export const projections: { readonly [F in FfnForm]: readonly Projection[] } = {
  ungated: [{ weight: "up", from: "x" }],
  gated: [
    { weight: "gate", from: "x" },
    { weight: "up", from: "x" },
  ],
  packed: [{ weight: "packed", from: "x" }],
  selfGated: [
    { weight: "in", from: "x" },
    { weight: "square", from: "in" },
  ],
};

/** Where an input of the activation comes from: which product, and which part of it. */
export interface Operand {
  readonly product: string;
  readonly view: View;
}

/** The activation's inputs, in its own order, as views of the products before it, for a number of rows. */
export function activationOperands({ form, activation, dFf, layout }: FfnPlan, rows: number): Operand[] {
  const whole = (product: string): Operand => ({ product, view: wholeView(rows * dFf) });
  switch (form) {
    case "ungated":
      return [whole("up")];
    case "gated":
      return [whole("gate"), whole("up")];
    case "packed": {
      const { gate, up } = packedViews([rows, 2 * dFf], { layout: layout as PackedLayout });
      return [gate, up].map((view) => ({ product: "packed", view }));
    }
    case "selfGated":
      return activation.self === "gate" ? [whole("in"), whole("square")] : [whole("square"), whole("in")];
  }
}

/** A checked block: every weight present has its shape, parameters are complete. */
export interface FfnPlan {
  readonly form: FfnForm;
  readonly activation: Activation;
  readonly dModel: number;
  readonly dFf: number;
  readonly layout?: PackedLayout;
  readonly weights: Readonly<Record<string, Data>>;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** Checks the options of an ungated block. Throws a TypeError or RangeError that names the argument. */
export function planFfn(options: FfnOptions): FfnPlan {
  checkUngated(options.activation);
  return plan("ungated", options.activation, options);
}

/** Checks the options of a gated block. A unary activation `a` means `a(gate) * up`. */
export function planGatedFfn(options: GatedFfnOptions): FfnPlan {
  const { weights, layout } = options;
  const activation = asGated(options.activation);
  const checked = plan(gatedForm(activation, weights, layout), activation, options);
  return layout === undefined ? checked : { ...checked, layout };
}

function plan(form: FfnForm, activation: Activation, options: FfnOptions<object>): FfnPlan {
  const { dModel, dFf } = options;
  for (const [name, value] of Object.entries({ dModel, dFf }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${name} is ${shown(value)}, expected a whole number, 1 or greater`);
  const shapes = weightShapes[form];
  const given = options.weights as Readonly<Record<string, Data | undefined>>;
  rejectUnknownKeys(given, Object.keys(shapes), "weight", `this ${form} block`);
  const weights: Record<string, Data> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const data = own(given, name);
    const size = shape(dModel, dFf);
    if (data === undefined) {
      const required = requiredWeights(shapes);
      if (!required.includes(name)) continue;
      throw new TypeError(`weights.${name} is missing: this block needs ${listing(required)}`);
    }
    const count = sizeOf(size);
    if (checkData(data, `weights.${name}`).length !== count)
      throw new RangeError(
        `weights.${name} has ${data.length} elements, expected ${count} for [${size.join(", ")}]`,
      );
    weights[name] = data;
  }
  const parameters = checkParameters(activation, options.parameters ?? {});
  for (const [name, value] of Object.entries(parameters)) checkChannels(name, value, dFf, "dFf");
  return { form, dModel, dFf, weights, ...withoutLimits(activation, parameters) };
}

/** Checks the input of a forward pass, [rows, dModel], or a gradient of its output. */
export function checkRows(name: string, data: Data, rows: number, dModel: number): void {
  if (!Number.isSafeInteger(rows) || rows < 0)
    throw new RangeError(`rows is ${String(rows)}, expected a whole number, 0 or greater`);
  if (data.length !== rows * dModel)
    throw new RangeError(
      `${name} has ${data.length} elements, expected ${rows * dModel} for [rows ${rows}, dModel ${dModel}]`,
    );
}

/** Checks what gradients are written to: each is named as x or a weight given, and has its length. */
export function checkGradientOutputs(
  { form, dModel, dFf, weights }: FfnPlan,
  rows: number,
  out: object = {},
): Readonly<Record<string, Data>> {
  const names = ["x", ...Object.keys(weights)];
  rejectUnknownKeys(out, names, "gradient in out:", `this ${form} block`);
  const outputs = Object.entries(out as Readonly<Record<string, unknown>>)
    .filter(([, given]) => given !== undefined)
    .map(([name, given]) => {
      const data = checkData(given, `out.${name}`);
      const count = name === "x" ? rows * dModel : sizeOf(weightShapes[form][name]?.(dModel, dFf) ?? []);
      checkLength(data, `out.${name}`, count);
      return { name, data };
    });
  checkDistinct(outputs);
  return Object.fromEntries(outputs.map(({ name, data }) => [name, data]));
}
