// Feed-forward blocks in WebAssembly beyond the conformance suite: larger sizes against the reference, canaries around every
// buffer, memory that is kept and given back, passes that compute again, and resident tensors.
import { afterEach, describe, expect, test } from "vitest";
import { BlockFacade } from "../../src/block/facade.js";
import { type BlockPlan, planFfn, planGatedFfn } from "../../src/block/plan.js";
import {
  type Activation,
  activations,
  defineActivation,
  expressions as e,
  type Ffn,
  type FfnGradients,
  type PackedLayout,
  type ParameterValue,
  reference,
} from "../../src/index.js";
import { WasmBlock } from "../../src/wasm/block/block.js";
import { type Engine, SingleThreadEngine } from "../../src/wasm/machine/engine.js";
import { chooseSimd } from "../../src/wasm/machine/features.js";
import { WasmTensor } from "../../src/wasm/machine/tensor.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";

const canary = Math.fround(1e30);
/** Numbers on each side of an allocation; a cache line, so that addresses keep their alignment. */
const border = 16;

/** An engine that divides work as for `threads`, and whose allocations lie between canaries that their release checks. */
function guardedEngine(threads: number): Engine {
  const engine = new SingleThreadEngine(chooseSimd());
  const { heap } = engine;
  const [allocate, release] = [heap.allocate.bind(heap), heap.release.bind(heap)];
  const sizes = new Map<number, number>();
  heap.allocate = (count) => {
    const address = allocate(count + 2 * border);
    heap.at(address, count + 2 * border).fill(canary);
    const inner = address + 4 * border;
    sizes.set(inner, count);
    return inner;
  };
  heap.release = (inner) => {
    const count = sizes.get(inner) as number;
    for (const side of [inner - 4 * border, inner + 4 * count])
      expect([...heap.at(side, border)]).toEqual(Array(border).fill(canary));
    sizes.delete(inner);
    release(inner - 4 * border);
  };
  return Object.assign(engine, { threads });
}

type Weights = Record<string, Float32Array>;
type Gradients = FfnGradients<Weights>;

type FormName = "ungated" | "gated" | "packed" | "selfGated";

function weightsOf(form: FormName, dModel: number, dFf: number): Weights {
  const sizes: Record<FormName, Record<string, [number, number]>> = {
    ungated: { up: [dModel, dFf] },
    gated: { gate: [dModel, dFf], up: [dModel, dFf] },
    packed: { packed: [dModel, 2 * dFf] },
    selfGated: { in: [dModel, dFf], square: [dFf, dFf] },
  };
  const all = { ...sizes[form], down: [dFf, dModel] as const };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, [rows, columns]], i) => [
      [name, plainFloats(rows * columns, i, Math.sqrt(3 / rows))],
      [`${name}Bias`, plainFloats(columns, 10 + i, 0.5)],
    ]),
  );
}

interface Case {
  readonly activation: Activation;
  readonly form: FormName;
  readonly size: readonly [rows: number, dModel: number, dFf: number];
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly layout?: PackedLayout;
}

function optionsOf({ activation, form, size: [, dModel, dFf], parameters = {}, layout }: Case) {
  const weights = weightsOf(form, dModel, dFf) as Weights & Record<"up" | "gate" | "down", Float32Array>;
  return { activation, dModel, dFf, weights, parameters, ...(layout === undefined ? {} : { layout }) };
}

function planOf(task: Case): BlockPlan {
  return task.form === "ungated" ? planFfn(optionsOf(task)) : planGatedFfn(optionsOf(task));
}

function blockOn(engine: Engine, plan: BlockPlan, recompute = false): Ffn<Weights> {
  const read = ({ data }: { readonly data: unknown }): Float32Array =>
    data instanceof WasmTensor ? engine.heap.at(data.address, data.length) : (data as Float32Array);
  return new BlockFacade(plan, new WasmBlock(engine, plan, read, recompute), {
    alive: () => undefined,
    ended: () => undefined,
  });
}

/**
 * Gradients within a share of the largest element. A number is a sum in which terms of both signs cancel: its share is of
 * the sum of their magnitudes, for which the sums of single columns stand.
 */
function expectGradients(got: Gradients, exact: Gradients, ofColumns: Gradients, share: number): void {
  expect(Object.keys(got).toSorted()).toEqual(Object.keys(exact).toSorted());
  for (const [name, value] of Object.entries(exact)) {
    const mine = got[name] as ParameterValue;
    if (typeof value !== "number") expectArrayClose(mine as Float32Array, value, share, name);
    else {
      const size = (ofColumns[name] as Float32Array).reduce((sum, column) => sum + Math.abs(column), 0);
      expect(Math.abs((mine as number) - value), name).toBeLessThanOrEqual(share * size);
    }
  }
}

/** The same bits; quicker on large arrays than a matcher. */
function expectSame(one: Gradients, two: Gradients): void {
  const bytes = (value: ParameterValue): Buffer =>
    typeof value === "number" ? Buffer.from(String(value)) : Buffer.from(value.buffer);
  expect(Object.keys(one)).toEqual(Object.keys(two));
  for (const [name, value] of Object.entries(one))
    expect(bytes(value).equals(bytes(two[name] as ParameterValue)), name).toBe(true);
}

/** The reference's pass and gradients, and those with a value of its own for each column in every parameter. */
async function exactly(task: Case, x: Float32Array, dY: Float32Array, rows: number) {
  const backend = await reference();
  const record = async (given: Case) => {
    const options = optionsOf(given);
    const ffn = given.form === "ungated" ? await backend.ffn(options) : await backend.gatedFfn(options);
    const pass = await ffn.record(x, rows);
    return { y: pass.y, gradients: (await pass.backward(dY)) as Gradients };
  };
  const all = { ...task.activation.parameters, ...task.parameters };
  const single = Object.values(all).some((value) => typeof value === "number");
  const expanded = Object.entries(all).map(([name, value]): [string, ParameterValue] => [
    name,
    typeof value === "number" ? new Float32Array(task.size[2]).fill(value) : value,
  ]);
  const { y, gradients } = await record(task);
  const columns = single ? await record({ ...task, parameters: Object.fromEntries(expanded) }) : undefined;
  return { y, gradients, ofColumns: columns?.gradients ?? gradients };
}

const { swiglu, gelu, swish, selfGlu, swigluBlend, relu, swigluOai } = activations;
const perChannel = (count: number) => Float32Array.from({ length: count }, (_, i) => 0.5 + (i % 7) / 4);

describe("feed-forward blocks in WebAssembly", () => {
  const engines: Engine[] = [];
  afterEach(() => {
    // Every allocation was given back, and its canaries were whole.
    for (const engine of engines.splice(0)) expect(engine.heap.bytesInUse).toBe(0);
  });
  function engineFor(threads: number): Engine {
    const engine = guardedEngine(threads);
    engines.push(engine);
    return engine;
  }

  const cases: Case[] = [
    { activation: swiglu, form: "gated", size: [1, 67, 101] },
    { activation: swiglu, form: "gated", size: [2, 64, 96], parameters: { beta: 1.7 } },
    { activation: gelu, form: "gated", size: [3, 33, 40] },
    { activation: swigluOai, form: "gated", size: [4, 24, 53] },
    { activation: swiglu, form: "gated", size: [97, 83, 131], parameters: { beta: perChannel(131) } },
    { activation: swiglu, form: "packed", size: [50, 72, 88], layout: "interleaved" },
    { activation: swiglu, form: "packed", size: [7, 40, 31], layout: "gate-second" },
    { activation: swish, form: "ungated", size: [61, 40, 150], parameters: { beta: perChannel(50) } },
    { activation: relu, form: "ungated", size: [1, 9, 1100] },
    { activation: selfGlu, form: "selfGated", size: [29, 31, 64] },
    { activation: swigluBlend, form: "selfGated", size: [3, 48, 57] },
    { activation: swiglu, form: "gated", size: [13, 1100, 1203] },
  ];
  for (const task of cases) {
    const { activation, form, size, layout = "" } = task;
    const [rows, dModel] = size;
    const [x, dY] = [plainFloats(rows * dModel, 20), plainFloats(rows * dModel, 21)];
    let exact: Awaited<ReturnType<typeof exactly>> | undefined;
    for (const threads of [1, 2]) {
      test(`${form} ${layout} ${activation.name} ${size.join("x")}, divided for ${threads}: within 1e-5 of float64, canaries whole`, async () => {
        exact ??= await exactly(task, x, dY, rows);
        const engine = engineFor(threads);
        for (const recompute of [false, true]) {
          const ffn = blockOn(engine, planOf(task), recompute);
          expectArrayClose(await ffn.forward(x, rows), exact.y, 1e-5, "y");
          const pass = await ffn.record(x, rows);
          expectArrayClose(pass.y, exact.y, 1e-5, "recorded y");
          const gradients = (await pass.backward(dY)) as Gradients;
          expectGradients(gradients, exact.gradients, exact.ofColumns, 1e-5);
          expectSame((await pass.backward(dY)) as Gradients, gradients);
          pass.dispose();
          pass.dispose();
          ffn.dispose();
          ffn.dispose();
        }
      });
    }
  }

  test("a pass keeps x, gate and up; with recompute only x; forward keeps nothing", async () => {
    const [rows, dModel, dFf] = [48, 64, 128];
    const plan = planOf({ activation: swiglu, form: "gated", size: [rows, dModel, dFf] });
    const x = plainFloats(rows * dModel, 1);
    const kept = async (recompute: boolean): Promise<number> => {
      const engine = new SingleThreadEngine(chooseSimd());
      const ffn = blockOn(engine, plan, recompute);
      const before = engine.heap.bytesInUse;
      await ffn.forward(x, rows);
      expect(engine.heap.bytesInUse).toBe(before);
      const pass = await ffn.record(x, rows);
      const bytes = engine.heap.bytesInUse - before;
      pass.dispose();
      expect(engine.heap.bytesInUse).toBe(before);
      return bytes;
    };
    const line = 64;
    const ofX = 4 * rows * dModel;
    expect(await kept(true)).toBeLessThanOrEqual(ofX + line);
    const all = await kept(false);
    expect(all).toBeGreaterThanOrEqual(ofX + 4 * rows * 2 * dFf);
    expect(all).toBeLessThanOrEqual(ofX + 4 * rows * 2 * dFf + 2 * line);
  });

  test("resident tensors give the same numbers as arrays, and may change after record", async () => {
    const size = [9, 32, 40] as const;
    const [rows, dModel] = size;
    const engine = engineFor(1);
    const ffn = blockOn(engine, planOf({ activation: swiglu, form: "gated", size }));
    const [x, dY] = [plainFloats(rows * dModel, 1), plainFloats(rows * dModel, 2)];
    const tensors = [x, dY].map((data) => new WasmTensor(engine, data, [rows, dModel]));
    const [xTensor, dYTensor] = tensors as [WasmTensor, WasmTensor];
    expect(await ffn.forward(xTensor, rows)).toEqual(await ffn.forward(x, rows));
    const [one, two] = [await ffn.record(x, rows), await ffn.record(xTensor, rows)];
    engine.heap.at(xTensor.address, x.length).fill(Number.NaN);
    expectSame((await two.backward(dYTensor)) as Gradients, (await one.backward(dY)) as Gradients);
    for (const each of [one, two, ...tensors, ffn]) each.dispose();
  });

  test("y and gradients are written where the caller says; a wrong name or length is an error", async () => {
    for (const [form, layout] of [["gated"], ["packed", "interleaved"]] as const) {
      const size = [4, 10, 12] as const;
      const engine = engineFor(1);
      const task: Case = { activation: swiglu, form, size, ...(layout === undefined ? {} : { layout }) };
      const plan = planOf(task);
      const ffn = blockOn(engine, plan);
      const [x, dY] = [plainFloats(40, 1), plainFloats(40, 2)];
      const pass = await ffn.record(x, 4);
      const [own, tensor] = [new Float32Array(40), new WasmTensor(engine, new Float32Array(40), [4, 10])];
      expect(await ffn.forward(x, 4, { out: own })).toBe(own);
      expect(await ffn.forward(x, 4, { out: tensor })).toBe(tensor);
      expect(own).toEqual(pass.y);
      expect(await tensor.read()).toEqual(pass.y);
      const gradients = (await pass.backward(dY)) as Gradients;
      const out = Object.fromEntries(
        ["x", ...Object.keys(plan.weights)].map((name) => [
          name,
          new Float32Array((gradients[name] as Float32Array).length).fill(Number.NaN),
        ]),
      );
      const written = (await pass.backward(dY, { out })) as Gradients;
      expectSame(written, gradients);
      for (const [name, array] of Object.entries(out)) expect(written[name]).toBe(array);
      await expect(pass.backward(dY, { out: { x: new Float32Array(3) } })).rejects.toThrow(/^out.x has 3/);
      await expect(pass.backward(dY, { out: { beta: new Float32Array(1) } })).rejects.toThrow(/beta/);
      await expect(ffn.forward(x, 4, { out: new Float32Array(41) })).rejects.toThrow(/^out has 41/);
      for (const each of [pass, tensor, ffn]) each.dispose();
    }
  });

  test("an activation that is infinite at 0 leaves no trace in the padding of odd sizes", async () => {
    const inverse = defineActivation({
      name: "inverse",
      kind: "unary",
      expression: e.div(1, "x"),
      source: "test",
    });
    const [rows, dModel, dFf] = [5, 7, 11];
    const weights = {
      up: plainFloats(dModel * dFf, 1).map((value) => Math.abs(value) + 0.1),
      down: plainFloats(dFf * dModel, 2),
    };
    const options = { activation: inverse, dModel, dFf, weights };
    const x = plainFloats(rows * dModel, 3).map((value) => Math.abs(value) + 0.1);
    const dY = plainFloats(rows * dModel, 4);
    const exact = await (await (await reference()).ffn(options)).record(x, rows);
    const ffn = blockOn(engineFor(2), planFfn(options));
    const pass = await ffn.record(x, rows);
    expectArrayClose(pass.y, exact.y, 1e-5, "y");
    const gradients = (await exact.backward(dY)) as Gradients;
    expectGradients((await pass.backward(dY)) as Gradients, gradients, gradients, 1e-5);
    pass.dispose();
    ffn.dispose();
  });

  test("memory that ends at any allocation: the error is passed on, nothing stays behind, later calls work", async () => {
    const engine = engineFor(2);
    const { heap } = engine;
    const allocate = heap.allocate.bind(heap);
    let left = Number.POSITIVE_INFINITY;
    heap.allocate = (count) => {
      if (left-- <= 0) throw new RangeError("no more memory");
      return allocate(count);
    };
    const plan = planOf({ activation: swigluBlend, form: "selfGated", size: [7, 9, 10] });
    const [x, dY] = [plainFloats(63, 1), plainFloats(63, 2)];
    /** Tries with room for ever more allocations until it succeeds; each failure leaves what was in use before. */
    async function untilItWorks<T>(work: () => Promise<T>): Promise<T> {
      const before = heap.bytesInUse;
      for (let room = 0; room < 1000; room++) {
        left = room;
        try {
          return await work();
        } catch (error) {
          expect(String(error)).toContain("no more memory");
          expect(heap.bytesInUse).toBe(before);
        } finally {
          left = Number.POSITIVE_INFINITY;
        }
      }
      throw new Error("it never worked");
    }
    const ffn = await untilItWorks(async () => blockOn(engine, plan));
    const y = await untilItWorks(() => ffn.forward(x, 7));
    const pass = await untilItWorks(() => ffn.record(x, 7));
    expect(pass.y).toEqual(y);
    const gradients = (await pass.backward(dY)) as Gradients;
    expectSame((await untilItWorks(() => pass.backward(dY))) as Gradients, gradients);
    pass.dispose();
    ffn.dispose();
  });

  test("no rows: no output, gradients of zeros", async () => {
    const ffn = blockOn(engineFor(1), planOf({ activation: swiglu, form: "gated", size: [0, 5, 6] }));
    const pass = await ffn.record(new Float32Array(0), 0);
    expect(pass.y).toEqual(new Float32Array(0));
    const gradients = (await pass.backward(new Float32Array(0))) as Gradients;
    expect(gradients.x).toEqual(new Float32Array(0));
    expect(gradients.gate).toEqual(new Float32Array(30));
    expect(gradients.beta).toBe(0);
    pass.dispose();
    ffn.dispose();
  });

  test("after dispose every call says so; wrong lengths name the argument", async () => {
    const engine = engineFor(1);
    const ffn = blockOn(engine, planOf({ activation: swiglu, form: "gated", size: [2, 5, 6] }));
    await expect(ffn.forward(new Float32Array(9), 2)).rejects.toThrow(/^x has 9 elements, expected 10/);
    await expect(ffn.forward(new Float32Array(10), 2.5)).rejects.toThrow(/^rows is 2.5/);
    const pass = await ffn.record(new Float32Array(10), 2);
    await expect(pass.backward(new Float32Array(3))).rejects.toThrow(/^dY has 3 elements, expected 10/);
    pass.dispose();
    await expect(pass.backward(new Float32Array(10))).rejects.toThrow(/this pass is disposed/);
    ffn.dispose();
    await expect(ffn.forward(new Float32Array(10), 2)).rejects.toThrow(/this feed-forward block is disposed/);
  });
});
