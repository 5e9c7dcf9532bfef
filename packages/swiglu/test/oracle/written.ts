// Every formula exactly as it is written in the papers, in plain floating point: inaccurate and unsafe, but it defines
// what IEEE arithmetic makes of infinities.
import { normalCdf } from "../../src/expression/special.js";
import type { Name, Variables } from "./formulas.js";

const { exp, max, min, tanh, atan, log1p, abs, PI, sqrt } = Math;
const s = (z: number): number => 1 / (1 + exp(-z));
const silu = (x: number): number => x * s(x);
const geluTanh = (x: number): number => x * s(2 * sqrt(2 / PI) * (x + 0.044715 * x ** 3));
const softplus = (x: number): number => max(x, 0) + log1p(exp(-abs(x)));
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * (exp(x) - 1));
const selu = (x: number): number => 1.0507009873554805 * elu(x, 1.6732632423543772);
const clamp = (x: number, low: number, high: number): number => min(max(x, low), high);

/** The formulas by name, over the same variables as the oracle's. */
export const writtenFormulas: {
  readonly [N in Name]: (v: Readonly<Record<Variables<N>, number>>) => number;
} = {
  identity: ({ x }) => x,
  sigmoid: ({ x }) => s(x),
  tanh: ({ x }) => tanh(x),
  relu: ({ x }) => max(0, x),
  relu2: ({ x }) => max(0, x) ** 2,
  elu: ({ x }) => elu(x, 1),
  selu: ({ x }) => selu(x),
  gelu: ({ x }) => x * normalCdf(x),
  geluTanh: ({ x }) => geluTanh(x),
  quickGelu: ({ x }) => x * s(1.702 * x),
  swish: ({ x, beta }) => x * s(beta * x),
  silu: ({ x }) => silu(x),
  hardSwish: ({ x }) => (x * clamp(x + 3, 0, 6)) / 6,
  mish: ({ x }) => x * tanh(softplus(x)),
  softplus: ({ x }) => softplus(x),
  xsilu: ({ x, alpha }) => x * (s(x) * (1 + 2 * alpha) - alpha),
  xatlu: ({ x, alpha }) => x * ((atan(x) * (1 + 2 * alpha)) / PI + 1 / 2),
  xielu: ({ x, alphaP, alphaN, beta }) =>
    x > 0 ? alphaP * x ** 2 + beta * x : alphaN * (exp(x) - 1 - x) + beta * x,
  leakyRelu: ({ x, slope }) => (x > 0 ? x : slope * x),
  relu6: ({ x }) => min(max(0, x), 6),
  gelu10: ({ x }) => clamp(x * normalCdf(x), -10, 10),
  laplace: ({ x, mu, sigma }) => normalCdf((x - mu) / sigma),
  glu: ({ gate, up }) => s(gate) * up,
  bilinear: ({ gate, up }) => gate * up,
  reglu: ({ gate, up }) => max(0, gate) * up,
  reglu2: ({ gate, up }) => max(0, gate) ** 2 * up,
  drelu: ({ gate, up }) => max(0, gate) * max(0, up),
  geglu: ({ gate, up }) => gate * normalCdf(gate) * up,
  gegluTanh: ({ gate, up }) => geluTanh(gate) * up,
  gegluQuick: ({ gate, up }) => gate * s(1.702 * gate) * up,
  seglu: ({ gate, up }) => selu(gate) * up,
  swiglu: ({ gate, up, beta }) => gate * s(beta * gate) * up,
  swigluOai: ({ gate, up, alpha, limit, offset }) => {
    const g = min(gate, limit);
    return g * s(alpha * g) * (clamp(up, -limit, limit) + offset);
  },
  swigluClamped: ({ gate, up, limit }) => silu(min(gate, limit)) * clamp(up, -limit, limit),
  swigluStep: ({ gate, up, limit }) => min(silu(gate), limit) * clamp(up, -limit, limit),
  situGlu: ({ gate, up, gateLimit, upLimit }) =>
    gateLimit * tanh(gate / gateLimit) * s(gate) * (upLimit * tanh(up / upLimit)),
  selfGlu: ({ gate, up }) => up * s(gate),
  swigluBlend: ({ gate, up, beta }) => gate * s(beta * gate) + (1 - s(beta * gate)) * up,
};
