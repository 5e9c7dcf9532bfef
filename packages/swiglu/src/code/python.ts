// PyTorch, JAX and Keras: functions of tensors, which the framework differentiates.
import { float64 } from "../expression/bound.js";
import { atom, Binding, type Written as Text } from "../expression/brackets.js";
import { snakeCase } from "./names.js";
import {
  arithmetic,
  type CodeFunction,
  type CodeRules,
  call,
  hold,
  type Target,
  type Written,
} from "./rules.js";

const greater = (a: Text, b: Text): string => `${hold(a, Binding.Sum)} > ${hold(b, Binding.Sum)}`;
const isTensor = (a: Written): boolean => a.of === "inputs";

/** torch.clamp takes a number or a tensor as a bound, torch.minimum tensors only. */
const bounded =
  (side: "min" | "max", both: string) =>
  (a: Written, b: Written): Text => {
    if (isTensor(a) && isTensor(b)) return call(both)(a, b);
    const [tensor, bound] = isTensor(a) ? [a, b] : [b, a];
    return isTensor(tensor)
      ? atom(`torch.clamp(${tensor.text}, ${side}=${bound.text})`)
      : call(side === "min" ? "max" : "min")(a, b);
  };
const upTo = bounded("max", "torch.minimum");
const atLeast = bounded("min", "torch.maximum");

/** torch.where takes tensors of one type, and a number beside one; all else is made a tensor like what it is chosen by. */
const chosen = (a: Written, other: Written, like: Written): Text =>
  isTensor(a) || (a.of === "numbers" && isTensor(other))
    ? a
    : arithmetic.add(a, atom(`torch.zeros_like(${like.text})`));

const torchRules: CodeRules = {
  ...arithmetic,
  abs: call("torch.abs"),
  exp: call("torch.exp"),
  expm1: call("torch.expm1"),
  expResidual: "helper",
  log: call("torch.log"),
  sqrt: call("torch.sqrt"),
  sigmoid: call("torch.sigmoid"),
  sigmoidSlope: (a) => arithmetic.mul(call("torch.sigmoid")(a), call("torch.sigmoid")(arithmetic.neg(a))),
  // Beyond the threshold it is the line itself, which at the default of 20 would show in float64.
  softplus: (a) => atom(`torch.nn.functional.softplus(${a.text}, threshold=40.0)`),
  tanh: call("torch.tanh"),
  tanhResidual: "helper",
  // torch.special.ndtr loses the lower tail.
  normalCdf: (a) =>
    arithmetic.mul(atom("0.5"), call("torch.erfc")(arithmetic.mul(atom(String(-Math.SQRT1_2)), a))),
  atan: call("torch.atan"),
  atlu: "helper",
  atluSlope: "helper",
  relu: call("torch.relu"),
  min: upTo,
  max: atLeast,
  softClamp: (a, limit) => arithmetic.mul(limit, call("torch.tanh")(arithmetic.div(a, limit))),
  clamp: (a, low, high) =>
    isTensor(a) && low.of === high.of && !isTensor(low)
      ? call("torch.clamp")(a, low, high)
      : upTo({ ...atLeast(a, low), of: isTensor(a) || isTensor(low) ? "inputs" : a.of }, high),
  selectGreater: (a, b, then, otherwise) => {
    const like = isTensor(a) ? a : b;
    return call("torch.where")(
      atom(greater(a, b)),
      chosen(then, otherwise, like),
      chosen(otherwise, then, like),
    );
  },
};

const jaxRules: CodeRules = {
  ...arithmetic,
  abs: call("jnp.abs"),
  exp: call("jnp.exp"),
  expm1: call("jnp.expm1"),
  expResidual: "helper",
  log: call("jnp.log"),
  sqrt: call("jnp.sqrt"),
  sigmoid: call("jax.nn.sigmoid"),
  sigmoidSlope: (a) => arithmetic.mul(call("jax.nn.sigmoid")(a), call("jax.nn.sigmoid")(arithmetic.neg(a))),
  softplus: call("jax.nn.softplus"),
  tanh: call("jnp.tanh"),
  tanhResidual: "helper",
  normalCdf: call("jax.scipy.special.ndtr"),
  atan: call("jnp.arctan"),
  atlu: "helper",
  atluSlope: "helper",
  relu: call("jax.nn.relu"),
  min: call("jnp.minimum"),
  max: call("jnp.maximum"),
  softClamp: (a, limit) => arithmetic.mul(limit, call("jnp.tanh")(arithmetic.div(a, limit))),
  clamp: call("jnp.clip"),
  selectGreater: (a, b, then, otherwise) => call("jnp.where")(atom(greater(a, b)), then, otherwise),
};

const kerasRules: CodeRules = {
  ...arithmetic,
  abs: call("ops.abs"),
  exp: call("ops.exp"),
  expm1: call("ops.expm1"),
  expResidual: "helper",
  log: call("ops.log"),
  sqrt: call("ops.sqrt"),
  sigmoid: call("ops.sigmoid"),
  sigmoidSlope: (a) => arithmetic.mul(call("ops.sigmoid")(a), call("ops.sigmoid")(arithmetic.neg(a))),
  softplus: (a) => call("ops.logaddexp")(a, atom("0.0")),
  tanh: call("ops.tanh"),
  tanhResidual: "helper",
  // 1 + erf would lose the lower tail, and there is no erfc.
  normalCdf: "helper",
  atan: call("ops.arctan"),
  atlu: "helper",
  atluSlope: "helper",
  relu: call("ops.relu"),
  min: call("ops.minimum"),
  max: call("ops.maximum"),
  softClamp: (a, limit) => arithmetic.mul(limit, call("ops.tanh")(arithmetic.div(a, limit))),
  clamp: (a, low, high) => call("ops.minimum")(call("ops.maximum")(a, low), high),
  selectGreater: (a, b, then, otherwise) => call("ops.where")(atom(greater(a, b)), then, otherwise),
};

function pythonFunction({ name, args, statements, result, comment }: CodeFunction): string {
  const list = args.map((arg) => (arg.value === undefined ? arg.name : `${arg.name}=${arg.value}`));
  const [first, ...others] = comment.map((line) => line.replaceAll("\\", "\\\\").replaceAll('"', "'"));
  const remark =
    first === undefined
      ? []
      : others.length === 0
        ? [`"""${first}"""`]
        : [`"""${first}`, "", ...others, `"""`];
  return [
    `def ${name}(${list.join(", ")}):`,
    ...[...remark, ...statements, `return ${result}`].map((line) => (line === "" ? "" : `    ${line}`)),
  ].join("\n");
}

/** Whole numbers as floats, as 1.0, so that no framework computes in integers. */
function pythonNumber(value: number): string {
  if (Number.isNaN(value)) return 'float("nan")';
  if (!Number.isFinite(value)) return `${value < 0 ? "-" : ""}float("inf")`;
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const python = {
  precision: float64,
  number: pythonNumber,
  name: snakeCase,
  statement: (name: string, text: string): string => `${name} = ${text}`,
  helpersFirst: true,
  differentiated: true,
  write: pythonFunction,
} as const;

export const pytorch: Target = {
  ...python,
  head: "import torch",
  rules: torchRules,
  toTensor: (parameter, input) =>
    `${parameter} = torch.as_tensor(${parameter}, dtype=${input}.dtype, device=${input}.device)`,
};

export const jax: Target = { ...python, head: "import jax\nimport jax.numpy as jnp", rules: jaxRules };

export const keras: Target = { ...python, head: "from keras import ops", rules: kerasRules };
