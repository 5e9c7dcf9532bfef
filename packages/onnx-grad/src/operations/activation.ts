// Any elementwise expression as one operation: an activation from the catalogue, or one of your own. Its gradient is
// made of other expressions, by exact differentiation.
import { differentiate, type Expr, expressions, simplify } from "swiglu";
import { defaultMath, emitNodes, type OnnxMath } from "swiglu/onnx";
import { kindOf } from "../graph/checks.js";
import { operands, unexpanded } from "../graph/operands.js";
import { broadcastShapes } from "../graph/shapes.js";
import { constant, node, type Operand, Tensor } from "../graph/tensor.js";
import { checkFloats } from "../graph/tensor-checks.js";
import { mul } from "./arithmetic.js";
import { sumTo } from "./broadcast.js";

export interface ActivateOptions {
  /**
   * `exact` (the default everywhere, so that the library's bound holds unless it is given up by name) goes through Exp;
   * `fast` uses the runtime's own Sigmoid, Tanh and Erf, which on ONNX Runtime's CPU lose the tails (Sigmoid is off by 1e-5
   * of its value at -5, and 0 below -18). Float64 is always exact: the runtime lacks most of those operators there.
   */
  readonly math?: OnnxMath;
}

/**
 * The expression's value for tensors in the place of its variables; they broadcast, so that a parameter may be a
 * scalar [] or one value per channel [channels], and receives its gradient in that shape. A number stands for a constant,
 * beside at least one tensor. Errors name a variable without a value, and one that is neither.
 * Examples: `activate(activations.swiglu.expression, { gate, up, beta })`, `activate(..., { gate, up, beta: 1 })`.
 */
export function activate(
  expression: Expr,
  variables: Readonly<Record<string, Operand>>,
  options: ActivateOptions = {},
): Tensor {
  const { math = defaultMath } = options;
  if (math !== "exact" && math !== "fast")
    throw new RangeError(`activate: math is ${JSON.stringify(math)}, expected "exact" or "fast"`);
  if (typeof expression !== "object" || expression === null || !("op" in expression)) {
    throw new TypeError(
      `activate: the expression is ${kindOf(expression)}, expected one of swiglu, as activations.silu.expression`,
    );
  }
  if (typeof variables !== "object" || variables === null)
    throw new TypeError(
      `activate: the variables are ${kindOf(variables)}, expected tensors by name, as { x }`,
    );
  const simple = simplify(expression);
  const names = [...expressions.variablesOf(simple)];
  const missing = names.find((name) => !Object.hasOwn(variables, name));
  if (missing !== undefined) {
    throw new TypeError(
      `activate: the expression uses ${missing}, but there are tensors for ${Object.keys(variables).join(", ")} only`,
    );
  }
  if (simple.op === "num") {
    const beside = Object.values(variables).find((value) => value instanceof Tensor);
    return constant(simple.value, beside?.dtype);
  }
  const given = operands(
    "activate",
    names.map((name) => variables[name]!),
    names,
  );
  checkFloats("activate", Object.fromEntries(names.map((name, i) => [name, given[i]!])));
  const dtype = given[0]!.dtype;
  const shape = given.map((x) => x.shape).reduce((a, b) => broadcastShapes(a, b, "activate"));
  const inputs = unexpanded(given, shape, "activate");
  return node({
    name: "Activation",
    inputs,
    outputs: [{ dtype, shape }],
    emit: (tensors, outputs, prefix) =>
      emitNodes([simple], {
        inputs: Object.fromEntries(names.map((name, i) => [name, tensors[i]!])),
        outputs,
        prefix,
        dtype: dtype === "float64" ? dtype : "float32",
        math,
      }),
    backward: ([dy]) =>
      names.map((name, i) =>
        dy && typeof variables[name] !== "number"
          ? sumTo(mul(dy, activate(differentiate(simple, name), variables, options)), inputs[i]!.shape)
          : undefined,
      ),
  })[0]!;
}
