// Computes the Chebyshev coefficients of packages/swiglu/src/expression/special.ts at 60 digits and prints them,
// with the error that each truncation leaves: node scripts/coefficients.mjs
import { Decimal } from "decimal.js";

const D = Decimal.clone({ precision: 110 });
const one = new D(1);
const pi = D.acos(-1);
const rootTwoPi = pi.times(2).sqrt();

/** exp(a^2/2) * Phi(-a): the power series up to 8, the continued fraction 1/(a + 1/(a + 2/(a + ...))) beyond. */
function scaledTail(a) {
  if (a.lessThan(8)) {
    let term = a;
    let sum = a;
    for (let n = 1; term.greaterThan(1e-70); n++) {
      term = term
        .times(a)
        .times(a)
        .div(2 * n + 1);
      sum = sum.plus(term);
    }
    return a.times(a).div(2).exp().div(2).minus(sum.div(rootTwoPi));
  }
  let tail = a;
  for (let n = 600; n > 0; n--) tail = a.plus(new D(n).div(tail));
  return one.div(tail.times(rootTwoPi));
}

/** (a + k) exp(a^2/2) Phi(-a) as a function of t = (a - k)/(a + k), which maps a >= 0 onto [-1, 1]. */
const normalTail = (k) => (t) => {
  const a = one.plus(t).times(k).div(one.minus(t));
  return scaledTail(a).times(a.plus(k));
};

/** (atan(y) - y/(1 + y^2)) / y^3 as a function of t = 2 y^2 - 1, for y in [0, 1]. */
function atanTail(t) {
  const square = one.plus(t).div(2);
  const u = square.div(one.plus(square));
  let term = new D(2).div(3);
  let sum = term;
  for (let n = 2; term.greaterThan(1e-70); n++) {
    term = term
      .times(u)
      .times(2 * n)
      .div(2 * n + 1);
    sum = sum.plus(term);
  }
  return sum.div(one.plus(square).pow(2));
}

/** Coefficients of f = c0 + c1 T1(t) + ... by interpolation at `nodes` Chebyshev points. */
function chebyshev(f, nodes, count) {
  const points = Array.from({ length: nodes }, (_, i) => pi.times(2 * i + 1).div(2 * nodes));
  const values = points.map((angle) => f(D.cos(angle)));
  return Array.from({ length: count }, (_, j) => {
    const sum = points.reduce((s, angle, i) => s.plus(values[i].times(D.cos(angle.times(j)))), new D(0));
    return sum.times(j === 0 ? 1 : 2).div(nodes);
  });
}

/** Prints a table of `terms` coefficients and, for each number of terms, the sum of what is left out over the smallest value. */
function print(name, f, terms) {
  const coefficients = chebyshev(f, 72, terms + 14);
  const smallest = D.min(...Array.from({ length: 41 }, (_, i) => f(new D(i - 20).div(20.5))));
  console.log(`\n${name}`);
  for (let n = 1; n <= terms; n++) {
    const left = coefficients.slice(n).reduce((sum, c) => sum.plus(c.abs()), new D(0));
    const error = left.div(smallest).toNumber().toExponential(1);
    console.log(`  ${coefficients[n - 1].toNumber()}, // ${n} terms: relative error below ${error}`);
  }
}

print("normalTail, k = 4", normalTail(new D(4)), 26);
print("atanTail", atanTail, 23);
