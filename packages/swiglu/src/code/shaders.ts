// WGSL, GLSL and CUDA: functions of one float32. Their own exp and log are as good as the driver's.
import { float32 } from "../expression/bound.js";
import { atom, Binding } from "../expression/brackets.js";
import {
  type Argument,
  arithmetic,
  type CodeFunction,
  type CodeRules,
  call,
  float32Text,
  hold,
  type Target,
  ternary,
} from "./rules.js";

/** What is the same in WGSL and GLSL. */
const shared = {
  ...arithmetic,
  abs: call("abs"),
  exp: call("exp"),
  expm1: "helper",
  expResidual: "helper",
  log: call("log"),
  sqrt: call("sqrt"),
  sigmoid: "helper",
  sigmoidSlope: "helper",
  softplus: "helper",
  // Drivers make NaN of their own tanh far out.
  tanh: "helper",
  tanhResidual: "helper",
  normalCdf: "helper",
  atan: call("atan"),
  atlu: "helper",
  atluSlope: "helper",
  min: call("min"),
  max: call("max"),
  softClamp: "helper",
  // Their own clamp is undefined where low > high.
  clamp: (a, low, high) => call("min")(call("max")(a, low), high),
} satisfies Partial<CodeRules>;

const body = (statements: readonly string[], result: string): string[] =>
  [...statements, `return ${result};`].map((line) => `  ${line}`);

const lines = (comment: readonly string[]): string[] => comment.map((line) => `// ${line}`);

const wgslRules: CodeRules = {
  ...shared,
  relu: (a) => atom(`max(${a.text}, 0f)`),
  selectGreater: (a, b, then, otherwise) =>
    atom(`select(${otherwise.text}, ${then.text}, ${hold(a, Binding.Sum)} > ${hold(b, Binding.Sum)})`),
};

export const wgsl: Target = {
  rules: wgslRules,
  precision: float32,
  number: (value) => `${float32Text(value).replace(/\.0$/, "")}f`,
  name: (name) => name,
  statement: (name, text) => `let ${name} = ${text};`,
  helpersFirst: false,
  write: ({ name, args, statements, result, comment }) =>
    [
      ...lines(comment),
      ...lines(defaultsOf(args)),
      `fn ${name}(${args.map((arg) => `${arg.name}: f32`).join(", ")}) -> f32 {`,
      ...body(statements, result),
      "}",
    ].join("\n"),
};

/** WGSL has no defaults: a remark says them. */
const defaultsOf = (args: readonly Argument[]): string[] => {
  const defaults = args.filter(({ value }) => value !== undefined);
  if (defaults.length === 0) return [];
  return [`Defaults: ${defaults.map(({ name, value }) => `${name} = ${value}`).join(", ")}.`];
};

const glslRules: CodeRules = {
  ...shared,
  relu: (a) => atom(`max(${a.text}, 0.0)`),
  selectGreater: ternary,
};

export const glsl: Target = {
  rules: glslRules,
  precision: float32,
  number: float32Text,
  name: (name) => name,
  statement: (name, text) => `float ${name} = ${text};`,
  helpersFirst: true,
  // A second function of the same name gives the defaults.
  write: (definition) => {
    const { name, args } = definition;
    const inputs = args.filter(({ value }) => value === undefined);
    const all = args.map((arg) => arg.value ?? arg.name);
    const withDefaults = cFunction(
      "float",
      { ...definition, args: inputs, statements: [], comment: [], result: `${name}(${all.join(", ")})` },
      false,
    );
    return [
      cFunction("float", definition, false),
      ...(inputs.length < args.length ? [withDefaults] : []),
    ].join("\n\n");
  },
};

const cudaRules: CodeRules = {
  ...arithmetic,
  abs: call("fabsf"),
  exp: call("expf"),
  expm1: call("expm1f"),
  expResidual: "helper",
  log: call("logf"),
  sqrt: call("sqrtf"),
  sigmoid: "helper",
  sigmoidSlope: "helper",
  softplus: (a) => arithmetic.add(atom(`fmaxf(${a.text}, 0.0f)`), atom(`log1pf(expf(-fabsf(${a.text})))`)),
  tanh: call("tanhf"),
  tanhResidual: "helper",
  normalCdf: call("normcdff"),
  atan: call("atanf"),
  atlu: "helper",
  atluSlope: "helper",
  relu: (a) => atom(`fmaxf(${a.text}, 0.0f)`),
  min: call("fminf"),
  max: call("fmaxf"),
  softClamp: "helper",
  clamp: (a, low, high) => call("fminf")(call("fmaxf")(a, low), high),
  selectGreater: ternary,
};

export const cuda: Target = {
  rules: cudaRules,
  precision: float32,
  number: (value) => `${float32Text(value)}f`,
  name: (name) => name,
  statement: (name, text) => `const float ${name} = ${text};`,
  helpersFirst: true,
  write: (definition) => cFunction("__device__ __forceinline__ float", definition, true),
};

function cFunction(
  type: string,
  { name, args, statements, result, comment }: CodeFunction,
  defaults: boolean,
): string {
  const list = args.map(
    (arg) => `float ${arg.name}${defaults && arg.value !== undefined ? ` = ${arg.value}` : ""}`,
  );
  return [...lines(comment), `${type} ${name}(${list.join(", ")}) {`, ...body(statements, result), "}"].join(
    "\n",
  );
}
