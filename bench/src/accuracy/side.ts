// One process that checks parts of functions on request, a line of JSON each; as many run at once as there are cores.

import { setPriority } from "node:os";
import { createInterface } from "node:readline";
import { type Activation, activationByName, type SyncBackend, wasm } from "swiglu";
import { Checker } from "./check.js";
import { blocks, partOf } from "./inputs.js";

/** A part of a function to check. */
export interface Request {
  readonly name: string;
  readonly part: number;
  readonly stride: number;
}

setPriority(19);
const backends: Record<string, SyncBackend> = {};
for (const simd of ["plain", "relaxed"] as const) {
  try {
    backends[simd] = await wasm({ simd, threads: 1 });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}

const checkers = new Map<string, Checker>();
for await (const line of createInterface({ input: process.stdin })) {
  const { name, part, stride }: Request = JSON.parse(line);
  const activation: Activation = activationByName(name);
  const checker = checkers.get(name) ?? new Checker(activation, backends);
  checkers.set(name, checker);
  for (const block of blocks(activation, partOf(activation, part, stride))) checker.check(block);
  process.stdout.write(`${JSON.stringify(checker.take())}\n`);
}
for (const backend of Object.values(backends)) backend.dispose();
