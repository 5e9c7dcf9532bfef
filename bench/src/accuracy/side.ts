// One process that checks parts of functions on request, a line of JSON each; as many run at once as there are cores.

import { setPriority } from "node:os";
import { createInterface } from "node:readline";
import { type Activation, activationByName, type SyncBackend, wasm } from "swiglu";
import { Checker } from "./check.js";
import { blocks, partOf } from "./inputs.js";
import { digestOfModules, noteModules } from "./kernels.js";

/** A part of a function to check; without one, the answer is a digest of the function's kernels. */
export interface Request {
  readonly name: string;
  readonly part?: number;
  readonly stride: number;
}

setPriority(19);
noteModules();
const backends: Record<string, SyncBackend> = {};
for (const simd of ["plain", "relaxed"] as const) {
  try {
    backends[simd] = await wasm({ simd, threads: 1 });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}

const checkers = new Map<string, { readonly checker: Checker; readonly code: string }>();

/** The checker of a function; its first block, of one element, makes the kernels. */
function checkerOf(activation: Activation) {
  const known = checkers.get(activation.name);
  if (known !== undefined) return known;
  digestOfModules();
  const checker = new Checker(activation, backends);
  const one = Float32Array.of(1);
  checker.check({ inputs: activation.inputs.map(() => one), dy: one, parameters: activation.parameters });
  checker.take();
  const made = { checker, code: digestOfModules() };
  checkers.set(activation.name, made);
  return made;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, part, stride }: Request = JSON.parse(line);
  const activation: Activation = activationByName(name);
  const { checker, code } = checkerOf(activation);
  if (part !== undefined)
    for (const block of blocks(activation, partOf(activation, part, stride))) checker.check(block);
  process.stdout.write(`${JSON.stringify(part === undefined ? code : checker.take())}\n`);
}
for (const backend of Object.values(backends)) backend.dispose();
