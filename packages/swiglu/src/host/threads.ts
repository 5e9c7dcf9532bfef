// How many threads compute: the number that the caller asked for, or what this machine has, or one where memory cannot be shared.
import { nodeModule } from "./node.js";

/** The most threads. More of them would only wait for memory. */
const most = 64;
/** The most threads by default. The other cores of a large machine are left to the rest of the program. */
const usual = 8;

/** Whether memory may be shared as far as isolation goes: in a cross-origin isolated page, and outside of pages. */
function isIsolated(): boolean {
  return (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false;
}

/** Why several threads are impossible here, and what to do; undefined where they are possible. */
function obstacle(): string | undefined {
  if (!isIsolated())
    return "this page is not cross-origin isolated, so memory cannot be shared: serve it and its scripts with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or leave threads out";
  if (typeof SharedArrayBuffer !== "function" || typeof Atomics !== "object")
    return "this engine has no memory that threads share (SharedArrayBuffer): leave threads out";
  if (nodeModule("node:worker_threads") === undefined && typeof Worker !== "function")
    return "this environment has no workers: leave threads out";
  return undefined;
}

/**
 * The number of threads, the calling one included.
 *
 * @param asked a whole number from 1 to 64; by default as many as the machine runs at once, at most 8, and 1 where
 *   memory cannot be shared. More than one that is asked for and impossible is an Error.
 */
export function chooseThreads(asked?: number): number {
  if (asked === undefined) return obstacle() === undefined ? Math.min(usual, parallelism()) : 1;
  if (!Number.isInteger(asked) || asked < 1 || asked > most)
    throw new RangeError(`threads is ${String(asked)}, expected a whole number from 1 to ${most}`);
  const reason = asked > 1 ? obstacle() : undefined;
  if (reason !== undefined) throw new Error(`threads is ${asked}, but ${reason}`);
  return asked;
}

function parallelism(): number {
  const os = nodeModule<{ availableParallelism(): number }>("node:os");
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
