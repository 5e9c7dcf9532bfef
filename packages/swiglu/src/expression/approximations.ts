// What WebAssembly and WGSL share to compute special functions in float32: constants, the ends of ranges, and the functions to
// which each of them fits a polynomial of the degree that it needs.
import { expResidual } from "./special.js";

/** ln 2 in two parts. The first has so few digits that its product with a small whole number is exact. */
export const ln2High = 0.693359375;
export const ln2Low = Math.LN2 - ln2High;

/** In float32, e^z is 0 below `lowest` and infinite above `highest`. */
export const expRange = { lowest: -110, highest: 90 };
/** e^z is 2^n e^r. This is the largest |r|, ln 2 / 2, rounded up. */
export const largestRemainder = 0.3475;
/** (e^r - 1 - r) / r^2 */
export const expTail = (r: number): number => expResidual(r) / (r * r);

/** (f(y) - y) / y^3 as a function of t = y^2, for an odd function f whose series begins with y. Not for t = 0. */
export const oddTail =
  (f: (y: number) => number) =>
  (t: number): number => {
    const y = Math.sqrt(t);
    return (f(y) - y) / (t * y);
  };

/** tanh is a polynomial up to `size`; `square` is its square, rounded up. */
export const tanhNear = { size: 0.625, square: 0.391 };

/** atan is a polynomial up to tan(pi/8), whose square this is, rounded up. Larger arguments are reduced by `atanSteps`. */
export const atanSquare = 0.1716;
/** From tan(pi/8) on, atan(y) is pi/4 + atan((y - 1)/(y + 1)); from tan(3 pi/8) on, it is pi/2 + atan(-1/y). */
export const atanSteps = { middle: Math.SQRT2 - 1, far: Math.SQRT2 + 1 };

/** How many terms of the Chebyshev series in chebyshev.ts give float32 accuracy. */
export const singleTerms = { normalTail: 12, atanTail: 12 };
