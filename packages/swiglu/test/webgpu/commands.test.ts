// What the WebGPU backend asks of a device, on one that computes nothing: how many dispatches and compilations, whose buffers,
// what is copied and uploaded, and that every kernel keeps within what every device has.
import { expect, test } from "vitest";
import {
  type Activation,
  activations,
  defineActivation,
  expressions,
  type Ffn,
  relu,
  swiglu,
  type WebgpuBackend,
  type WebgpuTensor,
  webgpu,
} from "../../src/index.js";
import { type FakeBuffer, fakeDevice, type Log, limits } from "./fake-device.js";

async function open(features?: readonly string[], precision: "f32" | "f16" = "f32") {
  const { device, log } = fakeDevice(features);
  return { backend: await webgpu({ device, precision }), log };
}
const resident = (backend: WebgpuBackend, length: number): WebgpuTensor =>
  backend.tensor(new Float32Array(length), [length]);
const buffersOf = (tensors: readonly WebgpuTensor[]): unknown[] => tensors.map(({ buffer }) => buffer);

/** What a call adds to the log. */
async function added<K extends "dispatches" | "compiled" | "copies" | "uploads">(
  log: Log,
  what: K,
  call: () => Promise<unknown>,
): Promise<Log[K]> {
  const before = log[what].length;
  await call();
  return log[what].slice(before) as Log[K];
}

test("forward and backward of tensors are one dispatch each, on the tensors' own buffers; nothing is copied", async () => {
  const { backend, log } = await open();
  const tensor = () => resident(backend, 1000);
  const [gate, up, dy, first, second] = [tensor(), tensor(), tensor(), tensor(), tensor()];
  const forward = await added(log, "dispatches", () =>
    backend.activate(swiglu, { gate, up }, {}, { out: first }),
  );
  expect(forward).toHaveLength(1);
  expect(forward[0]?.buffers.slice(1, 4)).toEqual(buffersOf([gate, up, first]));
  const options = { out: { gate: first, up: second }, parameterGradients: false };
  const backward = await added(log, "dispatches", () =>
    backend.activateBackward(swiglu, { gate, up }, dy, {}, options),
  );
  expect(backward).toHaveLength(1);
  expect(backward[0]?.buffers.slice(1, 6)).toEqual(buffersOf([gate, up, dy, first, second]));
  expect(log.copies).toEqual([]);
});

test("gradients of parameters come with the others, in one dispatch", async () => {
  const { backend, log } = await open();
  const channels = (count: number) => new Float32Array(count).fill(1);
  for (const [length, beta] of [
    [1000, 1],
    [1000, channels(8)],
    [1000, channels(10)],
    [2 ** 20, 1],
    [2 ** 20, channels(8)],
  ] as const) {
    const [gate, up, dy] = [resident(backend, length), resident(backend, length), resident(backend, length)];
    const call = () => backend.activateBackward(swiglu, { gate, up }, dy, { beta });
    expect(await added(log, "dispatches", call), `${length} elements`).toHaveLength(1);
  }
});

test("a tensor larger than a grid is one dispatch too", async () => {
  const { backend, log } = await open();
  const x = resident(backend, 2 ** 25 - 4);
  const [dispatch] = await added(log, "dispatches", () => backend.activate(relu, { x }, {}, { out: x }));
  expect(dispatch?.groups[0]).toBeLessThanOrEqual(limits.maxComputeWorkgroupsPerDimension);
});

test("a definition is compiled once, also where it is written twice", async () => {
  const { backend, log } = await open();
  const { mul } = expressions;
  const define = (): Activation =>
    defineActivation({ name: "pair", kind: "gated", expression: mul("gate", mul("up", "up")) });
  const [gate, up] = [resident(backend, 64), resident(backend, 64)];
  for (let i = 0; i < 2; i++) await backend.activate(define(), { gate, up });
  expect(log.compiled.filter((label) => label.includes("pair"))).toHaveLength(1);
});

const block = async (
  backend: WebgpuBackend,
  dModel: number,
  dFf: number,
  activation: Activation = swiglu,
) => {
  const matrix = () => resident(backend, dModel * dFf);
  const weights = { gate: matrix(), up: matrix(), down: matrix() };
  return backend.gatedFfn({ activation, dModel, dFf, weights });
};

test("a gated block is two dispatches, few rows or many; gate and up are not written", async () => {
  const { backend, log } = await open(["subgroups"]);
  const ffn = await block(backend, 8, 12);
  for (const rows of [1, 5]) {
    const x = resident(backend, rows * 8);
    const dispatches = await added(log, "dispatches", () => ffn.forward(x, rows, { out: x }));
    expect(dispatches.map(({ code }) => code.includes("weights streamed"))).toEqual(
      Array(2).fill(rows === 1),
    );
    expect(dispatches.map(({ code }) => code.includes("subgroupShuffleXor"))).toEqual(
      Array(2).fill(rows === 1),
    );
    const kept = dispatches[0]?.buffers.at(-2) as FakeBuffer; // a scrap, since nothing is kept
    expect(kept.size).toBeLessThanOrEqual(256);
  }
});

test("a training step between tensors reads nothing back, and its memory serves the next one", async () => {
  const { backend, log } = await open();
  const ffn = await block(backend, 8, 12);
  const rows = () => resident(backend, 32);
  const [x, y, dY, dX] = [rows(), rows(), rows(), rows()];
  const matrix = () => resident(backend, 96);
  const [gate, up, down] = [matrix(), matrix(), matrix()];
  const step = async () => {
    const pass = await ffn.record(x, 4, { out: y });
    await pass.backward(dY, { out: { x: dX, gate, up, down }, parameterGradients: false });
    pass.dispose();
  };
  await step();
  const { length } = log.buffers;
  const dispatches = await added(log, "dispatches", step);
  // x kept, hidden layer, y; slopes, the gradients of down, of gate and up, of x
  expect(dispatches).toHaveLength(7);
  expect(log.buffers).toHaveLength(length);
  const mapRead = 1;
  expect(log.buffers.filter(({ usage }) => usage & mapRead)).toEqual([]);
});

test("dispose gives back what the backend made, and leaves the caller's buffers", async () => {
  const { backend, log } = await open();
  const mine = backend.device.createBuffer({ size: 4000, usage: 128 | 8 | 4 });
  const x = backend.tensor(mine, [1000]);
  await backend.activate(relu, { x }, {}, { out: resident(backend, 1000) });
  await backend.activate(relu, { x: new Float32Array(1000) });
  await (await block(backend, 8, 12)).forward(new Float32Array(16), 2);
  backend.dispose();
  expect(log.buffers.filter(({ destroyed }) => !destroyed)).toEqual([mine]);
});

/** How many bytes the kernel's workgroups share: arrays of vectors, as the kernels declare them. */
function sharedBytes(code: string): number {
  const sum = code.includes("  total: vec4f,") ? 32 : 8;
  const bytes = { vec4f: 16, "vec4<f32>": 16, "vec4<f16>": 8, Sum: sum };
  const scalar = code.includes("alias numbers = vec4<f16>") ? 8 : 16;
  return [...code.matchAll(/var<workgroup> \w+: (.+);/g)].reduce((sum, [, type = ""]) => {
    const element = /array<(?:array<)*([^,]+),/.exec(type)?.[1] ?? "";
    const size = element === "numbers" ? scalar : bytes[element as keyof typeof bytes];
    if (size === undefined) throw new Error(`what takes ${type}?`);
    const lengths = [...type.matchAll(/, (\d+)>/g)].map(([, length]) => Number(length));
    return sum + lengths.reduce((product, length) => product * length, size);
  }, 0);
}

test.each([
  ["f32", []],
  ["f32", ["subgroups"]],
  ["f16", ["shader-f16"]],
] as const)(
  "every kernel of the catalogue keeps within every device's limits: %s %s",
  async (storage, features) => {
    const { backend, log } = await open(features, storage);
    for (const activation of Object.values(activations)) {
      const channels = Object.fromEntries(
        Object.entries(activation.parameters).map(([name, value]) => [
          name,
          new Float32Array(12).fill(value),
        ]),
      );
      const data = () => new Float32Array(120);
      const inputs = Object.fromEntries(activation.inputs.map((name) => [name, data()])) as never;
      await backend.activate(activation, inputs, channels as never);
      await backend.activateBackward(activation, inputs, data(), channels as never);
      const matrix = () => new Float32Array(10 * 12);
      const options = { activation, dModel: 10, dFf: 12, parameters: channels };
      const down = matrix();
      const blocks: Ffn<object>[] = [
        await backend.gatedFfn({
          ...options,
          weights: { packed: new Float32Array(240), down },
          layout: "interleaved",
        }),
      ];
      if (activation.kind === "unary")
        blocks.push(await backend.ffn({ ...options, weights: { up: matrix(), down } }));
      if (activation.self !== undefined)
        blocks.push(
          await backend.gatedFfn({
            ...options,
            weights: { in: matrix(), square: new Float32Array(144), down },
          }),
        );
      for (const ffn of blocks)
        for (const rows of [1, 4, 33]) {
          const pass = await ffn.record(new Float32Array(rows * 10), rows);
          await pass.backward(new Float32Array(rows * 10));
          pass.dispose();
        }
    }
    const kernels = new Map(log.dispatches.map((dispatch) => [dispatch.kernel, dispatch.code]));
    expect(kernels.size).toBe(log.compiled.length);
    expect(kernels.size).toBeGreaterThan(100);
    for (const [kernel, code] of kernels) {
      const size = /@workgroup_size\(([\d, ]+)\)/.exec(code)?.[1] ?? "";
      const invocations = size.split(",").reduce((product, count) => product * Number(count), 1);
      expect(invocations, kernel).toBeLessThanOrEqual(limits.maxComputeInvocationsPerWorkgroup);
      const storageBuffers = [...code.matchAll(/var<storage/g)].length;
      expect(storageBuffers, kernel).toBeLessThanOrEqual(limits.maxStorageBuffersPerShaderStage);
      expect(sharedBytes(code), kernel).toBeLessThanOrEqual(limits.maxComputeWorkgroupStorageSize);
    }
  },
);
