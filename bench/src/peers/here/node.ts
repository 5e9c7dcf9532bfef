// Where a side runs, in Node: a process that its driver writes lines of JSON to, and reads them from.
import { createInterface } from "node:readline";
import { parentPort, Worker } from "node:worker_threads";
import type { Helper, Options } from "./types.js";

/** What the driver passed to this side. */
export const options: Options = JSON.parse(process.argv[2] ?? '{ "threads": 1 }');

export function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** What the driver says, until it closes standard input. */
export async function* messages<T>(): AsyncGenerator<T> {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line);
}

/** Ends this side, whatever threads it still has; with a reason it could not do its work. */
export function leave(reason?: string): never {
  if (reason !== undefined) console.error(reason);
  process.exit(reason === undefined ? 0 : 1);
}

/** Starts a thread on a script that calls `help`; resolves when it has. */
export async function startHelper(script: URL, data: object): Promise<Helper> {
  const worker = new Worker(script);
  worker.postMessage(data);
  await new Promise((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
  });
  return worker;
}

/** In a helper: its work with what it was given, which never ends. */
export function help<T>(work: (data: T) => never): void {
  parentPort?.once("message", (data: T) => {
    parentPort?.postMessage("here");
    work(data);
  });
}

/** TensorFlow.js and others write to the console, whose output is the driver's here. */
console.log = console.error;
