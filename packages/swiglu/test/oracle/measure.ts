// How far a result is from the exact one, in the units of the project's error bound.
import { type D, fromDouble } from "./precise.js";

/** A floating-point format: its relative step, its smallest normal and its largest number. */
export interface Format {
  readonly epsilon: number;
  readonly smallest: number;
  readonly largest: number;
}
export const float64Format: Format = { epsilon: 2 ** -52, smallest: 2 ** -1022, largest: Number.MAX_VALUE };
export const float32Format: Format = {
  epsilon: 2 ** -23,
  smallest: 2 ** -126,
  largest: (2 - 2 ** -23) * 2 ** 127,
};

type Point = Readonly<Record<string, number>>;

/** What a gated activation's gate is multiplied by last: up, or in swigluOai, the one with an offset, that + up clamped. */
function multiplier({ up, limit, offset }: Point): number {
  if (up === undefined || limit === undefined || offset === undefined) return Math.abs(up ?? 1);
  return Math.abs(offset + Math.max(-limit, Math.min(up, limit)));
}

/** How much `up` and the incoming gradient magnify what is lost below the smallest normal number. */
function magnification(point: Point): number {
  return Math.max(1, multiplier(point)) * Math.max(1, Math.abs(point.dy ?? 0));
}

/**
 * The absolute part of the bound. A sigmoid that underflows (half a denormal unit off) may still be multiplied twice by
 * a large input where a slope such as beta is tiny; with `epsilon/2 * input^2` below 1, so for all |input| < 2^12 in
 * float32, that adds nothing.
 */
export function floor(point: Point, { epsilon, smallest }: Format): number {
  const input = "beta" in point || "alpha" in point ? (point.x ?? point.gate ?? 0) : 0;
  return smallest * magnification(point) * Math.max(1, (epsilon / 2) * input * input);
}

/** Whether a result is a number of the format, also before `up` and the incoming gradient make it smaller. */
export function isRepresentable(result: number, point: Point, { largest }: Format): boolean {
  const reduction = Math.min(1, multiplier(point) || 1) * Math.min(1, Math.abs(point.dy ?? 1) || 1);
  return Math.abs(result) <= largest * reduction;
}

/** |own - exact| beyond the floor, in units of epsilon * scale: the bound allows 4. */
export function unitsOff(own: number, exact: D, scale: D, floorHere: number, { epsilon }: Format): number {
  if (!Number.isFinite(own)) return Number.POSITIVE_INFINITY;
  const error = fromDouble(own).minus(exact).abs().minus(floorHere);
  return error.lessThanOrEqualTo(0) ? 0 : error.div(scale).div(epsilon).toNumber();
}
