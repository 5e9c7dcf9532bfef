// Elementwise operations, each beside its gradient. Operands broadcast; numbers take the type of the tensor beside them.
import { elementCode } from "swiglu/onnx";
import { checkDtype, checkNumber } from "../graph/checks.js";
import { operands, unexpanded } from "../graph/operands.js";
import { broadcastShapes } from "../graph/shapes.js";
import { apply, type Operand, type Tensor } from "../graph/tensor.js";
import { checkFloats, checkTensors } from "../graph/tensor-checks.js";
import { type DType, isFloat } from "../graph/types.js";
import { sumTo } from "./broadcast.js";

type Reverse = (dy: Tensor, y: Tensor, ...inputs: readonly Tensor[]) => readonly (Tensor | undefined)[];

/** One elementwise ONNX node; the gradients are summed back to the shapes of the operands. */
function elementwise(op: string, values: readonly Operand[], reverse?: Reverse, dtype?: DType): Tensor {
  const inputs = operands(op, values);
  if (inputs[0]!.dtype === "bool" && op !== "Equal")
    throw new TypeError(`${op}: the operands are bool, which is not computed with; convert them with cast`);
  const shape = inputs.map((x) => x.shape).reduce((a, b) => broadcastShapes(a, b, op));
  return apply({
    op,
    inputs: unexpanded(inputs, shape, op),
    shape,
    ...(dtype && { dtype }),
    ...(reverse && { backward: reverseOf(reverse) }),
  });

  function reverseOf(of: Reverse) {
    return (dy: Tensor, y: Tensor) => {
      const read = unexpanded(inputs, shape, op);
      return of(dy, y, ...read).map((dx, i) => dx && sumTo(dx, read[i]!.shape));
    };
  }
}

/** `a + b` */
export function add(a: Operand, b: Operand): Tensor {
  return elementwise("Add", [a, b], (dy) => [dy, dy]);
}

/** `a - b` */
export function sub(a: Operand, b: Operand): Tensor {
  return elementwise("Sub", [a, b], (dy) => [dy, neg(dy)]);
}

/** `a * b` */
export function mul(a: Operand, b: Operand): Tensor {
  return elementwise("Mul", [a, b], (dy, _, x, z) => [mul(dy, z!), mul(dy, x!)]);
}

/** `a / b` */
export function div(a: Operand, b: Operand): Tensor {
  return elementwise("Div", [a, b], (dy, y, _, z) => [div(dy, z!), neg(div(mul(dy, y), z!))]);
}

/** An elementwise function of one tensor of floats. */
function float(op: string, x: Tensor, reverse: Reverse): Tensor {
  checkFloats(op, { x });
  return elementwise(op, [x], reverse);
}

/** `x ** exponent` for a fixed exponent. */
export function pow(x: Tensor, exponent: number): Tensor {
  checkFloats("pow", { x });
  checkNumber("pow", "the exponent", exponent);
  const reverse: Reverse = (dy) => [mul(dy, mul(pow(x, exponent - 1), exponent))];
  return elementwise("Pow", [x, exponent], reverse);
}

/** `-x` */
export function neg(x: Tensor): Tensor {
  return elementwise("Neg", [x], (dy) => [neg(dy)]);
}

/** `|x|`; gradient 0 at 0. */
export function abs(x: Tensor): Tensor {
  return elementwise("Abs", [x], (dy) => [mul(dy, elementwise("Sign", [x]))]);
}

/** `e ** x` */
export function exp(x: Tensor): Tensor {
  return float("Exp", x, (dy, y) => [mul(dy, y)]);
}

/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return float("Log", x, (dy) => [div(dy, x)]);
}

/** Square root. */
export function sqrt(x: Tensor): Tensor {
  return float("Sqrt", x, (dy, y) => [div(mul(dy, 0.5), y)]);
}

/** `1 / (1 + e ** -x)`. ONNX Runtime's CPU kernel is approximate below -5: `activate` is exact. */
export function sigmoid(x: Tensor): Tensor {
  return float("Sigmoid", x, (dy, y) => [mul(dy, mul(y, sub(1, y)))]);
}

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return float("Tanh", x, (dy, y) => [mul(dy, sub(1, mul(y, y)))]);
}

/** `max(0, x)`; gradient 0 at 0. */
export function relu(x: Tensor): Tensor {
  return float("Relu", x, (dy) => [mul(dy, cast(greater(x, 0), dy.dtype))]);
}

/** The larger operand; where they are equal, the gradient goes to `a`. */
export function maximum(a: Operand, b: Operand): Tensor {
  return elementwise("Max", [a, b], (dy, _, x, z) => choose(dy, greaterOrEqual(x!, z!)));
}

/** The smaller operand; where they are equal, the gradient goes to `a`. */
export function minimum(a: Operand, b: Operand): Tensor {
  return elementwise("Min", [a, b], (dy, _, x, z) => choose(dy, greaterOrEqual(z!, x!)));
}

/** `condition ? a : b` per element. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkTensors("where", { condition });
  if (condition.dtype !== "bool") {
    throw new TypeError(
      `where: the condition is ${condition.dtype}; it must be bool, as greater or equal make it`,
    );
  }
  const [x, z] = operands("where", [a, b]);
  const shape = [condition, x!, z!].map((t) => t.shape).reduce((m, n) => broadcastShapes(m, n, "where"));
  return apply({
    op: "Where",
    inputs: [condition, x!, z!],
    shape,
    dtype: x!.dtype,
    backward: (dy) => {
      const [da, db] = choose(dy, condition);
      return [undefined, sumTo(da, x!.shape), sumTo(db, z!.shape)];
    },
  });
}

function choose(dy: Tensor, first: Tensor): [Tensor, Tensor] {
  return [where(first, dy, 0), where(first, 0, dy)];
}

/** `a > b`, as bool. */
export function greater(a: Operand, b: Operand): Tensor {
  return elementwise("Greater", [a, b], undefined, "bool");
}

/** `a >= b`, as bool. */
export function greaterOrEqual(a: Operand, b: Operand): Tensor {
  return elementwise("GreaterOrEqual", [a, b], undefined, "bool");
}

/** `a == b`, as bool. */
export function equal(a: Operand, b: Operand): Tensor {
  return elementwise("Equal", [a, b], undefined, "bool");
}

/** Another element type. Gradients pass between float types. */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkTensors("cast", { x });
  checkDtype("cast: the result", dtype);
  if (x.dtype === dtype) return x;
  return apply({
    op: "Cast",
    inputs: [x],
    shape: x.shape,
    dtype,
    attributes: { to: { int: elementCode(dtype) } },
    backward: (dy) => [isFloat(dtype) && isFloat(x.dtype) ? cast(dy, x.dtype) : undefined],
  });
}
