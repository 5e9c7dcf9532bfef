// What every backend must hold for feed-forward blocks: forward against plain float64 loops, every gradient against
// central differences of those loops, all forms and odd sizes, several passes alive.
import {
  type Activation,
  activations,
  type Backend,
  type Ffn,
  type PackedLayout,
  type ParameterValue,
  unpack,
} from "../../src/index.js";
import { type Block, exactBlockGradients, exactForward, type Weights } from "./exact-block.js";
import { expectArrayClose, expectError, expectTrue } from "./expect.js";
import { type Extent, oneOf } from "./extent.js";
import type { ConformanceCase } from "./index.js";
import { plainFloats } from "./samples.js";

/** What the cases for a block's numbers need of a backend; see `adapters.ts`. */
export type BlockBackend = Pick<Backend, "ffn" | "gatedFfn">;
export interface BlockCase {
  readonly name: string;
  run(backend: BlockBackend): Promise<void>;
}

/** Shapes as the design names them, written out again on purpose: the contract's own table is under test. */
function makeWeights(form: string, dModel: number, dFf: number, biases: boolean): Weights {
  const sizes: Record<string, Record<string, number>> = {
    ungated: { up: dModel * dFf, upBias: dFf },
    gated: { gate: dModel * dFf, gateBias: dFf, up: dModel * dFf, upBias: dFf },
    packed: { packed: dModel * 2 * dFf, packedBias: 2 * dFf },
    selfGated: { in: dModel * dFf, inBias: dFf, square: dFf * dFf, squareBias: dFf },
  };
  const all = { ...sizes[form], down: dFf * dModel, downBias: dModel };
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => biases || !name.endsWith("Bias"))
      .map(([name, size], i) => [
        name,
        plainFloats(size, 100 * dFf + i, name.endsWith("Bias") ? 0.5 : 1 / Math.sqrt(dModel)),
      ]),
  );
}

function makeBackend(backend: BlockBackend, block: Block): Promise<Ffn<object>> {
  const { activation, gated, dModel, dFf, weights, parameters, layout } = block;
  const common = { activation, dModel, dFf, parameters };
  const data = weights as Record<string, Float32Array> & {
    up: Float32Array;
    gate: Float32Array;
    down: Float32Array;
  };
  if (!gated) return backend.ffn({ ...common, weights: data });
  return backend.gatedFfn({ ...common, weights: data, ...(layout === undefined ? {} : { layout }) });
}

async function checkBlock(backend: BlockBackend, block: Block, what: string): Promise<void> {
  const { rows, dModel } = block;
  const x = plainFloats(rows * dModel, 7);
  const ffn = await makeBackend(backend, block);
  const y = exactForward(block, x);
  expectArrayClose(await ffn.forward(x, rows), y, 1e-5, `${what}: y`);
  const pass = await ffn.record(x, rows);
  expectArrayClose(pass.y, y, 1e-5, `${what}: recorded y`);
  const dY = plainFloats(rows * dModel, 8);
  const gradients = (await pass.backward(dY)) as Readonly<Record<string, ParameterValue>>;
  for (const [name, exact] of Object.entries(exactBlockGradients(block, x, dY))) {
    const got = gradients[name] as ParameterValue;
    expectArrayClose(typeof got === "number" ? [got] : got, exact, 1e-5, `${what}: gradient of ${name}`);
  }
  const again = (await pass.backward(dY)) as Readonly<Record<string, ParameterValue>>;
  for (const name of Object.keys(gradients))
    expectTrue(String(again[name]) === String(gradients[name]), `${what}: a second backward changed ${name}`);
  pass.dispose();
  ffn.dispose();
}

const { swiglu, relu, gelu, selfGlu, swigluBlend, swish, swigluOai, swigluClamped, situGlu } = activations;
/** In an order in which, one in turn, every form of block has one with biases and one without. */
const sizes = [
  { rows: 7, dModel: 4, dFf: 12, biases: true },
  { rows: 1, dModel: 1, dFf: 1, biases: false },
  { rows: 3, dModel: 5, dFf: 7, biases: true },
  { rows: 7, dModel: 4, dFf: 12, biases: false },
  { rows: 1, dModel: 1, dFf: 1, biases: true },
  { rows: 3, dModel: 5, dFf: 7, biases: false },
];

/** The cases for a block's numbers: values and every gradient, all forms, in as many sizes as `extent` says. */
export function blockCases(extent: Extent): BlockCase[] {
  const gradientCase = (
    name: string,
    form: string,
    activation: Activation,
    turn: number,
    more: { parameters?: Block["parameters"]; layout?: PackedLayout } = {},
  ): BlockCase => ({
    name: `ffn ${name}: y within 1e-5 of float64 loops, gradients of central differences`,
    run: async (backend) => {
      for (const { biases, ...size } of oneOf(sizes, { extent, turn })) {
        const weights = makeWeights(form, size.dModel, size.dFf, biases);
        const { parameters = activation.parameters, layout } = more;
        const block = { activation, gated: form !== "ungated", ...size, weights, parameters };
        const what = `${name} ${Object.values(size).join("x")}${biases ? " with biases" : ""}`;
        await checkBlock(backend, layout === undefined ? block : { ...block, layout }, what);
      }
    },
  });
  return [
    gradientCase("relu", "ungated", relu, 0),
    gradientCase("swish beta 1.7", "ungated", swish, 1, { parameters: { beta: Math.fround(1.7) } }),
    gradientCase("swiglu", "gated", swiglu, 2),
    gradientCase("swigluOai", "gated", swigluOai, 3),
    gradientCase("swigluOai without a limit", "gated", swigluOai, 3, {
      parameters: { ...swigluOai.parameters, limit: Infinity },
    }),
    gradientCase("situGlu without limits", "gated", situGlu, 4, {
      parameters: { gateLimit: Infinity, upLimit: Infinity },
    }),
    gradientCase("gelu as a gate", "gated", gelu, 4),
    gradientCase("swiglu gate-first", "packed", swiglu, 5, { layout: "gate-first" }),
    gradientCase("swiglu gate-second", "packed", swiglu, 6, { layout: "gate-second" }),
    gradientCase("swiglu interleaved", "packed", swiglu, 7, { layout: "interleaved" }),
    gradientCase("selfGlu", "selfGated", selfGlu, 8),
    gradientCase("swigluBlend", "selfGated", swigluBlend, 9),
    {
      name: "ffn: one beta for each channel, gradients in the same shape",
      run: async (backend) => {
        const size = { rows: 5, dModel: 3, dFf: 6 };
        for (const channels of [1, 2, 6]) {
          const beta = Float32Array.from({ length: channels }, (_, i) => 0.5 + i / 4);
          const weights = makeWeights("gated", 3, 6, true);
          const block = { activation: swiglu, gated: true, ...size, weights, parameters: { beta } };
          await checkBlock(backend, block, `${channels} channels`);
        }
      },
    },
    {
      name: "ffn: no limit in some channels",
      run: async (backend) => {
        const size = { rows: 5, dModel: 3, dFf: 4 };
        const limits = Float32Array.of(Infinity, 0.3, Infinity, 0.1);
        const weights = makeWeights("gated", 3, 4, true);
        for (const [activation, parameters] of [
          [swigluClamped, { limit: limits }],
          [situGlu, { gateLimit: limits, upLimit: limits.toReversed() }],
        ] as const)
          await checkBlock(
            backend,
            { activation, gated: true, ...size, weights, parameters },
            activation.name,
          );
      },
    },
    {
      name: "ffn: odd and larger sizes forward within 1e-5 of float64 loops",
      run: async (backend) => {
        for (const [rows, dModel, dFf] of [
          [1, 17, 31],
          [2, 64, 48],
          [4, 13, 101],
          [33, 40, 37],
        ] as const) {
          const weights = makeWeights("gated", dModel, dFf, true);
          const block = {
            activation: swiglu,
            gated: true,
            rows,
            dModel,
            dFf,
            weights,
            parameters: { beta: 1 },
          };
          const x = plainFloats(rows * dModel, 5);
          const ffn = await makeBackend(backend, block);
          const what = `${rows}x${dModel}x${dFf}`;
          expectArrayClose(await ffn.forward(x, rows), exactForward(block, x), 1e-5, what);
          ffn.dispose();
        }
      },
    },
  ];
}

/** All cases for feed-forward blocks. */
export function ffnCases(extent: Extent): ConformanceCase[] {
  return [
    ...blockCases(extent),
    {
      name: "ffn: no rows, several passes alive, weights copied at creation",
      run: async (backend) => {
        const weights = makeWeights("gated", 4, 6, true);
        const block = {
          activation: swiglu,
          gated: true,
          rows: 2,
          dModel: 4,
          dFf: 6,
          weights,
          parameters: {},
        };
        const ffn = await makeBackend(backend, block);
        expectTrue((await ffn.forward(new Float32Array(0), 0)).length === 0, "no rows give no output");
        const [first, second] = [plainFloats(8, 1), plainFloats(8, 2)];
        const dY = plainFloats(8, 3);
        const lone = await ffn.record(first, 2);
        const before = (await lone.backward(dY)) as Readonly<Record<string, Float32Array>>;
        lone.dispose();
        const passes = [await ffn.record(first, 2), await ffn.record(second, 2)] as const;
        for (const weight of Object.values(weights)) weight.fill(Number.NaN);
        first.fill(Number.NaN);
        const after = (await passes[0].backward(dY)) as Readonly<Record<string, Float32Array>>;
        for (const name of ["x", "gate", "down"])
          expectTrue(String(after[name]) === String(before[name]), `${name} changed with another pass alive`);
        for (const pass of passes) pass.dispose();
        ffn.dispose();
      },
    },
    {
      name: "ffn: recompute gives the same; y and gradients go into the caller's arrays, which are checked",
      run: async (backend) => {
        const weights = makeWeights("gated", 5, 7, true) as Record<"gate" | "up" | "down", Float32Array>;
        const common = { activation: swiglu, dModel: 5, dFf: 7, weights };
        const [x, dY] = [plainFloats(15, 1), plainFloats(15, 2)];
        const kept = await backend.gatedFfn(common);
        const again = await backend.gatedFfn({ ...common, recompute: true });
        const passes = [await kept.record(x, 3), await again.record(x, 3)] as const;
        const y = new Float32Array(15);
        expectTrue((await kept.forward(x, 3, { out: y })) === y, "y is out");
        expectArrayClose(y, passes[0].y, 0, "y in out");
        expectArrayClose(passes[1].y, passes[0].y, 0, "y with recompute");
        const gradients = await passes[0].backward(dY);
        const out = { x: new Float32Array(15), gate: new Float32Array(35) };
        const written = await passes[1].backward(dY, { out });
        for (const name of ["x", "gate"] as const) {
          expectTrue(written[name] === out[name], `the gradient of ${name} is the array in out`);
          expectArrayClose(out[name], gradients[name], 0, `${name} in out, with recompute`);
        }
        expectArrayClose(written.down, gradients.down, 0, "down beside out");
        await expectError(() => kept.forward(x, 3, { out: new Float32Array(14) }), /^out has 14 elements/);
        await expectError(
          () => passes[0].backward(dY, { out: { gate: new Float32Array(34) } }),
          /^out.gate has 34 elements, expected 35/,
        );
        await expectError(() => passes[0].backward(dY, { out: { beta: out.x } as object }), /beta/);
        for (const each of [...passes, kept, again]) each.dispose();
      },
    },
    {
      name: "ffn: y and gradients go into tensors too, dY's own among them; parameters may be left out; two outputs must not be one",
      run: async (backend) => {
        for (const [dModel, dFf, biases] of [
          [5, 7, true],
          [8, 12, false],
        ] as const) {
          const weights = makeWeights("gated", dModel, dFf, biases) as Record<
            "gate" | "up" | "down",
            Float32Array
          >;
          const ffn = await backend.gatedFfn({ activation: swiglu, dModel, dFf, weights });
          const [x, dY] = [plainFloats(3 * dModel, 1), plainFloats(3 * dModel, 2)];
          const pass = await ffn.record(x, 3);
          const expected = (await pass.backward(dY)) as Readonly<Record<string, Float32Array>>;
          const resident = (data: Float32Array) => backend.tensor(data, [data.length]);
          const y = resident(new Float32Array(3 * dModel));
          const held = await ffn.record(resident(x), 3, { out: y });
          expectTrue(held.y === y, "y is out");
          expectArrayClose(await y.read(), pass.y, 0, "y in a tensor");
          const slope = resident(dY);
          const out = Object.fromEntries(
            Object.entries(weights).map(([name, { length }]) => [name, resident(new Float32Array(length))]),
          );
          const written = (await held.backward(slope, { out: { ...out, x: slope } })) as typeof expected;
          for (const [name, tensor] of Object.entries({ ...out, x: slope })) {
            expectTrue((written[name] as unknown) === tensor, `the gradient of ${name} is the tensor in out`);
            expectArrayClose(await tensor.read(), expected[name] as Float32Array, 0, `${name} in a tensor`);
          }
          expectTrue(written.beta === expected.beta, "beta beside tensors");
          const fixed = await pass.backward(dY, { parameterGradients: false });
          const { beta: _, ...others } = expected;
          expectTrue(
            Object.keys(fixed).toSorted().join() === Object.keys(others).toSorted().join(),
            `without parameters: gradients of ${Object.keys(fixed)}`,
          );
          for (const [name, gradient] of Object.entries(others))
            expectArrayClose(fixed[name] as Float32Array, gradient, 0, `${name} without parameters`);
          const gate = resident(new Float32Array(dModel * dFf));
          await expectError(() => pass.backward(dY, { out: { gate, up: gate } }), /^out.up is also out.gate/);
          await expectError(() => ffn.record(x, 3, { out: gate }), /^out has \d+ elements/);
          for (const each of [y, slope, gate, ...Object.values(out), pass, held, ffn]) each.dispose();
          await expectError(() => backend.activate(swiglu, { gate, up: gate }), /disposed/);
        }
      },
    },
    {
      name: "ffn: packed weights give what their unpacked halves give",
      run: async (backend) => {
        const packed = plainFloats(5 * 12, 1);
        const down = plainFloats(6 * 5, 2);
        const x = plainFloats(15, 3);
        for (const layout of ["gate-first", "gate-second", "interleaved"] satisfies PackedLayout[]) {
          const common = { activation: swiglu, dModel: 5, dFf: 6 };
          const halves = unpack(packed, [5, 12], { layout });
          const one = await backend.gatedFfn({ ...common, weights: { packed, down }, layout });
          const two = await backend.gatedFfn({ ...common, weights: { ...halves, down } });
          expectArrayClose(await one.forward(x, 3), await two.forward(x, 3), 1e-6, layout);
          one.dispose();
          two.dispose();
        }
      },
    },
  ];
}
