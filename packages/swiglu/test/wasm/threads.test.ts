// The pool of threads: work done at the same time, every group exactly once, workers that start, rest, fail, die and end.
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { wasm } from "../../src/index.js";
import { PooledEngine, type PoolOptions } from "../../src/wasm/threads/pool.js";
import { type StartedWorker, type StartWorker, startWorker } from "../../src/wasm/threads/worker-start.js";
import { count, linger, meets, poolKernels, untilUp } from "./pool-kernels.js";

const engines: PooledEngine[] = [];
function pool(options: Partial<PoolOptions> = {}): PooledEngine {
  const engine = new PooledEngine({ simd: "plain", threads: 2, asked: true, ...options });
  engines.push(engine);
  return engine;
}
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

/** Starts workers from another file. */
const workersFrom =
  (file: string, more: object = {}): StartWorker =>
  (post, ended) => {
    const worker = new Worker(new URL(file, import.meta.url), { workerData: { ...post, ...more } });
    worker.on("error", (error: Error) => ended(error.message));
    worker.on("exit", (code) => ended(`it exited with code ${code}`));
    return { terminate: () => void worker.terminate() };
  };

describe("the pool of threads", () => {
  test("starts no worker before a call that has work for two", async () => {
    const start = vi.fn(startWorker);
    const engine = pool({ start });
    const module = poolKernels(engine);
    const place = engine.heap.allocate(1);
    module.run(count, [[{ address: place }, { address: place }]]);
    expect(start).not.toHaveBeenCalled();
    module.run(count, [[{ address: place }], [{ address: place }]]);
    expect(start).toHaveBeenCalledOnce();
  });

  test("computes on two threads at the same time", async () => {
    const engine = pool();
    await untilUp(engine);
    expect(meets(engine)).toBe(true);
  });

  test("runs every call of every group exactly once, with 4 threads, in memory that grows", async () => {
    const engine = pool({ threads: 4 });
    await untilUp(engine);
    const module = poolKernels(engine);
    for (let job = 1; job <= 600; job++) {
      // From 0 to 3 calls in each of 1 to 9 groups; every hundredth job is too long for the memory of jobs before it.
      const groups = Array.from({ length: 1 + (job % 9) }, (_, group) =>
        Array.from({ length: job % 100 === 0 ? 10 * job : (job * (group + 3)) % 4 }, () => ({ address: 0 })),
      );
      const calls = groups.flat();
      if (job % 50 === 0) engine.heap.allocate(2 ** 20);
      const place = engine.heap.allocate(calls.length);
      engine.heap.at(place, calls.length).fill(0);
      calls.forEach((call, i) => {
        call.address = place + 4 * i;
      });
      module.run(count, groups);
      const ran = new Int32Array(engine.heap.memory.buffer, place, calls.length);
      if (!ran.every((times) => times === 1)) throw new Error(`job ${job}: calls ran ${ran} times`);
      engine.heap.release(place);
    }
  });

  test("two pools work beside each other", async () => {
    const both = [pool(), pool()];
    for (const engine of both) await untilUp(engine);
    for (let turn = 0; turn < 20; turn++) for (const engine of both) expect(meets(engine)).toBe(true);
  });

  test("a failing kernel is an error wherever it runs, and the pool goes on", async () => {
    const engine = pool();
    await untilUp(engine);
    const module = poolKernels(engine);
    const place = engine.heap.allocate(1);
    for (let turn = 0; turn < 10; turn++) {
      // The one that fails is taken by the worker, since the calling thread is busy with the first.
      expect(() =>
        module.run(linger, [[{ address: place, turns: 1e6 }], [{ address: 2 ** 32 - 4, turns: 1 }]]),
      ).toThrow(/out of bounds/);
      expect(meets(engine)).toBe(true);
    }
  });

  test.each([
    ["exits", "exit", /a worker thread was lost in the middle of this call \(it exited\).*the next call/],
    ["falls silent", "silence", /was lost in the middle of this call \(it gave no sign of life\)/],
  ])(
    "a worker that %s in the middle of a call fails it; the next call has a new one",
    async (_, death, said) => {
      const dying = workersFrom("./dying-worker.mjs", { death });
      let started = 0;
      const start: StartWorker = (...post) => (started++ === 0 ? dying(...post) : startWorker(...post));
      const engine = pool({ start, patience: 200 });
      const module = poolKernels(engine);
      const place = engine.heap.allocate(1);
      const call = { address: place, turns: 1e6 };
      const lingering = (): void => module.run(linger, [[call], [call], [call]]);
      lingering();
      for (let turn = 0; engine.helpers === 0 && turn < 500; turn++) await delay(10);
      // On a busy machine the worker may come too late for some of the calls.
      expect(() => {
        for (let call = 0; call < 200; call++) lingering();
      }).toThrow(said);
      lingering();
      await untilUp(engine);
      expect(meets(engine)).toBe(true);
      expect(started).toBe(2);
      expect(engine.threads).toBe(2);
    },
  );

  test("a worker that is killed between calls is replaced", async () => {
    const running: StartedWorker[] = [];
    const start: StartWorker = (post, ended) => {
      const worker = startWorker(post, ended);
      running.push(worker);
      return worker;
    };
    const engine = pool({ start });
    await untilUp(engine);
    running[0]?.terminate();
    // A call at this moment is done by the calling thread, whether or not it knows yet.
    const place = engine.heap.allocate(1);
    poolKernels(engine).run(count, [[{ address: place }], [{ address: place }]]);
    for (let turn = 0; engine.helpers > 0 && turn < 500; turn++) await delay(10);
    await untilUp(engine);
    expect(running).toHaveLength(2);
    expect(meets(engine)).toBe(true);
  });

  test("dispose ends the workers", async () => {
    const endings: string[] = [];
    const start: StartWorker = (post, ended) =>
      startWorker(post, (reason) => {
        endings.push(reason);
        ended(reason);
      });
    const engine = pool({ threads: 3, start });
    await untilUp(engine);
    engine.dispose();
    for (let turn = 0; endings.length < 2 && turn < 500; turn++) await delay(10);
    expect(endings).toHaveLength(2);
    expect(engine.helpers).toBe(0);
  });

  test("workers that cannot start are an error where threads were asked for, fewer threads where not", async () => {
    const start = workersFrom("./missing-worker.mjs");
    const [asked, offered] = [pool({ start }), pool({ start, asked: false })];
    for (const engine of [asked, offered])
      poolKernels(engine).run(count, [[{ address: 128 }], [{ address: 128 }]]);
    for (let turn = 0; offered.threads > 1 && turn < 500; turn++) await delay(10);
    expect(offered.threads).toBe(1);
    poolKernels(offered).run(count, [[{ address: 128 }], [{ address: 128 }]]);
    const refusal = (): void =>
      expect(() => poolKernels(asked).run(count, [[{ address: 128 }], [{ address: 128 }]])).toThrow(
        /threads is 2, but a worker could not start: .*missing-worker.* worker-src 'self' in its policy.*or leave threads out/,
      );
    await vi.waitFor(refusal, 10_000);
    // For good: it does not try again and again.
    await delay(100);
    refusal();
    expect(asked.threads).toBe(2);
    expect(offered.threads).toBe(1);
  });
});

describe("wasm({ threads })", () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each([0, 1.5, Number.NaN, -1, 1000, Infinity])("%s is refused", async (threads) => {
    await expect(wasm({ threads })).rejects.toThrow(
      `threads is ${threads}, expected a whole number from 1 to 64`,
    );
  });

  test("more than one without shared memory is refused with the reason; by default there is one", async () => {
    vi.stubGlobal("crossOriginIsolated", false);
    await expect(wasm({ threads: 2 })).rejects.toThrow(
      /threads is 2, but this page is not cross-origin isolated.*Cross-Origin-Opener-Policy.*or leave threads out/,
    );
    for (const backend of [await wasm(), await wasm({ threads: 1 })]) {
      expect(backend.threads).toBe(1);
      backend.dispose();
    }
  });

  test("says how many there are", async () => {
    for (const threads of [1, 2, 64]) {
      const backend = await wasm({ threads });
      expect(backend.threads).toBe(threads);
      backend.dispose();
    }
  });
});
