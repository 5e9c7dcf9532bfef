// Checks of names, shapes, element types and numbers, and the sentences that say what is wrong with them.
import type { DType, Shape } from "./types.js";

/** The least and greatest whole number of each element type; undefined for floats. */
const ranges: { readonly [T in DType]: readonly [number, number] | undefined } = {
  float32: undefined,
  float64: undefined,
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  bool: [0, 1],
};

/** Throws unless this can be the name of an input or output, which is a key of the objects that runtimes take. */
export function checkName(where: string, name: string): void {
  if (typeof name !== "string" || name === "" || name === "__proto__")
    throw new TypeError(`${where}: the name is ${kindOf(name)}, expected a text (not empty, not __proto__)`);
}

/** Throws unless all sizes are whole numbers from 1 on. */
export function checkShape(where: string, shape: Shape): void {
  checkList(where, "the shape", shape);
  const wrong = shape.find((size) => !Number.isSafeInteger(size) || size < 1);
  if (wrong !== undefined) {
    throw new RangeError(
      `${where} has size ${wrong} in its shape [${shape}]; sizes are whole numbers from 1 on (leave out what has no elements)`,
    );
  }
}

/** Throws unless this is an element type. */
export function checkDtype(where: string, dtype: DType): void {
  if (!Object.hasOwn(ranges, dtype)) {
    throw new TypeError(`${where} has element type ${dtype}; there are ${Object.keys(ranges).join(", ")}`);
  }
}

/** Throws unless an element type that has no fractions can hold the numbers. */
export function checkValues(where: string, dtype: DType, data: ArrayLike<number>): void {
  const range = ranges[dtype];
  if (!range) return;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isInteger(value) && value >= range[0] && value <= range[1]) continue;
    throw new RangeError(
      `${where}: ${value} is not ${dtype === "bool" ? "a bool, 0 or 1" : `a whole number that ${dtype} can hold`}`,
    );
  }
}

/** Throws unless this is an array. */
export function checkList(where: string, name: string, list: unknown): void {
  if (!Array.isArray(list)) throw new TypeError(`${where}: ${name} is ${kindOf(list)}, expected an array`);
}

/** Throws unless this is a finite number. */
export function checkNumber(where: string, name: string, value: number): void {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TypeError(`${where}: ${name} is ${kindOf(value)}, expected a finite number`);
}

/** Whether a value has what tensors have, whichever copy of this package made it. */
export function isTensorLike(value: unknown): boolean {
  return typeof value === "object" && value !== null && "source" in value && "dtype" in value;
}

/** A value in words: a number as it is, everything else by its kind. */
export function kindOf(value: unknown): string {
  if (typeof value === "number" || value === null || value === undefined) return String(value);
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  return isTensorLike(value) ? "a tensor" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
