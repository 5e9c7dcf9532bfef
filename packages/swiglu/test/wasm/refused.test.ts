// Engines that refuse what the backend would like: memory for several threads, far-growing memory, growth, workers.
// By default it makes do with less and says how many threads there are; what was asked for by name is an error.
import { afterEach, describe, expect, test, vi } from "vitest";
import { swiglu, wasm } from "../../src/index.js";
import { Heap } from "../../src/wasm/machine/heap.js";
import { addKernel, kernel } from "../../src/wasm/machine/signature.js";
import { PooledEngine } from "../../src/wasm/threads/pool.js";
import { plainFloats } from "../conformance/samples.js";
import { expectSameResults } from "./same-results.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const { Memory } = WebAssembly;
type Descriptor = WebAssembly.MemoryDescriptor & { readonly shared?: boolean };

/** An engine whose memory is refused as `refuses` says; it records the maxima that were asked for. */
function refuse(refuses: (descriptor: Descriptor) => boolean): Descriptor[] {
  const asked: Descriptor[] = [];
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function make(descriptor: Descriptor) {
    asked.push(descriptor);
    if (refuses(descriptor)) throw new RangeError("WebAssembly.Memory(): could not allocate memory");
    return new Memory(descriptor);
  } as never);
  return asked;
}

const [gate, up] = [plainFloats(1000, 1), plainFloats(1000, 2)];

/** Checks that a backend computes what one on ordinary memory does. */
async function expectWorks(backend: Awaited<ReturnType<typeof wasm>>): Promise<void> {
  const y = await backend.activate(swiglu, { gate, up });
  vi.restoreAllMocks();
  const single = await wasm({ threads: 1 });
  expect(y).toEqual(await single.activate(swiglu, { gate, up }));
  single.dispose();
  backend.dispose();
}

describe("an engine that refuses memory", () => {
  test("of 4 GiB gives less: as many threads, which compute the same", async () => {
    const asked = refuse(({ maximum }) => (maximum as number) > 16384);
    const backend = await wasm({ threads: 2 });
    expect(asked.map(({ maximum, shared }) => [maximum, shared])).toEqual([
      [65536, true],
      [32768, true],
      [16384, true],
    ]);
    expect(backend.threads).toBe(2);
    vi.restoreAllMocks();
    const single = await wasm({ threads: 1 });
    const engine = Reflect.get(Reflect.get(backend, "parts"), "engine") as PooledEngine;
    for (let turn = 0; turn < 300 && engine.helpers === 0; turn++) {
      expectSameResults(single, backend, [swiglu]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(engine.helpers).toBe(1);
    expectSameResults(single, backend, [swiglu]);
    for (const each of [single, backend]) each.dispose();
  });

  test("that threads share: one thread by default, an error for threads that are asked for", async () => {
    refuse(({ shared }) => shared === true);
    vi.stubGlobal("navigator", { hardwareConcurrency: 4 });
    await expect(wasm({ threads: 4 })).rejects.toThrow(
      /^threads is 4, but this engine gives no WebAssembly memory that threads share, not even one that may grow to 256 MiB \(.*could not allocate memory\): leave threads out$/,
    );
    const backend = await wasm();
    expect(backend.threads).toBe(1);
    await expectWorks(backend);
  });

  test("that threads share, without saying so", async () => {
    vi.spyOn(WebAssembly, "Memory").mockImplementation(function make({ shared: _, ...rest }: Descriptor) {
      return new Memory(rest);
    } as never);
    await expect(wasm({ threads: 2 })).rejects.toThrow(/gives no WebAssembly memory that threads share/);
    const backend = await wasm();
    expect(backend.threads).toBe(1);
    await expectWorks(backend);
  });

  test("of any kind: an error", async () => {
    refuse(() => true);
    await expect(wasm()).rejects.toThrow(/^this engine gives no WebAssembly memory, not even/);
  });

  test.each([false, true])(
    "that grows (shared: %s): a call fails with a sentence, the next one works",
    (shared) => {
      refuse(({ maximum }) => (maximum as number) > 4096);
      const heap = new Heap(shared);
      const place = heap.allocate(2 ** 20);
      const refusal = vi.spyOn(heap.memory, "grow").mockImplementation(() => {
        throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
      });
      const sentence =
        /^8 MiB more than the 4 MiB in use do not fit: WebAssembly memory ends at 256 MiB here/;
      expect(() => heap.allocate(2 ** 21)).toThrow(sentence);
      refusal.mockRestore();
      heap.release(place);
      heap.release(heap.allocate(2 ** 21));
      // 256 MiB are all there is.
      expect(() => heap.allocate(2 ** 26)).toThrow(/^256 MiB more than the \d+ MiB in use do not fit/);
      heap.allocate(2 ** 20);
    },
  );
});

describe("an environment without", () => {
  test("SharedArrayBuffer: one thread by default, threads that are asked for are an error", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    await expect(wasm({ threads: 2 })).rejects.toThrow(
      "threads is 2, but this engine has no memory that threads share (SharedArrayBuffer): leave threads out",
    );
    const backend = await wasm();
    expect(backend.threads).toBe(1);
    await expectWorks(backend);
  });

  test("leave to start workers, as under a policy: one thread by default, an error for those that are asked for", () => {
    const start = (): never => {
      throw new DOMException("worker-src 'none'", "SecurityError");
    };
    const [byDefault, asked] = [false, true].map(
      (asked) => new PooledEngine({ simd: "plain", threads: 4, asked, start }),
    ) as [PooledEngine, PooledEngine];
    const nothing = kernel("nothing", {});
    const write = (engine: PooledEngine) =>
      engine.load("nothing", (module) => addKernel(module, nothing, () => []));
    write(byDefault).run(nothing, [[{}], [{}]]);
    expect(byDefault.threads).toBe(1);
    expect(() => write(asked).run(nothing, [[{}], [{}]])).toThrow(
      /^threads is 4, but a worker could not start: .*worker-src 'none'/,
    );
  });
});
