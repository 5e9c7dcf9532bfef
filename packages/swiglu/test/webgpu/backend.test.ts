// The WebGPU backend's own promises: devices and what is wrong with them, buffers in place, the order of calls.
import { afterAll, describe, expect, test } from "vitest";
import { reference, relu, swiglu, webgpu } from "../../src/index.js";
import { driver, requestDevice, unlessDriver } from "./dawn.js";

/** Values that the types forbid, as they come from plain JavaScript. */
const wrong = <T>(value: unknown): T => value as T;

/** GPUBufferUsage, which Node does not have. */
const usage = { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 };
const all = usage.STORAGE | usage.COPY_SRC | usage.COPY_DST;

test("without WebGPU, the error says where to get a device", async () => {
  await expect(webgpu()).rejects.toThrow(
    /this runtime has no WebGPU \(navigator\.gpu is missing\)\. Pass a device; in Node, npm "webgpu" has one/,
  );
});

test("what is no device is named", async () => {
  const attempt = (device: unknown) => webgpu({ device: wrong(device) });
  await expect(attempt({ requestDevice: () => 0 })).rejects.toThrow(
    "device is an adapter: pass await adapter.requestDevice()",
  );
  await expect(attempt(Promise.resolve())).rejects.toThrow("device is a promise: await it");
  await expect(attempt("gpu")).rejects.toThrow("device is gpu, expected a GPUDevice");
  await expect(webgpu({ precision: wrong("bf16") })).rejects.toThrow(
    'precision is "bf16", expected "f32" or "f16"',
  );
});

describe.runIf(driver)(`on Dawn${unlessDriver}`, async () => {
  const device = driver ? await requestDevice() : (undefined as never);
  const backend = driver ? await webgpu({ device }) : (undefined as never);
  afterAll(() => backend?.dispose());
  const x = Float32Array.of(-1, 2, -3, 4, 5);
  const positive = [0, 2, 0, 4, 5];

  /** A buffer of the caller's with numbers in it. */
  const bufferOf = (numbers: Float32Array<ArrayBuffer>, size = 32, bits = all): GPUBuffer => {
    const buffer = device.createBuffer({ size, usage: bits });
    device.queue.writeBuffer(buffer, 0, numbers);
    return buffer;
  };

  /** What another program on the same device finds in a buffer. */
  const readBack = async (buffer: GPUBuffer, bytes: number): Promise<number[]> => {
    const staging = device.createBuffer({ size: bytes, usage: usage.MAP_READ | usage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    return [...new Float32Array(staging.getMappedRange())];
  };

  test("the caller's buffers are used in place, as input and as output", async () => {
    const [input, output] = [bufferOf(x), bufferOf(new Float32Array(8))];
    const tensors = [input, output].map((buffer) => backend.tensor(buffer, [5]));
    const [given, out] = tensors as [(typeof tensors)[0], (typeof tensors)[0]];
    expect(await backend.activate(relu, { x: given }, {}, { out })).toBe(out);
    expect((await readBack(output, 32)).slice(0, 5)).toEqual(positive);
    expect(out.buffer).toBe(output);
    for (const tensor of tensors) tensor.dispose();
    expect(await readBack(input, 20)).toEqual([...x]); // still the caller's
  });

  test("another program sees the backend's tensors through their buffers", async () => {
    const tensor = backend.tensor(x, [5]);
    expect(await readBack(tensor.buffer as GPUBuffer, 20)).toEqual([...x]);
    tensor.dispose();
    expect(() => tensor.buffer).toThrow("this tensor is disposed: make a new one");
  });

  test("calls take effect in the order they are made, without anybody waiting between them", async () => {
    const [a, b] = [backend.tensor(x, [5]), backend.tensor(new Float32Array(5), [5])];
    const first = backend.activate(relu, { x: a }, {}, { out: b });
    const read = b.read();
    const second = backend.activate(relu, { x: Float32Array.of(1, 1, 1, 1, 1) }, {}, { out: b });
    expect([...(await read)]).toEqual(positive);
    await Promise.all([first, second]);
    expect([...(await b.read())]).toEqual([1, 1, 1, 1, 1]);
  });

  test("an output that is an input gets what it should", async () => {
    const [gate, up] = [backend.tensor(x, [5]), backend.tensor(x, [5])];
    const expected = await backend.activate(swiglu, { gate: x, up: x });
    await backend.activate(swiglu, { gate, up }, {}, { out: gate });
    expect(await gate.read()).toEqual(expected);
  });

  test("tensors in one buffer of the caller's are one place: results are right, gradients must not share it", async () => {
    const buffer = bufferOf(x);
    const [given, out, other] = [1, 2, 3].map(() => backend.tensor(buffer, [5])) as [
      ReturnType<typeof backend.tensor>,
      ReturnType<typeof backend.tensor>,
      ReturnType<typeof backend.tensor>,
    ];
    await backend.activate(relu, { x: given }, {}, { out });
    expect((await readBack(buffer, 32)).slice(0, 5)).toEqual(positive);
    await expect(backend.activateBackward(relu, { x: given }, x, {}, { out: { x: out } })).rejects.toThrow(
      "out.x overlaps an input of this call, which a second backward would need",
    );
    await expect(
      backend.activateBackward(swiglu, { gate: x, up: x }, x, {}, { out: { gate: out, up: other } }),
    ).rejects.toThrow("out.up overlaps out.gate, which it would overwrite");
    const block = await backend.ffn({ activation: relu, dModel: 1, dFf: 5, weights: { up: x, down: x } });
    const pass = await block.record(Float32Array.of(1), 1);
    await expect(pass.backward(Float32Array.of(1), { out: { up: out, down: other } })).rejects.toThrow(
      "out.down overlaps out.up, which it would overwrite",
    );
    for (const each of [pass, block, given, out, other]) each.dispose();
    buffer.destroy();
  });

  test("a buffer that cannot hold the tensor is refused, and why", () => {
    const small = bufferOf(new Float32Array(4), 20);
    expect(() => backend.tensor(small, [5])).toThrow(
      "data is a GPUBuffer of 20 bytes, expected at least 32: those of shape [5], rounded up to 16",
    );
    const readOnly = bufferOf(x, 32, usage.COPY_DST);
    expect(() => backend.tensor(readOnly, [5])).toThrow(
      /data is a GPUBuffer without STORAGE and COPY_SRC: make it with GPUBufferUsage STORAGE \| COPY_SRC \| COPY_DST/,
    );
    expect(() => backend.tensor(wrong([1, 2]), [2])).toThrow(
      /data is 1,2, expected a Float32Array or a GPUBuffer/,
    );
  });

  test("a buffer of another device is refused when it is used, and the backend works on", async () => {
    const other = await requestDevice();
    const foreign = backend.tensor(other.createBuffer({ size: 32, usage: all }), [5]);
    await expect(backend.activate(relu, { x: foreign })).rejects.toThrow(/the GPU refused a call: /);
    expect([...(await backend.activate(relu, { x }))]).toEqual(positive);
    other.destroy();
  });

  test("a tensor of another backend is refused", async () => {
    const elsewhere = (await reference()).tensor(x, [5]);
    await expect(backend.activate(relu, { x: elsewhere })).rejects.toThrow(
      "x is a tensor of another backend: read() it and pass the array",
    );
  });

  test("too large a tensor is refused with the device's limit, and the backend works on", async () => {
    const { maxStorageBufferBindingSize } = device.limits;
    const count = maxStorageBufferBindingSize / 4 + 4;
    expect(() => backend.tensor(new Float32Array(count), [count])).toThrow(
      /this tensor needs 129 MiB, but this device takes at most 128 MiB at once/,
    );
    expect([...(await backend.activate(relu, { x }))]).toEqual(positive);
  });

  test("float16 needs its feature", async () => {
    await expect(webgpu({ device, precision: "f16" })).rejects.toThrow(
      /precision "f16" needs the feature shader-f16, which this device was not requested with: pass requiredFeatures/,
    );
  });

  test("a lost device is named, by calls under way too; a new backend works", async () => {
    const doomed = await requestDevice();
    const lost = await webgpu({ device: doomed });
    const tensor = lost.tensor(x, [5]);
    await lost.activate(relu, { x: tensor });
    const underWay = lost.activate(relu, { x: tensor });
    doomed.destroy();
    await expect(underWay).rejects.toThrow(/the GPU device was lost \(destroyed.*create a new backend/);
    await expect(lost.activate(relu, { x })).rejects.toThrow(/the GPU device was lost/);
    await expect(tensor.read()).rejects.toThrow(/the GPU device was lost/);
    const next = await webgpu({ device: await requestDevice() });
    expect([...(await next.activate(relu, { x }))]).toEqual(positive);
    next.dispose();
  });

  test("a disposed backend says so, and leaves the caller's device as it is", async () => {
    const own = await requestDevice();
    const once = await webgpu({ device: own });
    once.dispose();
    once.dispose();
    await expect(once.activate(relu, { x })).rejects.toThrow(/this backend is disposed: create a new one/);
    const again = await webgpu({ device: own });
    expect([...(await again.activate(relu, { x }))]).toEqual(positive);
    again.dispose();
  });
});
