// Any elementwise expression as one operation: an activation from the catalogue, or one of your own. Its gradient is
// made of other expressions, by exact differentiation.
import { differentiate, type Expr, expressions, simplify } from "swiglu";
import { emitNodes } from "swiglu/onnx";
import { operands, unexpanded } from "../operands.js";
import { broadcastShapes } from "../shapes.js";
import { constant, node, type Tensor } from "../tensor.js";
import { mul } from "./arithmetic.js";
import { sumTo } from "./broadcast.js";

export interface ActivateOptions {
  /**
   * `exact` (default) goes through Exp and meets the library's error bound; `fast` uses the runtime's own Sigmoid,
   * Tanh and Erf, which on ONNX Runtime's CPU lose the tails (Sigmoid is off by 1e-5 of its value at -5, 0 from -18).
   */
  readonly math?: "exact" | "fast";
}

/**
 * The expression's value for tensors in the place of its variables; they broadcast, so that a parameter may be a
 * scalar [] or one value per channel [channels], and receives its gradient in that shape. Errors name a variable
 * without a tensor.
 * Example: `activate(activations.swiglu.expression, { gate, up, beta })`.
 */
export function activate(
  expression: Expr,
  variables: Readonly<Record<string, Tensor>>,
  options: ActivateOptions = {},
): Tensor {
  const simple = simplify(expression);
  const names = [...expressions.variablesOf(simple)];
  const missing = names.find((name) => !variables[name]);
  if (missing !== undefined) {
    throw new Error(
      `activate: the expression uses ${missing}, but there are tensors for ${Object.keys(variables).join(", ")} only`,
    );
  }
  const given = names.map((name) => variables[name]!);
  if (simple.op === "num") {
    return constant(simple.value, Object.values(variables)[0]?.dtype);
  }
  const dtype = operands("activate", given)[0]!.dtype;
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
        ...options,
      }),
    backward: ([dy]) =>
      names.map(
        (name, i) =>
          dy && sumTo(mul(dy, activate(differentiate(simple, name), variables, options)), inputs[i]!.shape),
      ),
  })[0]!;
}
