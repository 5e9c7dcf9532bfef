// The one table of the forms of a feed-forward block: the products before the activation, and the product that each input of the
// activation is. Weights, shapes and the order of the backward pass follow from it. No other code tells forms apart.
import type { Activation } from "../catalogue/activation.js";

/** One matrix product: `weight` (with the optional bias `${weight}Bias`) times the block's input `x` or an earlier product. */
export interface BlockProduct {
  readonly weight: string;
  readonly from: string;
  /** How many times dFf its columns are: 2 where gate and up are one matrix. Default 1. */
  readonly times?: 2;
}

/** Where an input of the activation comes from: a whole product, or a half of a packed one. */
export interface InputSource {
  readonly product: string;
  readonly half?: "gate" | "up";
}

export interface BlockForm {
  /** The name in messages: "this gated block". */
  readonly name: string;
  /** The products before the activation, in the order of the forward pass. */
  readonly products: readonly BlockProduct[];
  /** The source of each input of the activation, in the activation's order. */
  readonly inputs: readonly InputSource[];
}

const fromX = (weight: string): BlockProduct => ({ weight, from: "x" });
const selfGated = [fromX("in"), { weight: "square", from: "in" }];

/**
 * The forms. A self-gated activation says which of its inputs is the layer's own input: that is the product `in`, and the other
 * is a square product of it.
 *
 *     ungated     x -> up ---------> activation -> down
 *     gated       x -> gate, up ---> activation -> down
 *     packed      x -> packed -----> activation -> down     (the halves of one product)
 *     selfGate    x -> in -> square  activation(in, square) -> down
 *     selfUp      x -> in -> square  activation(square, in) -> down
 */
export const forms = {
  ungated: { name: "ungated", products: [fromX("up")], inputs: [{ product: "up" }] },
  gated: {
    name: "gated",
    products: [fromX("gate"), fromX("up")],
    inputs: [{ product: "gate" }, { product: "up" }],
  },
  packed: {
    name: "packed",
    products: [{ weight: "packed", from: "x", times: 2 }],
    inputs: [
      { product: "packed", half: "gate" },
      { product: "packed", half: "up" },
    ],
  },
  selfGate: {
    name: "selfGated",
    products: selfGated,
    inputs: [{ product: "in" }, { product: "square" }],
  },
  selfUp: {
    name: "selfGated",
    products: selfGated,
    inputs: [{ product: "square" }, { product: "in" }],
  },
} as const satisfies Readonly<Record<string, BlockForm>>;

/** The form of a gated block with weights of these names. */
export function gatedFormOf({ self }: Activation, weights: object): BlockForm {
  const has = (name: string): boolean => Object.hasOwn(weights, name);
  if (!has("in")) return has("packed") ? forms.packed : forms.gated;
  return self === "gate" ? forms.selfGate : forms.selfUp;
}

/** The shapes of all weights of a form by name, biases included, in the order of the forward pass. */
export function weightShapes(
  { products }: BlockForm,
  dModel: number,
  dFf: number,
): Readonly<Record<string, readonly number[]>> {
  const widths = new Map([["x", dModel]]);
  const shapes: Record<string, readonly number[]> = {};
  for (const { weight, from, times = 1 } of products) {
    widths.set(weight, times * dFf);
    shapes[weight] = [widths.get(from) as number, times * dFf];
    shapes[`${weight}Bias`] = [times * dFf];
  }
  return { ...shapes, down: [dFf, dModel], downBias: [dModel] };
}

/** Whether a weight may be left out. */
export const isBias = (weight: string): boolean => weight.endsWith("Bias");

/** The products in the order of the backward pass: the last ones first, and those of the same source together. */
export function backwardOrder({ products }: BlockForm): readonly (readonly BlockProduct[])[] {
  const sources = [...new Set(products.map(({ from }) => from))].reverse();
  return sources.map((source) => products.filter(({ from }) => from === source));
}

/**
 * A form as fused kernels see it, which compute the activation together with the product before it. That last product is either
 * all products of x at once, or the one product of another product.
 */
export interface FusedForm {
  /** The weights of the products of x. A packed weight counts as its halves, gate and up. */
  readonly first: readonly string[];
  /** Self-gated forms: the weight of the product of the first product. */
  readonly second?: string;
  /** The numbers of the inputs of the activation that the last product gives. */
  readonly produced: readonly number[];
}

/** Throws an Error for a form that has other products. */
export function fusedForm({ name, products, inputs }: BlockForm): FusedForm {
  const [second, ...more] = products.filter(({ from }) => from !== "x").map(({ weight }) => weight);
  const [own] = products;
  if (second === undefined)
    return {
      first: inputs.map(({ product, half }) => half ?? product),
      produced: inputs.map((_, i) => i),
    };
  if (more.length > 0 || products.length !== 2 || own === undefined)
    throw new Error(`this backend has no kernels for ${name} blocks: use reference()`);
  const produced = inputs.flatMap(({ product }, i) => (product === second ? [i] : []));
  return { first: [own.weight], second, produced };
}
