// The oracle: every activation of the catalogue as its formula is written in the papers, in decimal arithmetic with
// exact derivatives. It shares nothing with src/ but the names, so that the two check each other.
import type { activations } from "../../src/catalogue/catalogue.js";
import {
  atan,
  atlu,
  clamp,
  Dual,
  expm1,
  expResidual,
  min,
  normalCdf,
  relu,
  sigmoid,
  softClamp,
  softplus,
  tanh,
} from "./dual.js";
import { D, fromDouble, pi } from "./precise.js";

type Catalogue = typeof activations;
export type Name = keyof Catalogue;
type Known<Key> = Key extends string ? (string extends Key ? never : Key) : never;
/** The names of an activation's inputs and parameters. */
export type Variables<N extends Name> =
  | Catalogue[N]["inputs"][number]
  | Known<keyof Catalogue[N]["parameters"]>;

const swish = (x: Dual, beta: Dual | number): Dual => x.times(sigmoid(x.times(beta)));
const silu = (x: Dual): Dual => swish(x, 1);
const gelu = (x: Dual): Dual => x.times(normalCdf(x));
const geluTanh = (x: Dual): Dual => {
  const inner = x.plus(x.times(x).times(x).times(0.044715));
  return x.times(sigmoid(inner.times(new D(2).div(pi).sqrt().times(2))));
};
const quickGelu = (x: Dual): Dual => swish(x, 1.702);
const elu = (x: Dual, alpha: number): Dual => (x.value.greaterThan(0) ? x : expm1(x).times(alpha));
const selu = (x: Dual): Dual => elu(x, 1.6732632423543772).times(1.0507009873554805);
const six = (x: Dual): Dual => clamp(x, x.lift(0), x.lift(6));
const inverse = (x: Dual): Dual => x.chain(new D(1).div(x.value), new D(-1).div(x.value.times(x.value)));
const clampBoth = (x: Dual, limit: Dual): Dual => clamp(x, limit.negated(), limit);

/** One formula for each name of the catalogue, over its inputs and parameters. */
export const formulas: { readonly [N in Name]: (v: Readonly<Record<Variables<N>, Dual>>) => Dual } = {
  identity: ({ x }) => x,
  sigmoid: ({ x }) => sigmoid(x),
  tanh: ({ x }) => tanh(x),
  relu: ({ x }) => relu(x),
  relu2: ({ x }) => relu(x).times(relu(x)),
  elu: ({ x }) => elu(x, 1),
  selu: ({ x }) => selu(x),
  gelu: ({ x }) => gelu(x),
  geluTanh: ({ x }) => geluTanh(x),
  quickGelu: ({ x }) => quickGelu(x),
  swish: ({ x, beta }) => swish(x, beta),
  silu: ({ x }) => silu(x),
  hardSwish: ({ x }) => x.times(six(x.plus(3))).over(6),
  mish: ({ x }) => x.times(tanh(softplus(x))),
  softplus: ({ x }) => softplus(x),
  // s (1 + 2 alpha) - alpha = s + alpha (2 s - 1) and 2 s(x) - 1 = tanh(x/2), so that 60 digits do
  xsilu: ({ x, alpha }) => x.times(sigmoid(x).plus(alpha.times(tanh(x.over(2))))),
  // atan(x) (1 + 2 alpha)/pi + 1/2, the part without alpha apart, for the same reason
  xatlu: ({ x, alpha }) => atlu(x).plus(alpha.times(2).times(x).times(atan(x)).over(pi)),
  xielu: ({ x, alphaP, alphaN, beta }) =>
    (x.value.greaterThan(0) ? alphaP.times(x).times(x) : alphaN.times(expResidual(x))).plus(beta.times(x)),
  leakyRelu: ({ x, slope }) => (x.value.greaterThan(0) ? x : slope.times(x)),
  relu6: ({ x }) => (x.value.lessThan(6) ? relu(x) : x.lift(6)),
  gelu10: ({ x }) => clamp(gelu(x), x.lift(-10), x.lift(10)),
  laplace: ({ x, mu, sigma }) => normalCdf(x.minus(mu).times(inverse(sigma))),

  glu: ({ gate, up }) => sigmoid(gate).times(up),
  bilinear: ({ gate, up }) => gate.times(up),
  reglu: ({ gate, up }) => relu(gate).times(up),
  reglu2: ({ gate, up }) => relu(gate).times(relu(gate)).times(up),
  drelu: ({ gate, up }) => relu(gate).times(relu(up)),
  geglu: ({ gate, up }) => gelu(gate).times(up),
  gegluTanh: ({ gate, up }) => geluTanh(gate).times(up),
  gegluQuick: ({ gate, up }) => quickGelu(gate).times(up),
  seglu: ({ gate, up }) => selu(gate).times(up),
  swiglu: ({ gate, up, beta }) => swish(gate, beta).times(up),
  swigluOai: ({ gate, up, alpha, limit, offset }) =>
    swish(min(gate, limit), alpha).times(clampBoth(up, limit).plus(offset)),
  swigluClamped: ({ gate, up, limit }) => silu(min(gate, limit)).times(clampBoth(up, limit)),
  swigluStep: ({ gate, up, limit }) => min(silu(gate), limit).times(clampBoth(up, limit)),
  situGlu: ({ gate, up, gateLimit, upLimit }) =>
    softClamp(gate, gateLimit).times(sigmoid(gate)).times(softClamp(up, upLimit)),
  selfGlu: ({ gate, up }) => up.times(sigmoid(gate)),
  // 1 - s(z) is written s(-z), which is the same and needs no more than 60 digits
  swigluBlend: ({ gate, up, beta }) => {
    const z = gate.times(beta);
    return gate.times(sigmoid(z)).plus(sigmoid(z.negated()).times(up));
  },
};

/** An exact result and the scale of its rounding error: |f| + sum over the variables v of |v df/dv|. */
export interface Exact {
  readonly result: D;
  readonly scale: D;
}

/** Relative step of the differences that give the scales of the gradients; 1e-15 leaves 30 digits right. */
const step = 1e-15;

/** The exact value and gradient of an activation at doubles, with their error scales. */
export function exact(
  name: Name,
  point: Readonly<Record<string, number>>,
): { value: Exact; slopes: Record<string, Exact> } {
  const names = Object.keys(point);
  const at = names.map((variable) => fromDouble(point[variable]!));
  const here = evaluate(name, names, at);
  const nudged = names.map((_, i) =>
    [1 + step, 1 - step].map((factor) => evaluate(name, names, at.with(i, at[i]!.times(factor)))),
  );
  const sum = (terms: D[]): D => terms.reduce((total, term) => total.plus(term.abs()), new D(0));
  const value = {
    result: here.value,
    scale: sum([here.value, ...here.slopes.map((slope, i) => slope.times(at[i]!))]),
  };
  const slopes = names.map((variable, i) => {
    const changes = nudged.map(([more, less]) => more!.slopes[i]!.minus(less!.slopes[i]!).div(2 * step));
    return [variable, { result: here.slopes[i]!, scale: sum([here.slopes[i]!, ...changes]) }];
  });
  return { value, slopes: Object.fromEntries(slopes) };
}

/** The value alone, at decimals. */
export function valueAt(name: Name, point: Readonly<Record<string, D>>): D {
  return evaluate(name, Object.keys(point), Object.values(point)).value;
}

/** The formula on duals whose derivatives are in the given variables, in order. */
function evaluate(name: Name, names: readonly string[], values: readonly D[]): Dual {
  const seeds = names.map((variable, i) => [
    variable,
    new Dual(
      values[i]!,
      names.map((_, j) => new D(i === j ? 1 : 0)),
    ),
  ]);
  const formula: (v: Readonly<Record<string, Dual>>) => Dual = formulas[name];
  return formula(Object.fromEntries(seeds));
}
