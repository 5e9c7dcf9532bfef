// What every backend must hold for feed-forward blocks: forward against plain float64 loops, every gradient against
// central differences of those loops, all forms and odd sizes, several passes alive.
import {
  type Activation,
  activations,
  asGated,
  type Backend,
  evaluate,
  type Ffn,
  type PackedLayout,
  type ParameterValue,
  unpack,
} from "../../src/index.js";
import { expectArrayClose, expectError, expectTrue } from "./expect.js";
import type { ConformanceCase } from "./index.js";
import { plainFloats } from "./samples.js";

/** What the cases for a block's numbers need of a backend; see `adapters.ts`. */
export type BlockBackend = Pick<Backend, "ffn" | "gatedFfn">;
export interface BlockCase {
  readonly name: string;
  run(backend: BlockBackend): Promise<void>;
}

type Numbers = Float32Array | Float64Array;
type Weights = Record<string, Numbers>;

/** One block to check. */
interface Block {
  readonly activation: Activation;
  readonly gated: boolean;
  readonly rows: number;
  readonly dModel: number;
  readonly dFf: number;
  readonly weights: Weights;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly layout?: PackedLayout;
}

/** `a b + bias`, plainly. */
function linear(a: Numbers, b: Numbers, bias: Numbers | undefined, rows: number): Float64Array {
  const inner = a.length / rows;
  const columns = b.length / inner;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = bias ? (bias[column] as number) : 0;
    for (let k = 0; k < inner; k++)
      sum += (a[row * inner + k] as number) * (b[k * columns + column] as number);
    return sum;
  });
}

/** The block's output by its formula, in float64. */
function plainForward(
  block: Block,
  x: Numbers,
  weights: Weights,
  parameters: Block["parameters"],
): Float64Array {
  const { rows, dFf, layout, gated } = block;
  const activation = gated ? asGated(block.activation) : block.activation;
  const project = (from: Numbers, name: string) =>
    linear(from, weights[name] as Numbers, weights[`${name}Bias`], rows);
  const inputs: Record<string, Numbers> = {};
  if (!gated) inputs.x = project(x, "up");
  else if (layout !== undefined) {
    const packed = project(x, "packed");
    const index = (row: number, column: number, part: 0 | 1): number => {
      const slot = layout === "gate-second" ? 1 - part : part;
      return row * 2 * dFf + (layout === "interleaved" ? 2 * column + slot : slot * dFf + column);
    };
    const half = (part: 0 | 1) =>
      Float64Array.from(
        { length: rows * dFf },
        (_, i) => packed[index(Math.floor(i / dFf), i % dFf, part)] as number,
      );
    [inputs.gate, inputs.up] = [half(0), half(1)];
  } else if ("in" in weights) {
    const own = project(x, "in");
    const other = project(own, "square");
    [inputs.gate, inputs.up] = activation.self === "gate" ? [own, other] : [other, own];
  } else [inputs.gate, inputs.up] = [project(x, "gate"), project(x, "up")];
  const hidden = Float64Array.from({ length: rows * dFf }, (_, i) => {
    const point = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, data[i]]));
    const there = Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [
        name,
        typeof value === "number" ? value : value[i % value.length],
      ]),
    );
    return evaluate(activation, point as { x: number; gate: number; up: number }, there);
  });
  return project(hidden, "down");
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
  const { rows, dModel, weights, parameters } = block;
  const x = plainFloats(rows * dModel, 7);
  const ffn = await makeBackend(backend, block);
  const y = plainForward(block, x, weights, parameters);
  expectArrayClose(await ffn.forward(x, rows), y, 1e-5, `${what}: y`);
  const pass = await ffn.record(x, rows);
  expectArrayClose(pass.y, y, 1e-5, `${what}: recorded y`);
  const dY = plainFloats(rows * dModel, 8);
  const gradients = (await pass.backward(dY)) as Readonly<Record<string, ParameterValue>>;

  /** The slope of sum(dY * y) in one number of one array, by central differences. */
  const slopeOf = (array: Numbers, i: number, loss: (changed: Float64Array) => Float64Array): number => {
    const step = 1e-5;
    const sides = [step, -step].map((change) => {
      const changed = Float64Array.from(array);
      changed[i]! += change;
      return loss(changed).reduce((sum, value, k) => sum + value * (dY[k] as number), 0);
    });
    return ((sides[0] as number) - (sides[1] as number)) / (2 * step);
  };
  const compare = (name: string, array: Numbers, loss: (changed: Float64Array) => Float64Array) => {
    const exact = Float64Array.from(array, (_, i) => slopeOf(array, i, loss));
    const got = gradients[name] as ParameterValue;
    expectArrayClose(typeof got === "number" ? [got] : got, exact, 1e-5, `${what}: gradient of ${name}`);
  };
  compare("x", x, (changed) => plainForward(block, changed, weights, parameters));
  for (const [name, weight] of Object.entries(weights))
    compare(name, weight, (changed) => plainForward(block, x, { ...weights, [name]: changed }, parameters));
  for (const [name, value] of Object.entries(parameters)) {
    const array = typeof value === "number" ? Float64Array.of(value) : value;
    compare(name, array, (changed) =>
      plainForward(block, x, weights, { ...parameters, [name]: channelValues(changed) }),
    );
  }
  const again = (await pass.backward(dY)) as Readonly<Record<string, ParameterValue>>;
  for (const name of Object.keys(gradients))
    expectTrue(String(again[name]) === String(gradients[name]), `${what}: a second backward changed ${name}`);
  pass.dispose();
  ffn.dispose();
}

/** A float64 array where the formulas expect per-channel values; plain loops only read it. */
function channelValues(values: Float64Array): ParameterValue {
  return values.length === 1 ? (values[0] as number) : (values as Float64Array & Float32Array);
}

const { swiglu, relu, gelu, selfGlu, swigluBlend, swish, swigluOai, swigluClamped, situGlu } = activations;
const sizes = [
  { rows: 1, dModel: 1, dFf: 1 },
  { rows: 3, dModel: 5, dFf: 7 },
  { rows: 7, dModel: 4, dFf: 12 },
];

/** The cases for a block's numbers: values and every gradient, all forms. */
export function blockCases(): BlockCase[] {
  const gradientCase = (
    name: string,
    form: string,
    activation: Activation,
    more: { parameters?: Block["parameters"]; layout?: PackedLayout } = {},
  ): BlockCase => ({
    name: `ffn ${name}: y within 1e-5 of float64 loops, gradients of central differences`,
    run: async (backend) => {
      for (const size of sizes)
        for (const biases of [false, true]) {
          const weights = makeWeights(form, size.dModel, size.dFf, biases);
          const { parameters = activation.parameters, layout } = more;
          const block = { activation, gated: form !== "ungated", ...size, weights, parameters };
          const what = `${name} ${Object.values(size).join("x")}${biases ? " with biases" : ""}`;
          await checkBlock(backend, layout === undefined ? block : { ...block, layout }, what);
        }
    },
  });
  return [
    gradientCase("relu", "ungated", relu),
    gradientCase("swish beta 1.7", "ungated", swish, { parameters: { beta: Math.fround(1.7) } }),
    gradientCase("swiglu", "gated", swiglu),
    gradientCase("swigluOai", "gated", swigluOai),
    gradientCase("swigluOai without a limit", "gated", swigluOai, {
      parameters: { ...swigluOai.parameters, limit: Infinity },
    }),
    gradientCase("situGlu without limits", "gated", situGlu, {
      parameters: { gateLimit: Infinity, upLimit: Infinity },
    }),
    gradientCase("gelu as a gate", "gated", gelu),
    gradientCase("swiglu gate-first", "packed", swiglu, { layout: "gate-first" }),
    gradientCase("swiglu gate-second", "packed", swiglu, { layout: "gate-second" }),
    gradientCase("swiglu interleaved", "packed", swiglu, { layout: "interleaved" }),
    gradientCase("selfGlu", "selfGated", selfGlu),
    gradientCase("swigluBlend", "selfGated", swigluBlend),
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
          expectArrayClose(
            await ffn.forward(x, rows),
            plainForward(block, x, weights, block.parameters),
            1e-5,
            what,
          );
          ffn.dispose();
        }
      },
    },
  ];
}

/** All cases for feed-forward blocks. */
export function ffnCases(): ConformanceCase[] {
  return [
    ...blockCases(),
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
