// Feed-forward blocks on the GPU against the reference: odd sizes and primes, several tiles, tensors, NaN.
import { afterAll, describe, expect, test } from "vitest";
import { activations, type Ffn, type ParameterValue, reference, webgpu } from "../../src/index.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { driver, requestDevice, unlessDriver } from "./dawn.js";

const { swiglu, selfGlu } = activations;
type Results = Readonly<Record<string, ParameterValue>>;
const numbers = (value: ParameterValue | undefined): ArrayLike<number> =>
  typeof value === "number" ? [value] : (value ?? []);

const weightsOf = (dModel: number, dFf: number) => ({
  gate: plainFloats(dModel * dFf, 1, dModel ** -0.5),
  up: plainFloats(dModel * dFf, 2, dModel ** -0.5),
  down: plainFloats(dModel * dFf, 3, dFf ** -0.5),
  gateBias: plainFloats(dFf, 4),
  upBias: plainFloats(dFf, 5),
  downBias: plainFloats(dModel, 6),
});

/** All that a block computes from x and dY. */
async function run(ffn: Ffn<object>, x: Float32Array, dY: Float32Array, rows: number): Promise<Results> {
  const pass = await ffn.record(x, rows);
  const gradients: Results = await pass.backward(dY);
  return { y: pass.y, forward: await ffn.forward(x, rows), ...gradients };
}

describe.runIf(driver)(`feed-forward blocks on Dawn${unlessDriver}`, async () => {
  const backend = driver ? await webgpu({ device: await requestDevice() }) : (undefined as never);
  const exact = await reference();
  afterAll(() => backend?.dispose());

  test.each([
    [1, 1, 1],
    [1, 131, 67],
    [2, 37, 131],
    [3, 64, 61],
    [4, 129, 257],
    [5, 1, 131],
    [67, 129, 2],
    [131, 67, 193],
  ])("swiglu %i x %i x %i: y and gradients within 1e-5 of the largest", async (rows, dModel, dFf) => {
    const beta = Float32Array.from({ length: dFf }, (_, i) => 1 + i / dFf);
    const options = {
      activation: swiglu,
      dModel,
      dFf,
      weights: weightsOf(dModel, dFf),
      parameters: { beta },
    };
    const [x, dY] = [plainFloats(rows * dModel, 7), plainFloats(rows * dModel, 8)];
    const ffn = await backend.gatedFfn(options);
    const got = await run(ffn, x, dY, rows);
    const expected = await run(await exact.gatedFfn(options), x, dY, rows);
    for (const [name, values] of Object.entries(expected))
      expectArrayClose(numbers(got[name]), numbers(values), 1e-5, name);
    ffn.dispose();
  });

  test("weights, x, y and dY may be tensors, and y one of them; weights are copied", async () => {
    const [rows, dModel, dFf] = [5, 6, 9];
    const weights = {
      gate: plainFloats(dModel * dFf, 1),
      up: plainFloats(dModel * dFf, 2),
      down: plainFloats(dModel * dFf, 3),
      gateBias: plainFloats(dFf, 4),
    };
    const resident = (data: Float32Array) => backend.tensor(data, [data.length]);
    const tensors = {
      gate: resident(weights.gate),
      up: resident(weights.up),
      down: resident(weights.down),
      gateBias: resident(weights.gateBias),
    };
    const common = { activation: swiglu, dModel, dFf };
    const blocks = [
      await backend.gatedFfn({ ...common, weights }),
      await backend.gatedFfn({ ...common, weights: tensors }),
    ];
    const [ofArrays, ofTensors] = blocks as [(typeof blocks)[0], (typeof blocks)[0]];
    for (const tensor of Object.values(tensors)) tensor.dispose();
    const [x, dY] = [plainFloats(rows * dModel, 7), plainFloats(rows * dModel, 8)];
    const place = backend.tensor(x, [rows, dModel]);
    const [first, second] = [await ofArrays.record(x, rows), await ofTensors.record(place, rows)];
    expect(second.y).toEqual(first.y);
    expect(await second.backward(backend.tensor(dY, [rows, dModel]))).toEqual(await first.backward(dY));
    expect(await ofTensors.forward(place, rows, { out: place })).toBe(place);
    expect(await place.read()).toEqual(first.y);
    for (const each of [first, second, ...blocks]) each.dispose();
  });

  test("a row with NaN is NaN, the others are not", async () => {
    const [rows, dModel, dFf] = [6, 7, 5];
    const x = plainFloats(rows * dModel, 7);
    x[2 * dModel + 3] = Number.NaN;
    const ffn = await backend.gatedFfn({ activation: swiglu, dModel, dFf, weights: weightsOf(dModel, dFf) });
    const y = await ffn.forward(x, rows);
    expect(Array.from(y, Number.isNaN)).toEqual(Array.from(y, (_, i) => Math.floor(i / dModel) === 2));
    ffn.dispose();
  });
});

describe.runIf(driver)(`feed-forward blocks with subgroups on Dawn${unlessDriver}`, async () => {
  const device = driver ? await requestDevice({ requiredFeatures: ["subgroups"] }) : (undefined as never);
  const backend = driver ? await webgpu({ device }) : (undefined as never);
  const exact = await reference();
  afterAll(() => backend?.dispose());

  test.each([
    [1, 1, 1],
    [1, 131, 67],
    [2, 64, 130],
    [3, 257, 61],
    [4, 129, 257],
  ])("swiglu and selfGlu %i x %i x %i: y within 1e-5 of the largest", async (rows, dModel, dFf) => {
    const weights = weightsOf(dModel, dFf);
    const options = { activation: swiglu, dModel, dFf, weights };
    const x = plainFloats(rows * dModel, 7);
    const y = await (await backend.gatedFfn(options)).forward(x, rows);
    expectArrayClose(y, await (await exact.gatedFfn(options)).forward(x, rows), 1e-5, "swiglu");
    const square = plainFloats(dFf * dFf, 5, dFf ** -0.5);
    const own = { ...options, activation: selfGlu, weights: { in: weights.up, square, down: weights.down } };
    const z = await (await backend.gatedFfn(own)).forward(x, rows);
    expectArrayClose(z, await (await exact.gatedFfn(own)).forward(x, rows), 1e-5, "selfGlu");
  });
});

describe.runIf(driver)(`feed-forward blocks in float16 on Dawn${unlessDriver}`, async () => {
  const device = driver ? await requestDevice({ requiredFeatures: ["shader-f16"] }) : (undefined as never);
  const backend = driver ? await webgpu({ device, precision: "f16" }) : (undefined as never);
  const exact = await reference();
  afterAll(() => backend?.dispose());
  /** Four units of float16: x, weights, the hidden layer and y are rounded to it. */
  const bound = 4 * 2 ** -11;

  test.each([
    [3, 37, 61],
    [67, 65, 131],
  ])("swiglu %i x %i x %i: y and gradients within 4 units of the largest", async (rows, dModel, dFf) => {
    const options = { activation: swiglu, dModel, dFf, weights: weightsOf(dModel, dFf) };
    const [x, dY] = [plainFloats(rows * dModel, 7), plainFloats(rows * dModel, 8)];
    const got = await run(await backend.gatedFfn(options), x, dY, rows);
    const expected = await run(await exact.gatedFfn(options), x, dY, rows);
    for (const [name, values] of Object.entries(expected))
      expectArrayClose(numbers(got[name]), numbers(values), bound, name);
  });

  test("gradients of biases, which are summed in float32, go into float16 tensors", async () => {
    const [rows, dModel, dFf] = [5, 6, 9];
    const weights = {
      gate: plainFloats(dModel * dFf, 1),
      up: plainFloats(dModel * dFf, 2),
      down: plainFloats(dModel * dFf, 3),
      gateBias: plainFloats(dFf, 4),
    };
    const ffn = await backend.gatedFfn({ activation: swiglu, dModel, dFf, weights });
    const pass = await ffn.record(plainFloats(rows * dModel, 7), rows);
    const dY = plainFloats(rows * dModel, 8);
    const { gateBias: expected } = await pass.backward(dY);
    const gateBias = backend.tensor(new Float32Array(dFf), [dFf]);
    expect((await pass.backward(dY, { out: { gateBias } })).gateBias).toBe(gateBias);
    expectArrayClose(await gateBias.read(), expected as Float32Array, 2 ** -11, "gateBias");
  });
});
