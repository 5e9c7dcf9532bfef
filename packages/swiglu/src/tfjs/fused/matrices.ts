// Shared by the kernels with matrices: the rows of x, the weights that a call was given, and the outputs of their gradients.

import type { BlockPlan } from "../../block/plan.js";
import type { Tensor } from "../../call/data.js";
import { type GradientTargets, padded, tileRows, writePadded } from "../../wasm/face.js";
import type { Run } from "./workplace.js";

/** The address of an input's rows with padding: the tensor's own address if it needs none, otherwise that of a copy. */
export function matrix(run: Run, name: string): number {
  const [rows, columns] = run.shape(name) as [number, number];
  if (columns === padded(columns)) return run.address(name);
  const address = run.scratch.allocate(rows * padded(columns) + 8);
  writePadded(run.engine, address, () => run.numbers(name), [rows, columns]);
  return address;
}

/** The weights and biases among the inputs, by name. */
export function weightsGiven(run: Run): Record<string, Tensor> {
  const others = new Set(["x", "dy"]);
  const names = Object.keys(run.inputs).filter((name) => !others.has(name) && !name.includes("."));
  return Object.fromEntries(names.map((name) => [name, run.data(name)]));
}

/** Outputs for the gradients of x and the weights, in the order of the inputs, with room for whole tiles of rows. */
export function gradientTargets(run: Run, { weights }: BlockPlan): GradientTargets {
  const names = Object.keys(run.inputs).filter((name) => name === "x" || Object.hasOwn(weights, name));
  const addresses = new Map(
    names.map((name) => [name, run.output(run.shape(name), wholeRows(run.shape(name)))]),
  );
  const address = (name: string): number => addresses.get(name) as number;
  return { address, array: (name) => run.engine.heap.at(address(name), run.data(name).length) };
}

/** The size of a matrix whose last rows are a whole tile. */
const wholeRows = ([rows, columns = 1]: readonly number[]): number =>
  Math.ceil((rows as number) / tileRows) * tileRows * columns;
