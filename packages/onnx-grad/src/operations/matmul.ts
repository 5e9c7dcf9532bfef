// Matrix products. Matrices go through Gemm, which transposes for free and adds a bias; batches through ONNX
// Runtime's FusedMatMul, which transposes as well. The gradients are products of the same kind.

import { checkNumber } from "../graph/checks.js";
import { operands } from "../graph/operands.js";
import { broadcastShapes } from "../graph/shapes.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { checkFloats } from "../graph/tensor-checks.js";
import type { Shape } from "../graph/types.js";
import { reshape, sumTo } from "./broadcast.js";

export interface MatmulOptions {
  /** Use the transpose of a's (b's) last two axes. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Factor on the product; default 1. */
  readonly scale?: number;
}

/**
 * `scale * op(a) op(b)` over the last two axes; leading axes are batches and broadcast.
 * Errors name both shapes where the inner sizes differ.
 * Example: `matmul(q, k, { transposeB: true, scale: 1 / Math.sqrt(d) })`.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, scale = 1 } = options;
  checkFloats("matmul", { a, b });
  checkNumber("matmul", "scale", scale);
  operands("matmul", [a, b]);
  if (a.rank < 2 || b.rank < 2) {
    throw new RangeError(`matmul: a is [${a.shape}] and b is [${b.shape}]; both need at least two axes`);
  }
  const [m, inner] = matrix(a.shape, transposeA);
  const [innerB, n] = matrix(b.shape, transposeB);
  if (inner !== innerB) {
    const of = (transposed: boolean): string => (transposed ? " transposed" : "");
    throw new RangeError(
      `matmul: a is [${a.shape}]${of(transposeA)} and b is [${b.shape}]${of(transposeB)}; the inner sizes ${inner} and ${innerB} must be equal`,
    );
  }
  const flat = a.rank === 2 && b.rank === 2;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), "matmul");
  return apply({
    op: flat ? "Gemm" : "FusedMatMul",
    domain: flat ? "" : "com.microsoft",
    inputs: [a, b],
    shape: [...batch, m, n],
    attributes: {
      transA: { int: Number(transposeA) },
      transB: { int: Number(transposeB) },
      alpha: { float: scale },
    },
    backward: (dy) => {
      const da = transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true, scale })
        : matmul(dy, b, { transposeB: !transposeB, scale });
      const db = transposeB
        ? matmul(dy, a, { transposeA: true, transposeB: transposeA, scale })
        : matmul(a, dy, { transposeA: !transposeA, scale });
      return [sumTo(da, a.shape), sumTo(db, b.shape)];
    },
  });
}

/**
 * `x weight + bias` over the last axis: x [..., in], weight [in, out], bias [out] (optional) -> [..., out].
 * One node: the bias is added inside the product.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  checkFloats("linear", { x, weight, ...(bias !== undefined && { bias }) });
  const [input, output] = weight.shape;
  if (weight.rank !== 2 || x.shape.at(-1) !== input || (bias && (bias.rank !== 1 || bias.size !== output))) {
    throw new RangeError(
      `linear: x is [${x.shape}], weight [${weight.shape}]${bias ? ` and bias [${bias.shape}]` : ""}; expected [..., in], [in, out] and [out]`,
    );
  }
  operands("linear", bias ? [x, weight, bias] : [x, weight]);
  const rows = reshape(x, [-1, input!]);
  const y = apply({
    op: "Gemm",
    inputs: bias ? [rows, weight, bias] : [rows, weight],
    shape: [rows.shape[0]!, output!],
    backward: (dy) => [
      matmul(dy, weight, { transposeB: true }),
      matmul(rows, dy, { transposeA: true }),
      ...(bias ? [sumTo(dy, bias.shape)] : []),
    ],
  });
  return reshape(y, [...x.shape.slice(0, -1), output!]);
}

function matrix(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [columns, rows] : [rows, columns];
}
