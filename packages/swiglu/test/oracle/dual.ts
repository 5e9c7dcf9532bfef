// Decimal numbers that carry their exact derivatives along (forward differentiation), so that a formula written once
// gives its value and its gradient. Each function below states its value and its slope, from precise.ts.
import * as precise from "./precise.js";
import { D } from "./precise.js";

/** A value and its derivatives in the variables, in a fixed order. */
export class Dual {
  constructor(
    readonly value: D,
    readonly slopes: readonly D[],
  ) {}

  plus(other: Dual | number): Dual {
    const b = this.lift(other);
    return this.combine(b, this.value.plus(b.value), (da, db) => da.plus(db));
  }
  minus(other: Dual | number): Dual {
    const b = this.lift(other);
    return this.combine(b, this.value.minus(b.value), (da, db) => da.minus(db));
  }
  times(other: Dual | number | D): Dual {
    const b = this.lift(other);
    return this.combine(b, this.value.times(b.value), (da, db) =>
      da.times(b.value).plus(db.times(this.value)),
    );
  }
  over(divisor: number | D): Dual {
    return this.chain(this.value.div(divisor), new D(1).div(divisor));
  }
  negated(): Dual {
    return this.chain(this.value.neg(), new D(-1));
  }
  /** A function of this number, from the function's value and slope here. */
  chain(value: D, slope: D): Dual {
    return new Dual(
      value,
      this.slopes.map((own) => own.times(slope)),
    );
  }
  /** A constant with as many derivatives as this number has; the constant's decimal digits are taken as they are written. */
  lift(other: Dual | number | D): Dual {
    if (other instanceof Dual) return other;
    return new Dual(
      new D(other),
      this.slopes.map(() => new D(0)),
    );
  }
  private combine(other: Dual, value: D, slope: (da: D, db: D) => D): Dual {
    return new Dual(
      value,
      this.slopes.map((da, i) => slope(da, other.slopes[i]!)),
    );
  }
}

const unary = (value: (x: D) => D, slope: (x: D) => D) => (x: Dual) =>
  x.chain(value(x.value), slope(x.value));

export const sigmoid = unary(precise.sigmoid, (x) => {
  const e = precise.exp(x.abs().neg());
  return e.div(e.plus(1).pow(2));
});
export const tanh = unary(precise.tanh, precise.sechSquared);
export const softplus = unary(precise.softplus, precise.sigmoid);
export const normalCdf = unary(precise.normalCdf, precise.normalDensity);
export const expm1 = unary(precise.expm1, precise.exp);
export const expResidual = unary(precise.expResidual, precise.expm1);
export const atan = unary(
  (x) => D.atan(x),
  (x) => new D(1).div(x.times(x).plus(1)),
);
/** x (atan(x)/pi + 1/2) */
export const atlu = unary((x) => x.times(precise.arctanCdf(x)), precise.atluSlope);

/** limit * tanh(x/limit) */
export function softClamp(x: Dual, limit: Dual): Dual {
  const z = x.value.div(limit.value);
  const inX = x.chain(limit.value.times(precise.tanh(z)), precise.sechSquared(z));
  const inLimit = limit.chain(new D(0), precise.tanhResidual(z));
  return inX.plus(inLimit);
}

/** max(0, x), with slope 0 at 0. */
export const relu = (x: Dual): Dual => (x.value.greaterThan(0) ? x : x.lift(0));
/** The smaller one; at equality the first. */
export const min = (x: Dual, limit: Dual): Dual => (x.value.greaterThan(limit.value) ? limit : x);
/** x within [low, high], with slope 1 at both bounds. */
export function clamp(x: Dual, low: Dual, high: Dual): Dual {
  if (x.value.greaterThan(high.value)) return high;
  return x.value.lessThan(low.value) ? low : x;
}
