// An activation as functions of one element in WGSL: its value, or its gradients times dy. There are two forms of each: `plain`
// computes in f32, and is right for ordinary numbers; the other checks its arguments and its result, and is right for all.
import { type Activation, gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, mul } from "../../expression/expr.js";
import { textWithParts } from "../../expression/print.js";
import { constantsFit, emitWgsl, mayVanish } from "../wgsl/emit.js";
import { functions } from "../wgsl/functions.js";
import { type Library, withDeclarations } from "../wgsl/text.js";
import { wideFunctions } from "../wgsl/wide.js";

/** What the functions compute. `inputGradients` leaves out the gradients of parameters. */
export type Computed = "value" | "gradients" | "inputGradients";

export interface ElementFunctions {
  /** The declarations of both functions, and of all that they need. */
  readonly code: string;
  /** The function that is right for all arguments. */
  readonly name: string;
  /** The function for ordinary numbers whose result is finite. */
  readonly plain: string;
  /** The arguments of both functions, each an f32: inputs, `dy` for gradients, parameters. */
  readonly parameters: readonly string[];
  /** Whether float32 can hold all constants of the formula. If not, `plain` is never right. */
  readonly constantsFit: boolean;
  /** Whether `plain` may set the private variable `vanishing`. Where it does, its result is not right. */
  readonly mayVanish: boolean;
  /** The fields of the result, a struct `Gradients`. A value has none: it is an f32. */
  readonly fields: readonly string[];
}

/** The name of a parameter in WGSL. No keyword and no function begins with `p_`. */
export const parameterName = (name: string): string => `p_${name}`;

/** Tests of numbers. They look at bits, since compilers may assume that numbers are finite. */
const inspections: Library = {
  ordinary: `fn ordinary(v: vec4f) -> vec4<bool> { // 0, or from 2^-126 to 2^32
  let bits = bitcast<vec4u>(v) & vec4u(0x7fffffffu);
  return (bits < vec4u(0x4f800000u)) & (bits - vec4u(1u) >= vec4u(0x007fffffu));
}`,
  finite: `fn finite(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7f800000u)) != vec4u(0x7f800000u);
}`,
  number: `fn number(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) <= vec4u(0x7f800000u);
}`,
};

/** The condition that all values pass one of the tests. */
export function allPass(inspection: "ordinary" | "finite" | "number", values: readonly string[]): string {
  const tests: string[] = [];
  for (let i = 0; i < values.length; i += 4) {
    const four = values.slice(i, i + 4);
    const [first = ""] = four;
    const vector =
      four.length === 1 ? `vec4f(${first})` : `vec4f(${[...four, "0f", "0f"].slice(0, 4).join(", ")})`;
    tests.push(`all(${inspection}(${vector}))`);
  }
  return tests.join(" && ");
}

/**
 * The functions of an activation. They are named after it: `swiglu_value(gate, up, p_beta)` is an f32, and
 * `swiglu_gradients(gate, up, dy, p_beta)` a `Gradients` with the fields gate, up and p_beta, which already holds dy.
 */
export function elementFunctions(activation: Activation, computed: Computed): ElementFunctions {
  const { inputs, name } = activation;
  const parameterNames = Object.keys(activation.parameters);
  const forward = computed === "value";
  const nameOf = (variable: string): string =>
    parameterNames.includes(variable) ? parameterName(variable) : variable;
  const differentiated = computed === "gradients" ? [...inputs, ...parameterNames] : inputs;
  const slopes = gradientExpressions(activation);
  const expressions = forward
    ? [activation.expression]
    : differentiated.map((variable) => mul(slopes[variable] as Expr, "dy"));
  const given = [...inputs, ...(forward ? [] : ["dy"])];
  const parameters = [...given, ...parameterNames.map(parameterName)];
  const fields = forward ? [] : differentiated.map(nameOf);

  const fit = constantsFit(expressions);
  const vanishes = mayVanish(expressions);
  const checked = `${name}_${forward ? "value" : "gradients"}`;
  const plain = `${checked}_plain`;
  const type = forward ? "f32" : "Gradients";
  const list = parameters.join(", ");
  const signature = (number: string): string => parameters.map((each) => `${each}: ${number}`).join(", ");
  const result = (values: readonly string[]): string =>
    forward ? (values[0] as string) : `Gradients(${values.join(", ")})`;
  const body = (arithmetic: "real" | "wide"): string => {
    const { statements, results } = emitWgsl(expressions, arithmetic, nameOf);
    const values = arithmetic === "real" ? results : results.map((value) => `narrow(${value})`);
    return [...statements, `return ${result(values)};`].map((line) => `  ${line}`).join("\n");
  };
  const results = forward ? ["result"] : fields.map((field) => `result.${field}`);
  const usual = [
    ...(vanishes ? ["!vanishing"] : []),
    allPass("ordinary", parameters),
    allPass("finite", results),
  ].join(" && ");
  const nan = `bitcast<f32>(bitcast<u32>(${given[0]}) | 0x7fc00000u)`;
  const code = [
    ...(forward ? [] : [`struct Gradients { ${fields.map((field) => `${field}: f32`).join(", ")} }`]),
    `// ${name}: ${textWithParts(activation.expression)}${forward ? "" : "; its derivatives times dy"}
fn ${plain}(${signature("f32")}) -> ${type} {
${body("real")}
}`,
    `fn ${checked}_wide(${signature("Wide")}) -> ${type} {
${body("wide")}
}`,
    `fn ${checked}(${signature("f32")}) -> ${type} {
${vanishes ? "  vanishing = false;\n" : ""}  let result = ${plain}(${list});
${fit ? `  if (${usual}) { return result; }\n` : ""}  if (!(${allPass("number", given)})) {
    let nan = ${nan};
    return ${result(forward ? ["nan"] : fields.map(() => "nan"))};
  }
  return ${checked}_wide(${parameters.map((each) => `widen(${each})`).join(", ")});
}`,
  ].join("\n\n");
  return { code, name: checked, plain, parameters, fields, constantsFit: fit, mayVanish: vanishes };
}

/** The code, with the declarations of all functions that it calls. */
export const complete = (code: string): string =>
  withDeclarations({ ...functions, ...wideFunctions, ...inspections }, code);
