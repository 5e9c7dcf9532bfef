// The operands of elementwise operations: tensors of one element type, each as small as broadcasting allows.
import { kindOf } from "./checks.js";
import { broadcastShapes, sameShape } from "./shapes.js";
import { constant, type Operand, Tensor } from "./tensor.js";
import type { Shape } from "./types.js";

/**
 * Operands as tensors of one element type; a number takes the type of the tensor beside it. `names` are what the
 * caller calls them.
 */
export function operands(where: string, values: readonly Operand[], names?: readonly string[]): Tensor[] {
  values.forEach((value, i) => {
    if (typeof value === "number" || value instanceof Tensor) return;
    const name = names?.[i] ?? (values.length === 1 ? "the operand" : `operand ${i + 1}`);
    const hint = value === undefined ? "; is the name of a parameter misspelt?" : "";
    throw new TypeError(`${where}: ${name} is ${kindOf(value)}, expected a tensor or a number${hint}`);
  });
  const model = values.find((value): value is Tensor => value instanceof Tensor);
  if (!model) {
    throw new TypeError(
      `${where}: at least one operand must be a tensor, got ${values.join(" and ")}; constant(${values[0]}) makes one of a number`,
    );
  }
  return values.map((value) => {
    const tensor = value instanceof Tensor ? value : numberAs(where, value, model);
    if (tensor.dtype === model.dtype) return tensor;
    throw new TypeError(
      `${where}: operands are ${model.dtype} and ${tensor.dtype}; convert one of them with cast`,
    );
  });
}

function numberAs(where: string, value: number, { dtype }: Tensor): Tensor {
  try {
    return constant(value, dtype);
  } catch {
    throw new TypeError(
      `${where}: the number ${value} stands beside a tensor that is ${dtype}, which cannot hold it; convert the tensor with cast`,
    );
  }
}

/**
 * The tensors that an elementwise node reads. An operand may only repeat a smaller tensor (Expand); where broadcasting gives the
 * result's shape anyway, the node reads the smaller tensor. So the gradient of a sum never exists at full size.
 */
export function unexpanded(inputs: readonly Tensor[], shape: Shape, where: string): Tensor[] {
  return inputs.reduce<Tensor[]>(
    (read, x, i) => {
      if (x.source.kind !== "node" || x.source.node.name !== "Expand") return read;
      const candidate = read.with(i, x.source.node.inputs[0]!);
      const result = candidate.map((t) => t.shape).reduce((a, b) => broadcastShapes(a, b, where));
      return sameShape(result, shape) ? candidate : read;
    },
    [...inputs],
  );
}
