// Checks of tensors: whether an argument is one, and whether its elements are numbers, or floats.
import { isTensorLike, kindOf } from "./checks.js";
import type { Tensor } from "./tensor.js";
import { isFloat } from "./types.js";

/** Throws unless all of these, by name, are tensors; undefined ones too, as of a misspelt parameter. */
export function checkTensors(where: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (isTensorLike(value)) continue;
    const hint =
      typeof value === "number"
        ? `; constant(${value}) makes one of a number`
        : value === undefined
          ? "; is the name of a parameter misspelt?"
          : "";
    throw new TypeError(`${where}: ${name} is ${kindOf(value)}, expected a tensor${hint}`);
  }
}

/** Throws unless x is a tensor of numbers. */
export function checkNumeric(where: string, x: Tensor): void {
  checkTensors(where, { x });
  if (x.dtype === "bool")
    throw new TypeError(`${where}: x is bool, which is not computed with; convert it with cast`);
}

/** Throws unless the tensors, by name, are floats. */
export function checkFloats(where: string, values: Readonly<Record<string, Tensor>>): void {
  checkTensors(where, values);
  for (const [name, { dtype }] of Object.entries(values)) {
    if (isFloat(dtype)) continue;
    throw new TypeError(`${where}: ${name} is ${dtype}, expected float32 or float64; convert it with cast`);
  }
}
