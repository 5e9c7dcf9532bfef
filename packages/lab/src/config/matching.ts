// Gives every variant a hidden width (dFf) with which its feed-forward block has as many parameters as the ungated
// relu block of dFf = 4 dModel, so that no variant wins by being larger.
import { activations } from "swiglu";
import { feedForwardParameters, type Variant } from "../model/index.js";
import { UserError } from "../system/errors.js";

/** The largest relative difference in parameters that counts as matched. */
const MATCH_TOLERANCE = 0.01;

export interface Match {
  readonly hidden: number;
  /** Parameters of one feed-forward block: weights, biases and trained activation parameters. */
  readonly parameters: number;
  /** parameters / target - 1 */
  readonly difference: number;
}

/** Parameters of the ungated relu block that all variants are matched to. */
export function targetParameters(width: number): number {
  const relu: Variant = { name: "relu", activation: activations.relu, trained: false };
  return feedForwardParameters(relu, width, 4 * width);
}

/** The hidden width whose parameter count is nearest to the target; it may be off by more than the tolerance. */
export function nearestMatch(variant: Variant, width: number): Match {
  const target = targetParameters(width);
  const at = (hidden: number): Match => {
    const parameters = feedForwardParameters(variant, width, hidden);
    return { hidden, parameters, difference: parameters / target - 1 };
  };
  let above = at(1);
  let below = above;
  while (above.difference < 0) {
    below = above;
    above = at(above.hidden + 1);
  }
  return Math.abs(below.difference) < Math.abs(above.difference) ? below : above;
}

/**
 * A match within 1 % for every variant, in the order given.
 *
 * @param heads attention heads, which every width must be a multiple of
 * @throws UserError naming the variant and the nearest width at which all variants match
 */
export function matchAll(variants: readonly Variant[], width: number, heads: number): Match[] {
  const matches = variants.map((variant) => nearestMatch(variant, width));
  const worst = matches.findIndex((match) => !isMatched(match));
  if (worst < 0) return matches;
  const { hidden, parameters, difference } = matches[worst]!;
  throw new UserError(
    `${variants[worst]!.name} cannot match the ${targetParameters(width)} feed-forward parameters of relu within 1 % ` +
      `at --width ${width}: the nearest, hidden width ${hidden}, has ${parameters} (${signedPercent(difference)}). ` +
      `The nearest width at which every variant matches is ${nearestWidth(variants, width, heads)}.`,
  );
}

function nearestWidth(variants: readonly Variant[], width: number, heads: number): number {
  for (let offset = heads; ; offset += heads) {
    for (const candidate of [width - offset, width + offset]) {
      if (candidate > 0 && variants.every((variant) => isMatched(nearestMatch(variant, candidate))))
        return candidate;
    }
  }
}

const isMatched = ({ difference }: Match): boolean => Math.abs(difference) <= MATCH_TOLERANCE;

const signedPercent = (ratio: number): string =>
  `${ratio < 0 ? "-" : "+"}${(100 * Math.abs(ratio)).toFixed(1)} %`;
