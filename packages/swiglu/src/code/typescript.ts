// TypeScript: functions of numbers, in float64.
import { float64 } from "../expression/bound.js";
import { atom } from "../expression/brackets.js";
import { arithmetic, type CodeRules, call, type Target, ternary } from "./rules.js";

const rules: CodeRules = {
  ...arithmetic,
  abs: call("Math.abs"),
  exp: call("Math.exp"),
  expm1: call("Math.expm1"),
  expResidual: "helper",
  log: call("Math.log"),
  sqrt: call("Math.sqrt"),
  sigmoid: "helper",
  sigmoidSlope: "helper",
  softplus: (a) => ({
    ...arithmetic.add(atom(`Math.max(${a.text}, 0)`), atom(`Math.log1p(Math.exp(-Math.abs(${a.text})))`)),
  }),
  tanh: call("Math.tanh"),
  tanhResidual: "helper",
  normalCdf: "helper",
  atan: call("Math.atan"),
  atlu: "helper",
  atluSlope: "helper",
  relu: (a) => atom(`Math.max(${a.text}, 0)`),
  min: call("Math.min"),
  max: call("Math.max"),
  softClamp: "helper",
  clamp: (a, low, high) => call("Math.min")(call("Math.max")(a, low), high),
  selectGreater: ternary,
};

export const typescript: Target = {
  rules,
  precision: float64,
  number: (value) => (Object.is(value, -0) ? "-0" : String(value)),
  name: (name) => name,
  statement: (name, text) => `const ${name} = ${text};`,
  helpersFirst: false,
  write: ({ name, args, statements, result, comment, helper }) => {
    const list = args.map((arg) =>
      arg.value === undefined ? `${arg.name}: number` : `${arg.name} = ${arg.value}`,
    );
    const remark = comment.length === 0 ? [] : ["/**", ...comment.map((line) => ` * ${line}`), " */"];
    return [
      ...remark,
      `${helper ? "" : "export "}function ${name}(${list.join(", ")}): number {`,
      ...[...statements, `return ${result};`].map((line) => `  ${line}`),
      "}",
    ].join("\n");
  },
};
