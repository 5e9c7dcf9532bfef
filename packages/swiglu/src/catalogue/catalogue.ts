// The catalogue: every named activation, each as one definition. ARCHITECTURE.md says what else a new activation takes.
// Backends, layers, documents, plots and the lab pick it up from here.

import { listing, short, suggestion } from "../errors.js";
import {
  add,
  atan,
  atlu,
  clamp,
  div,
  expm1,
  expResidual,
  min,
  mul,
  neg,
  normalCdf,
  type Operand,
  relu,
  selectGreater,
  sigmoid,
  softClamp,
  softplus,
  sub,
  tanh,
} from "../expression/expr.js";
import { type Activation, defineActivation as define } from "./activation.js";

/** Klambauer's constants: they keep mean 0 and variance 1. */
const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

/** The functions that several entries are made of. */
const form = {
  swish: (x: Operand, beta: Operand) => mul(x, sigmoid(mul(beta, x))),
  silu: (x: Operand) => mul(x, sigmoid(x)),
  gelu: (x: Operand) => mul(x, normalCdf(x)),
  /**
   * 2 sqrt(2/pi) (x + 0.044715 x^3) is the sigmoid's argument. Its x is clamped far out, where the result has long since
   * rounded to 0 or x, so that the derivative never meets Inf * 0.
   */
  geluTanh: (x: Operand) => {
    const c = clamp(x, -30, 30);
    const scale = 2 * Math.sqrt(2 / Math.PI);
    return mul(x, sigmoid(mul(c, add(scale, mul(scale * 0.044715, mul(c, c))))));
  },
  quickGelu: (x: Operand) => mul(x, sigmoid(mul(1.702, x))),
  elu: (x: Operand, alpha: number) => selectGreater(x, 0, x, alpha === 1 ? expm1(x) : mul(alpha, expm1(x))),
  selu: (x: Operand) => mul(seluScale, form.elu(x, seluAlpha)),
};

const shazeer = "Shazeer 2020 (arXiv 2002.05202)";
const hendrycks = "Hendrycks and Gimpel 2016 (arXiv 1606.08415)";

export const activations = {
  identity: define({
    name: "identity",
    kind: "unary",
    expression: "x",
    source: "a linear layer's own output",
  }),
  sigmoid: define({
    name: "sigmoid",
    kind: "unary",
    expression: sigmoid("x"),
    source: "the logistic function",
  }),
  tanh: define({ name: "tanh", kind: "unary", expression: tanh("x"), source: "the hyperbolic tangent" }),
  relu: define({
    name: "relu",
    kind: "unary",
    expression: relu("x"),
    source: "Nair and Hinton 2010; as a feed-forward activation Vaswani et al. 2017 (arXiv 1706.03762)",
  }),
  relu2: define({
    name: "relu2",
    kind: "unary",
    expression: mul(relu("x"), relu("x")),
    source: "So et al. 2021, Primer (arXiv 2109.08668); used by Nemotron",
  }),
  elu: define({
    name: "elu",
    kind: "unary",
    expression: form.elu("x", 1),
    source: "Clevert, Unterthiner and Hochreiter 2015 (arXiv 1511.07289), alpha 1",
  }),
  selu: define({
    name: "selu",
    kind: "unary",
    expression: form.selu("x"),
    source: "Klambauer, Unterthiner, Mayr and Hochreiter 2017 (arXiv 1706.02515)",
  }),
  gelu: define({ name: "gelu", kind: "unary", expression: form.gelu("x"), source: hendrycks }),
  geluTanh: define({
    name: "geluTanh",
    kind: "unary",
    expression: form.geluTanh("x"),
    source: `${hendrycks}, the tanh approximation, written with a sigmoid; used by GPT-2`,
  }),
  quickGelu: define({
    name: "quickGelu",
    kind: "unary",
    expression: form.quickGelu("x"),
    source: `${hendrycks}, the sigmoid approximation; used by CLIP`,
  }),
  swish: define({
    name: "swish",
    kind: "unary",
    parameters: { beta: 1 },
    expression: form.swish("x", "beta"),
    source: "Ramachandran, Zoph and Le 2017 (arXiv 1710.05941), beta trainable",
  }),
  silu: define({
    name: "silu",
    kind: "unary",
    expression: form.silu("x"),
    source: `${hendrycks}; Elfwing, Uchibe and Doya 2017 (arXiv 1702.03118): swish with beta = 1`,
  }),
  hardSwish: define({
    name: "hardSwish",
    kind: "unary",
    expression: mul("x", div(add(clamp("x", -3, 3), 3), 6)),
    source: "Howard et al. 2019, MobileNetV3 (arXiv 1905.02244)",
  }),
  mish: define({
    name: "mish",
    kind: "unary",
    expression: mul("x", tanh(softplus("x"))),
    source: "Misra 2019 (arXiv 1908.08681)",
  }),
  softplus: define({
    name: "softplus",
    kind: "unary",
    expression: softplus("x"),
    source: "Dugas et al. 2001; the integral of the sigmoid",
  }),
  xsilu: define({
    name: "xsilu",
    kind: "unary",
    parameters: { alpha: 0 },
    expression: mul("x", add(sigmoid("x"), mul("alpha", tanh(div("x", 2))))),
    source:
      "expanded gating by the rule of Huang 2024 (arXiv 2405.20768): x (s(x) (1 + 2 alpha) - alpha), alpha trainable from 0",
  }),
  xatlu: define({
    name: "xatlu",
    kind: "unary",
    parameters: { alpha: 0 },
    // As published where x > 0; elsewhere in a form that does not cancel in the negative tail.
    expression: selectGreater(
      "x",
      0,
      mul("x", add(mul(mul(1 / Math.PI, atan("x")), add(1, mul(2, "alpha"))), 0.5)),
      add(atlu("x"), mul("alpha", mul(mul(2 / Math.PI, "x"), atan("x")))),
    ),
    source: "Huang 2024 (arXiv 2405.20768): x (atan(x) (1 + 2 alpha) / pi + 1/2), alpha trainable from 0",
  }),
  xielu: define({
    name: "xielu",
    kind: "unary",
    parameters: { alphaP: 0.8, alphaN: 0.8, beta: 0.5 },
    expression: add(
      selectGreater("x", 0, mul(mul("alphaP", "x"), "x"), mul("alphaN", expResidual("x"))),
      mul("beta", "x"),
    ),
    source:
      "Huang and Schlag 2024 (arXiv 2411.13010), used by Apertus; files store a and b with alphaP = softplus(a), alphaN = beta + softplus(b)",
  }),
  leakyRelu: define({
    name: "leakyRelu",
    kind: "unary",
    parameters: { slope: 0.01 },
    expression: selectGreater("x", 0, "x", mul("slope", "x")),
    source: "Maas, Hannun and Ng 2013; the slope is PyTorch's negative_slope, ONNX's alpha",
  }),
  relu6: define({
    name: "relu6",
    kind: "unary",
    expression: min(6, relu("x")), // in this order the slope at 6 is 0, as PyTorch has it
    source: "Krizhevsky 2010; used by MobileNet",
  }),
  gelu10: define({
    name: "gelu10",
    kind: "unary",
    expression: clamp(form.gelu("x"), -10, 10),
    source: "transformers' gelu_10: gelu clipped to [-10, 10] (arXiv 2004.09602)",
  }),
  laplace: define({
    name: "laplace",
    kind: "unary",
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: these are the published digits, not the constant's.
    parameters: { mu: 0.707107, sigma: 0.282095 },
    // Held far out, where the result has long since rounded to 0 or 1, so that the derivative never meets Inf * 0.
    expression: normalCdf(clamp(div(sub("x", "mu"), "sigma"), -40, 40)),
    source: "Ma et al. 2022, Mega (arXiv 2209.10655): the normal distribution's cumulative function",
  }),

  glu: define({
    name: "glu",
    kind: "gated",
    expression: mul(sigmoid("gate"), "up"),
    source: "Dauphin, Fan, Auli and Grangier 2016 (arXiv 1612.08083), Facebook AI Research",
  }),
  bilinear: define({ name: "bilinear", kind: "gated", expression: mul("gate", "up"), source: shazeer }),
  reglu: define({ name: "reglu", kind: "gated", expression: mul(relu("gate"), "up"), source: shazeer }),
  reglu2: define({
    name: "reglu2",
    kind: "gated",
    // Up in the middle: the square alone may overflow where the product with a small up does not.
    expression: mul(relu("gate"), mul(relu("gate"), "up")),
    source: "relu2 in place of relu (Zhang et al. 2024, arXiv 2402.03804): BitNet",
  }),
  drelu: define({
    name: "drelu",
    kind: "gated",
    expression: mul(relu("gate"), relu("up")),
    source: "Song et al. 2024, TurboSparse (arXiv 2406.05955)",
  }),
  geglu: define({
    name: "geglu",
    kind: "gated",
    expression: mul(form.gelu("gate"), "up"),
    source: shazeer,
  }),
  gegluTanh: define({
    name: "gegluTanh",
    kind: "gated",
    expression: mul(form.geluTanh("gate"), "up"),
    source: `${shazeer}, with the tanh form of gelu: T5 v1.1, Gemma`,
  }),
  gegluQuick: define({
    name: "gegluQuick",
    kind: "gated",
    expression: mul(form.quickGelu("gate"), "up"),
    source: "ggml (GEGLU_QUICK), TransformerEngine (QGEGLU)",
  }),
  seglu: define({
    name: "seglu",
    kind: "gated",
    // The scale last: selu(gate) alone may overflow where the product with a small up does not.
    expression: mul(seluScale, mul(form.elu("gate", seluAlpha), "up")),
    source: "ActTensor: selu in place of swish",
  }),
  swiglu: define({
    name: "swiglu",
    kind: "gated",
    parameters: { beta: 1 },
    expression: mul(form.swish("gate", "beta"), "up"),
    source: `${shazeer}; beta = 1 in Llama, Mistral, Qwen, Phi-3 and most language models since`,
  }),
  swigluOai: define({
    name: "swigluOai",
    kind: "gated",
    parameters: { alpha: 1.702, limit: 7, offset: 1 },
    expression: mul(
      form.swish(min("gate", "limit"), "alpha"),
      add(clamp("up", neg("limit"), "limit"), "offset"),
    ),
    source:
      "OpenAI gpt-oss, its weights interleaved; MiniMax-M3, gate first or separate; Phi-3-small's gegelu with limit 20, interleaved. Engines call the parameters activation_alpha, swiglu_limit and activation_beta",
  }),
  swigluClamped: define({
    name: "swigluClamped",
    kind: "gated",
    parameters: { limit: 10 },
    expression: mul(form.silu(min("gate", "limit")), clamp("up", neg("limit"), "limit")),
    source: "DeepSeek-V4",
  }),
  swigluStep: define({
    name: "swigluStep",
    kind: "gated",
    parameters: { limit: 7 },
    expression: mul(min(form.silu("gate"), "limit"), clamp("up", neg("limit"), "limit")),
    source: "Step-3.5; another project uses the name for another function",
  }),
  situGlu: define({
    name: "situGlu",
    kind: "gated",
    parameters: { gateLimit: 4, upLimit: 25 },
    expression: mul(mul(softClamp("gate", "gateLimit"), sigmoid("gate")), softClamp("up", "upLimit")),
    source: "Kimi K3; where its activation_situ_linear_beta is null, upLimit is Infinity",
  }),
  selfGlu: define({
    name: "selfGlu",
    kind: "gated",
    self: "up",
    expression: mul("up", sigmoid("gate")),
    source:
      "the widely read article's GLU: x * sigmoid(Wx + b), without a value projection; up is the input itself",
  }),
  swigluBlend: define({
    name: "swigluBlend",
    kind: "gated",
    self: "gate",
    parameters: { beta: 1 },
    expression: add(form.swish("gate", "beta"), mul(sigmoid(neg(mul("beta", "gate"))), "up")),
    source:
      "the widely read article's SwiGLU: x * sigmoid(beta x) + (1 - sigmoid(beta x)) * (Wx + b), a highway-style blend; gate is the input itself",
  }),
} as const;

/** The catalogue's activation of that name. Throws a RangeError that suggests the nearest name. */
export function activationByName(name: string): Activation {
  if (Object.hasOwn(activations, name)) return activations[name as keyof typeof activations];
  const names = Object.keys(activations);
  throw new RangeError(
    `unknown activation ${short(String(name))}.${suggestion(name, names)} The catalogue has ${listing(names)}.`,
  );
}
