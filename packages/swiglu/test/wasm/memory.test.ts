// The heap and the division of work: allocations never overlap, pieces cover every element once, kernels write nothing
// beside their output.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planActivation } from "../../src/call/check.js";
import { type Activation, activations, wasm } from "../../src/index.js";
import { type PackedLayout, packedViews, viewIndex, wholeView } from "../../src/layout.js";
import { backward, forward } from "../../src/wasm/elementwise/activate.js";
import { channelLength, divide, type Piece, pieces } from "../../src/wasm/elementwise/pieces.js";
import { SingleThreadEngine } from "../../src/wasm/machine/engine.js";
import { Heap } from "../../src/wasm/machine/heap.js";
import { Scratch } from "../../src/wasm/machine/scratch.js";
import { plainFloats } from "../conformance/samples.js";

describe("heap", () => {
  test("allocations are aligned, do not overlap, and come back when released", () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constant("release" as const)), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const heap = new Heap(false);
        const taken: { address: number; count: number }[] = [];
        for (const [i, step] of all.entries()) {
          if (step === "release") {
            const [released] = taken.splice(i % Math.max(1, taken.length), 1);
            if (released) heap.release(released.address);
            continue;
          }
          const address = heap.allocate(step);
          expect(address % 64).toBe(0);
          expect(address).toBeGreaterThan(0);
          for (const other of taken)
            expect(address >= other.address + 4 * other.count || other.address >= address + 4 * step).toBe(
              true,
            );
          taken.push({ address, count: step });
          expect(heap.at(address, step)).toHaveLength(step);
        }
        for (const { address } of taken) heap.release(address);
        expect(heap.bytesInUse).toBe(0);
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  test("memory that is freed is used again", () => {
    const heap = new Heap(false);
    for (let i = 0; i < 1000; i++) heap.release(heap.allocate(100_000 + 64 * (i % 7)));
    expect(heap.memory.buffer.byteLength).toBeLessThan(2 ** 20);
  });

  test("more than 4 GiB is refused in a sentence, and the heap still works", () => {
    const heap = new Heap(false);
    expect(() => heap.allocate(2 ** 30)).toThrow("do not fit: WebAssembly memory ends at 4 GiB");
    expect(heap.at(heap.allocate(3), 3)).toHaveLength(3);
  });

  test("more than 4 GiB through the backend, which still works afterwards", async () => {
    const backend = await wasm({ threads: 1 });
    const small = backend.tensor(new Float32Array(3), [3]);
    const huge = { length: 2 ** 30, shape: [2 ** 30] };
    expect(() => backend.tensor(new Float32Array(2), huge.shape)).toThrow(
      "data has 2 elements, expected 1073741824",
    );
    expect([...(await backend.activate(activations.relu, { x: small }))]).toEqual([0, 0, 0]);
    backend.dispose();
  });
});

/** The elements a piece stands for, with their channels. */
function elementsOf({ start, runs, count, step, channel, channelStep }: Piece): [number, number][] {
  return Array.from({ length: runs }, (_, run) =>
    Array.from({ length: count }, (_, i): [number, number] => [
      start + run * step + i,
      channel + run * channelStep + i,
    ]),
  ).flat();
}

test("pieces cover every element once, with its channel, however they are divided among threads", () => {
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }))
    .chain(([runs, run, threads]) => {
      const count = runs * run;
      const divisors = Array.from({ length: count }, (_, i) => i + 1).filter(
        (length) => count % length === 0,
      );
      return fc.tuple(
        fc.constant({ count, run: runs === 1 ? count : run, threads }),
        fc.constantFrom(0, ...divisors),
      );
    });
  fc.assert(
    fc.property(cases, ([{ count, run, threads }, length]) => {
      const parameters = length === 0 ? [1] : [new Float32Array(length), 2];
      const channels = channelLength(parameters, run, count);
      const all = divide(pieces(count, run, channels), threads)
        .flat()
        .flatMap(elementsOf);
      expect(all.map(([element]) => element).sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, i) => i),
      );
      if (length > 0) for (const [element, channel] of all) expect(channel % length).toBe(element % length);
    }),
    { seed: 7, numRuns: 400 },
  );
});

describe("canaries: kernels write their output and nothing beside it", () => {
  const canary = 12345.678;
  const layouts: (PackedLayout | undefined)[] = [undefined, "gate-first", "gate-second", "interleaved"];
  test.each(["plain"] as const)("%s SIMD, odd sizes, misaligned addresses, all layouts", (simd) => {
    const engine = new SingleThreadEngine(simd);
    const { heap } = engine;
    const guarded = (count: number, shift: number) => {
      const address = heap.allocate(count + 64) + 64 + 4 * shift;
      heap.at(address - 64, count + 32).fill(canary);
      return address;
    };
    const untouched = (address: number, count: number) => {
      const beside = [...heap.at(address - 64, 16), ...heap.at(address + 4 * count, 16)];
      expect(beside.every((value) => value === Math.fround(canary))).toBe(true);
    };
    const { swiglu, relu, xielu } = activations;
    for (const activation of [swiglu, relu, xielu] as readonly Activation[])
      for (const layout of activation.kind === "gated" ? layouts : [undefined])
        for (const count of [1, 2, 3, 4, 5, 7, 8, 13, 31, 67])
          for (const shift of [0, 1, 3]) {
            const scratch = new Scratch(engine);
            const size = layout === undefined ? count : 2 * count;
            const data = plainFloats(size, count);
            const inputs =
              layout === undefined
                ? Object.fromEntries(activation.inputs.map((name) => [name, data]))
                : { packed: data, shape: [2 * count], layout };
            const plan = planActivation(activation, inputs);
            const names = layout === undefined ? activation.inputs : ["packed"];
            const places = names.map(() => guarded(size, shift));
            for (const place of places) heap.at(place, size).set(data);
            const addresses = activation.inputs.map((_, i) => places[layout === undefined ? i : 0] as number);
            const out = guarded(count, shift);
            forward(engine, plan, addresses, out, scratch);
            untouched(out, count);
            const gradients = names.map(() => guarded(size, shift));
            const targets = activation.inputs.map(
              (_, i) => gradients[layout === undefined ? i : 0] as number,
            );
            backward(engine, plan, addresses, out, targets, scratch);
            for (const gradient of gradients) untouched(gradient, size);
            for (const place of places) {
              untouched(place, size);
              expect(heap.at(place, size)).toEqual(data);
            }
            scratch.release();
          }
  });
});

test("views of packed layouts and of whole tensors index alike", () => {
  const { gate, up, count } = packedViews([2, 6], { layout: "interleaved" });
  expect(Array.from({ length: count }, (_, i) => [viewIndex(gate, i), viewIndex(up, i)])).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
    [8, 9],
    [10, 11],
  ]);
  expect(viewIndex(wholeView(5), 3)).toBe(3);
});
