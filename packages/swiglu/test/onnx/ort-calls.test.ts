// What is particular to the ONNX Runtime backend: what it is given, sessions and memory, calls under way when it ends.
import * as runtime from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  type Backend,
  errorBound,
  evaluate,
  reference,
  relu,
  silu,
  swiglu,
} from "../../src/index.js";
import { type OrtRuntime, ort } from "../../src/onnx-entry.js";
import { plainFloats } from "../conformance/samples.js";

/** The runtime, and how many sessions were opened and are not released yet. */
function counting(): { runtime: OrtRuntime; opened: () => number; alive: () => number } {
  let [opened, released] = [0, 0];
  const counted: OrtRuntime = {
    ...runtime,
    InferenceSession: {
      async create(model, options) {
        const session = await runtime.InferenceSession.create(model, options);
        opened++;
        return {
          run: (feeds, fetches) => session.run(feeds as never, fetches as never),
          release: async () => {
            released++;
            await session.release();
          },
        };
      },
    },
  };
  return { runtime: counted, opened: () => opened, alive: () => opened - released };
}

/** Values that the types forbid, as they come from plain JavaScript. */
const wrong = <T>(value: unknown): T => value as T;

/** The largest difference between two arrays. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++)
    largest = Math.max(largest, Math.abs((a[i] as number) - (b[i] as number)));
  return largest;
}

const gate = plainFloats(6, 1, 3);
const up = plainFloats(6, 2);
const weights = { gate: plainFloats(15, 1), up: plainFloats(15, 2), down: plainFloats(15, 3) };
const block = { activation: swiglu, dModel: 3, dFf: 5, weights };
/** What the calls under way do before they end. */
const immediately = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("what ort() is given", () => {
  test.each<[string, () => Promise<Backend>, string]>([
    ["no runtime", () => ort(wrong({})), "runtime is undefined without InferenceSession"],
    [
      "a runtime's default export that is none",
      () => ort({ runtime: wrong({ default: runtime }) }),
      "runtime is object without InferenceSession, Tensor and env, expected a whole ONNX Runtime",
    ],
    ["no threads", () => ort({ runtime, threads: 0 }), "threads is 0, expected a whole number from 1 to 64"],
    [
      "an unknown math",
      () => ort({ runtime, math: wrong("quick") }),
      'math is "quick", expected "exact" or "fast"',
    ],
  ])("%s", async (_, make, message) => {
    await expect(make()).rejects.toThrow(message);
  });
});

describe("sessions", () => {
  test("one serves all sizes of an activation, and activations with the same definition", async () => {
    const { runtime, opened } = counting();
    const backend = await ort({ runtime, threads: 1 });
    const before = opened();
    for (const count of [1, 6, 100_000]) await backend.activate(silu, { x: new Float32Array(count).fill(1) });
    await backend.activate({ ...silu }, { x: gate });
    expect(opened() - before).toBe(1);
    const ffn = await backend.gatedFfn(block);
    for (const rows of [1, 2, 40]) {
      const pass = await ffn.record(new Float32Array(3 * rows).fill(1), rows);
      await pass.backward(new Float32Array(3 * rows).fill(1));
      pass.dispose();
    }
    expect(opened() - before).toBe(3);
    backend.dispose();
  });

  test("are released when a block, then the backend, is disposed, and twice is as good as once", async () => {
    const { runtime, alive } = counting();
    const backend = await ort({ runtime, threads: 1 });
    await backend.activate(silu, { x: gate });
    const ffn = await backend.gatedFfn(block);
    await ffn.forward(gate, 2);
    expect(alive()).toBe(2);
    for (const disposable of [ffn, ffn]) disposable.dispose();
    await immediately();
    expect(alive()).toBe(1);
    for (const disposable of [backend, backend]) disposable.dispose();
    await immediately();
    expect(alive()).toBe(0);
  });

  test("calls under way when everything is disposed end as they would have; later ones say so", async () => {
    const { runtime, alive } = counting();
    const backend = await ort({ runtime, threads: 1 });
    const expected = await backend.activate(swiglu, { gate, up });
    const ffn = await backend.gatedFfn(block);
    const y = await ffn.forward(gate, 2);
    const pass = await ffn.record(gate, 2);
    const { down } = await pass.backward(gate);
    const running = [
      backend.activate(swiglu, { gate, up }),
      backend.activateBackward(swiglu, { gate, up }, up).then((gradients) => gradients.gate),
      ffn.forward(gate, 2),
      pass.backward(gate).then((gradients) => gradients.down),
    ];
    pass.dispose();
    backend.dispose();
    const [value, slope, again, gradient] = await Promise.all(running);
    expect(value).toEqual(expected);
    expect(slope?.every(Number.isFinite)).toBe(true);
    expect(again).toEqual(y);
    expect(gradient).toEqual(down);
    await immediately();
    expect(alive()).toBe(0);
    const gone = "this backend is disposed: create a new one with await ort({ runtime })";
    await expect(backend.activate(relu, { x: gate })).rejects.toThrow(gone);
    await expect(backend.gatedFfn(block)).rejects.toThrow(gone);
    expect(() => backend.tensor(gate, [6])).toThrow(gone);
    await expect(ffn.forward(gate, 2)).rejects.toThrow("this feed-forward block is disposed");
    await expect(pass.backward(gate)).rejects.toThrow("this pass is disposed");
  });
});

describe("calls", async () => {
  const backend = await ort({ runtime, threads: 2 });
  const exact = await reference();
  afterAll(() => backend.dispose());

  test("stretches join: sizes around them, per channel and packed, give what the reference gives", async () => {
    const parameters = { beta: Float32Array.from({ length: 3 }, (_, i) => 1 + i / 4) };
    for (const count of [3 * 2 ** 14, 2 ** 17 + 1]) {
      const inputs = { gate: plainFloats(count, 1, 4), up: plainFloats(count, 2) };
      const dy = plainFloats(count, 3);
      const got = await backend.activateBackward(swiglu, inputs, dy, parameters);
      const wanted = await exact.activateBackward(swiglu, inputs, dy, parameters);
      for (const name of ["gate", "up"] as const)
        expect(difference(got[name], wanted[name])).toBeLessThan(2e-6);
      (got.beta as Float32Array).forEach((value, i) => {
        expect(value).toBeCloseTo((wanted.beta as Float32Array)[i] as number, 2);
      });
    }
    const shape = [3, 2, 2 ** 15 + 1];
    const packed = plainFloats(6 * (2 ** 15 + 1), 4, 4);
    for (const axis of [0, 1]) {
      const packedShape = axis === 0 ? [2, 3, 2 ** 15 + 1] : shape;
      const input = { packed, shape: packedShape, axis, layout: "gate-second" } as const;
      const y = await backend.activate(swiglu, input);
      const wanted = await exact.activate(swiglu, input);
      expect(difference(y, wanted)).toBeLessThan(2e-6);
    }
  });

  test("outputs may overlap inputs in any way", async () => {
    const memory = plainFloats(200_010, 1, 3);
    const x = memory.slice(0, 200_000);
    const expected = await backend.activate(silu, { x });
    const out = memory.subarray(10);
    await backend.activate(silu, { x: memory.subarray(0, 200_000) }, {}, { out });
    expect(out).toEqual(expected);
    const ffn = await backend.gatedFfn(block);
    const rows = gate.slice();
    const y = await ffn.forward(rows, 2);
    expect(await ffn.forward(rows, 2, { out: rows })).toBe(rows);
    expect(rows).toEqual(y);
    const slope = gate.slice();
    const pass = await ffn.record(gate, 2);
    const { x: dx } = await pass.backward(slope);
    expect((await pass.backward(slope, { out: { x: slope } })).x).toEqual(dx);
    ffn.dispose();
  });

  test("arrays that are shared between threads are taken, and written", async () => {
    const share = (values: Float32Array): Float32Array => {
      const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
      shared.set(values);
      return shared;
    };
    const expected = await backend.activate(swiglu, { gate, up });
    const out = share(new Float32Array(6));
    const inputs = { gate: share(gate), up: share(up) };
    expect(await backend.activate(swiglu, inputs, {}, { out })).toBe(out);
    expect(Array.from(out)).toEqual(Array.from(expected));
  });

  test("many calls at once do not disturb each other", async () => {
    const ffn = await backend.gatedFfn(block);
    const inputs = Array.from({ length: 8 }, (_, i) => plainFloats(6, i));
    const alone: Float32Array[] = [];
    for (const x of inputs) alone.push(await ffn.forward(x, 2));
    expect(await Promise.all(inputs.map((x) => ffn.forward(x, 2)))).toEqual(alone);
    const passes = await Promise.all(inputs.map((x) => ffn.record(x, 2)));
    expect(passes.map(({ y }) => y)).toEqual(alone);
    ffn.dispose();
  });

  test("a tensor of another backend is refused by name", async () => {
    const other = await ort({ runtime, threads: 1 });
    const tensor = other.tensor(gate, [6]);
    await expect(backend.activate(swiglu, { gate, up: tensor })).rejects.toThrow(
      "up is a tensor of another backend: read() it and pass the array",
    );
    other.dispose();
  });

  test("no rows: gradients of weights are zeros, also in the caller's arrays", async () => {
    const ffn = await backend.gatedFfn(block);
    const pass = await ffn.record(new Float32Array(0), 0);
    const down = new Float32Array(15).fill(7);
    const gradients = await pass.backward(new Float32Array(0), { out: { down } });
    expect(gradients.down).toEqual(new Float32Array(15));
    expect(gradients.gate).toEqual(new Float32Array(15));
    expect(gradients.beta).toBe(0);
    ffn.dispose();
  });
});

test("math fast: values and gradients are off by less than 2e-6 of the product of the inputs, or of 1", async () => {
  const backend = await ort({ runtime, threads: 1, math: "fast" });
  const exact = await reference();
  const [gate, up, dy] = [plainFloats(2000, 1, 8), plainFloats(2000, 2, 8), plainFloats(2000, 3)];
  for (const activation of Object.values(activations) as Activation[]) {
    const inputs = activation.kind === "unary" ? { x: gate } : { gate, up };
    const scale = (i: number): number =>
      Object.values(inputs).reduce((product, data) => product * Math.max(1, Math.abs(data[i] as number)), 1);
    const compare = (got: Float32Array, wanted: Float32Array): void => {
      const share = got.map((value, i) => Math.abs(value - (wanted[i] as number)) / scale(i));
      expect(Math.max(...share), activation.name).toBeLessThan(2e-6);
    };
    const values = [backend, exact].map((side) => side.activate(activation, inputs as never));
    compare(...((await Promise.all(values)) as [Float32Array, Float32Array]));
    const slopes = [backend, exact].map((side) => side.activateBackward(activation, inputs as never, dy));
    const [got, wanted] = (await Promise.all(slopes)) as Readonly<Record<string, Float32Array>>[];
    for (const name of activation.inputs)
      compare(got?.[name] as Float32Array, wanted?.[name] as Float32Array);
  }
  backend.dispose();
});

test("math fast loses the far tail, which exact math has", async () => {
  const [fast, precise] = [
    await ort({ runtime, threads: 1, math: "fast" }),
    await ort({ runtime, threads: 1 }),
  ];
  const x = Float32Array.of(-20);
  const off = async (backend: Backend): Promise<number> =>
    Math.abs(((await backend.activate(silu, { x }))[0] as number) - evaluate(silu, { x: -20 }));
  const bound = errorBound(silu.expression, ["x"])([-20]);
  expect(await off(fast)).toBeGreaterThan(bound);
  expect(await off(precise)).toBeLessThanOrEqual(bound);
  for (const each of [fast, precise]) each.dispose();
});
