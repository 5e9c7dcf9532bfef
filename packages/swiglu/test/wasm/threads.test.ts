// The pool of threads by itself: work done at the same time, results that do not depend on who did it, threads that
// start, rest, fail, die and end.
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { activations, type SyncBackend, swiglu, wasm } from "../../src/index.js";
import { brIf, loop, when } from "../../src/wasm/assembler/code.js";
import { atomics, drop, i32 } from "../../src/wasm/assembler/instructions.js";
import type { LoadedModule } from "../../src/wasm/engine.js";
import { PooledEngine, type PoolOptions } from "../../src/wasm/pool.js";
import { type StartedWorker, startWorker } from "../../src/wasm/worker-start.js";
