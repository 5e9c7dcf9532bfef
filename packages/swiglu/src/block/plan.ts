// The checks of a block's options, which all backends and adapters share.
// A backend gets a `BlockPlan`, which is checked.

import { checkChannels, checkData, checkDistinct, checkLength, checkParameters } from "../call/check.js";
import type { Data, ParameterValue } from "../call/data.js";
import { type Activation, asGated } from "../catalogue/activation.js";
import { withoutLimits } from "../catalogue/limits.js";
import { listing, own, rejectUnknownKeys, shown } from "../errors.js";
import { type PackedLayout, packedViews, sizeOf, type View, wholeView } from "../layout.js";
import { type BlockForm, forms, gatedFormOf, isBias, weightShapes } from "./forms.js";
import type { FfnOptions, GatedFfnOptions } from "./weights.js";

/**
 * The form of a gated block, by the names of its weights. Throws a TypeError or RangeError for self-gated weights of an
 * activation that is not, and for a layout that is missing, wrong, or of no use.
 */
export function checkGatedForm(activation: Activation, weights: object, layout?: PackedLayout): BlockForm {
  const form = gatedFormOf(activation, weights);
  if (Object.hasOwn(weights, "in") && activation.self === undefined)
    throw new TypeError(
      `weights are { in, square, down }, but ${activation.name} is not self-gated: pass { gate, up, down }, or use selfGlu or swigluBlend`,
    );
  const packed = form.inputs.some(({ half }) => half !== undefined);
  if (packed !== (layout !== undefined))
    throw new TypeError(
      packed
        ? "layout is missing: packed weights need one of gate-first, gate-second and interleaved"
        : `layout is ${shown(layout)}, but the weights are not packed: leave it out, or pass { packed, down }`,
    );
  if (layout !== undefined) packedViews([2], { layout });
  return form;
}

/** Throws a TypeError for a gated activation: an ungated block takes unary ones. */
export function checkUngated({ name, kind }: Activation): void {
  if (kind !== "unary")
    throw new TypeError(`activation ${name} is gated: use gatedFfn, or a unary activation`);
}

/** An input of the activation: which product it is in, and which of its elements. */
export interface InputView {
  readonly product: string;
  readonly view: View;
}

/** The activation's inputs, in its own order, as views of the products before it, for a number of rows. */
export function inputViews({ form, dFf, layout }: BlockPlan, rows: number): InputView[] {
  return form.inputs.map(({ product, half }) => ({
    product,
    view: half
      ? packedViews([rows, 2 * dFf], { layout: layout as PackedLayout })[half]
      : wholeView(rows * dFf),
  }));
}

/** A checked block: every weight has its shape, and no parameter is missing. */
export interface BlockPlan {
  readonly form: BlockForm;
  readonly activation: Activation;
  readonly dModel: number;
  readonly dFf: number;
  readonly layout?: PackedLayout;
  readonly weights: Readonly<Record<string, Data>>;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** Checks the options of an ungated block. Throws a TypeError or RangeError that names the argument. */
export function planFfn(options: FfnOptions): BlockPlan {
  checkUngated(options.activation);
  return planBlock(forms.ungated, options.activation, options);
}

/** Checks the options of a gated block. A unary activation `a` means `a(gate) * up`. */
export function planGatedFfn(options: GatedFfnOptions): BlockPlan {
  const { weights, layout } = options;
  const activation = asGated(options.activation);
  const checked = planBlock(checkGatedForm(activation, weights, layout), activation, options);
  return layout === undefined ? checked : { ...checked, layout };
}

/** Checks the options of a block of any form. */
export function planBlock(form: BlockForm, activation: Activation, options: FfnOptions<object>): BlockPlan {
  const { dModel, dFf } = options;
  for (const [name, value] of Object.entries({ dModel, dFf }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${name} is ${shown(value)}, expected a whole number, 1 or greater`);
  const weights = checkWeights(
    options.weights as Readonly<Record<string, Data | undefined>>,
    weightShapes(form, dModel, dFf),
    `this ${form.name} block`,
    (data, name, shape) => {
      const count = sizeOf(shape);
      if (checkData(data, name).length !== count)
        throw new RangeError(
          `${name} has ${data.length} elements, expected ${count} for [${shape.join(", ")}]`,
        );
    },
  );
  const parameters = checkParameters(activation, options.parameters ?? {});
  for (const [name, value] of Object.entries(parameters)) checkChannels(name, value, dFf, "dFf");
  return { form, dModel, dFf, weights, ...withoutLimits(activation, parameters) };
}

/**
 * Checks that every weight is given (biases may be missing) and that no other is, and calls `check` for each. Returns the weights
 * in the order of the shapes. `owner` and, in short, `needing` are what messages call the taker of the weights: "this gated block".
 */
export function checkWeights<T>(
  given: Readonly<Record<string, T | undefined>>,
  shapes: Readonly<Record<string, readonly number[]>>,
  owner: string,
  check: (weight: T, name: string, shape: readonly number[]) => void,
  needing = "this block",
): Record<string, T> {
  rejectUnknownKeys(given, Object.keys(shapes), "weight", owner);
  const required = Object.keys(shapes).filter((name) => !isBias(name));
  for (const name of required)
    if (own(given, name) === undefined)
      throw new TypeError(`weights.${name} is missing: ${needing} needs ${listing(required)}`);
  const weights: Record<string, T> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const weight = own(given, name);
    if (weight === undefined) continue;
    check(weight, `weights.${name}`, shape);
    weights[name] = weight;
  }
  return weights;
}

/** Checks the input of a forward pass, [rows, dModel], or a gradient of its output. */
export function checkRows(name: string, data: Data, rows: number, dModel: number): void {
  if (!Number.isSafeInteger(rows) || rows < 0)
    throw new RangeError(`rows is ${String(rows)}, expected a whole number, 0 or greater`);
  if (checkData(data, name).length !== rows * dModel)
    throw new RangeError(
      `${name} has ${data.length} elements, expected ${rows * dModel} for [rows ${rows}, dModel ${dModel}]`,
    );
}

/** Checks the caller's arrays and tensors for gradients: each has the name of x or of a weight given, and the length of that. */
export function checkGradientOutputs(
  { form, dModel, dFf, weights }: BlockPlan,
  rows: number,
  out: object = {},
): Readonly<Record<string, Data>> {
  const names = ["x", ...Object.keys(weights)];
  const shapes = weightShapes(form, dModel, dFf);
  rejectUnknownKeys(out, names, "gradient in out:", `this ${form.name} block`);
  const outputs = Object.entries(out as Readonly<Record<string, unknown>>)
    .filter(([, given]) => given !== undefined)
    .map(([name, given]) => {
      const data = checkData(given, `out.${name}`);
      const count = name === "x" ? rows * dModel : sizeOf(shapes[name] ?? []);
      checkLength(data, `out.${name}`, count);
      return { name, data };
    });
  checkDistinct(outputs);
  return Object.fromEntries(outputs.map(({ name, data }) => [name, data]));
}
