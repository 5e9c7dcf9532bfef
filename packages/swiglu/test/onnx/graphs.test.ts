// Graphs in every form: values on a runtime against the reference, nodes inside a builder of one's own, functions shared by
// several calls, inputs and weights, and the sentences for mistakes.
import { describe, expect, test } from "vitest";
import {
  type Activation,
  defineActivation,
  expressions as e,
  type PackedLayout,
  pack,
  reference,
  selfGlu,
  swiglu,
  swigluBlend,
} from "../../src/index.js";
import {
  activationGraph,
  encodeModel,
  ffnGraph,
  gatedDenseGraph,
  gatedFfnGraph,
  type Initializer,
  type Model,
  type OnnxNode,
  toFile,
  toFunction,
  toModel,
  toNodes,
} from "../../src/onnx-entry.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { checkModel } from "./checker.js";
import { runtimes } from "./runtime.js";

const load = runtimes["onnxruntime-node"];
const backend = await reference();
const size = { dModel: 3, dFf: 4 };
const weights = {
  gate: plainFloats(12, 1),
  gateBias: plainFloats(4, 2),
  up: plainFloats(12, 3),
  upBias: plainFloats(4, 4),
  down: plainFloats(12, 5),
  downBias: plainFloats(3, 6),
};
const x = plainFloats(15, 7, 2);
const fed = (data: Float32Array, ...shape: number[]) => ({ data, shape });

/** y of gatedFfn's dense part: the reference with an identity in the place of down. */
async function dense(activation: Activation, parameters = {}): Promise<Float32Array> {
  const { down: _, downBias: __, ...own } = weights;
  const eye = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const wide = { ...size, dModel: 4 };
  // x and the projections widened with a zero column, so that down can be square.
  const widen = (w: Float32Array) =>
    Float32Array.from({ length: 16 }, (_, i) => (i < 12 ? (w[i] as number) : 0));
  const ffn = await backend.gatedFfn({
    activation,
    ...wide,
    weights: { ...own, gate: widen(own.gate), up: widen(own.up), down: eye },
    parameters,
  } as never);
  const wideX = Float32Array.from({ length: 20 }, (_, i) =>
    i % 4 < 3 ? (x[(i >> 2) * 3 + (i % 4)] as number) : 0,
  );
  return (await ffn.forward(wideX, 5)) as Float32Array;
}

describe("gated dense layer", () => {
  const { down: _, downBias: __, ...own } = weights;
  test("separate weights, with any axes before the last", async () => {
    const graph = gatedDenseGraph({ activation: swiglu, ...size, weights: own, leading: ["batch", 5] });
    const { y } = await (await load(toFile(graph, { math: "exact" })))({ x: fed(x, 1, 5, 3) });
    expectArrayClose(y!, await dense(swiglu), 1e-6, "y");
  });

  test.each(["gate-first", "gate-second", "interleaved"] satisfies PackedLayout[])(
    "packed %s",
    async (layout) => {
      const packed = pack({ gate: own.gate, up: own.up }, [3, 4], { layout });
      const packedBias = pack({ gate: own.gateBias, up: own.upBias }, [4], { layout });
      const graph = gatedDenseGraph({
        activation: "swiglu",
        ...size,
        layout,
        weights: { packed, packedBias },
      });
      for (const asFunction of [false, true]) {
        const { y } = await (await load(toFile(graph, { math: "exact", asFunction })))({ x: fed(x, 5, 3) });
        expectArrayClose(y!, await dense(swiglu), 1e-6, layout);
      }
    },
  );

  test("self-gated: a projection up, and a square one of that", async () => {
    const [into, square] = [plainFloats(9, 8), plainFloats(9, 9)];
    const graph = gatedDenseGraph({
      activation: "selfGlu",
      dModel: 3,
      dFf: 3,
      weights: { in: into, square },
    });
    const { y } = await (await load(toFile(graph, { math: "exact" })))({ x: fed(x, 5, 3) });
    const down = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const ffn = await backend.gatedFfn({
      activation: selfGlu,
      dModel: 3,
      dFf: 3,
      weights: { in: into, square, down },
    });
    expectArrayClose(y!, (await ffn.forward(x, 5)) as Float32Array, 1e-6, "y");
  });

  test("a unary activation gates; beta per channel, tiled where it has fewer values", async () => {
    const beta = Float32Array.of(0.5, 2);
    const graph = gatedDenseGraph({ activation: "swish", ...size, weights: own, parameters: { beta } });
    const { y } = await (await load(toFile(graph, { math: "exact" })))({ x: fed(x, 5, 3) });
    expectArrayClose(y!, await dense(swiglu, { beta }), 1e-6, "y");
  });
});

test("weights and parameters may come with every run", async () => {
  const { gate, beta: _, ...rest } = { ...weights, beta: 0 };
  const graph = gatedFfnGraph({
    activation: swiglu,
    ...size,
    weights: { ...rest, gate: { input: [3, 4] } },
    parameters: { beta: { input: [4] } },
  });
  const run = await load(toFile(graph, { math: "exact" }));
  for (const scale of [1, -0.5]) {
    const beta = Float32Array.of(1, 2, 3, 4);
    const scaled = gate.map((w) => w * scale);
    const ffn = await backend.gatedFfn({
      activation: swiglu,
      ...size,
      weights: { ...weights, gate: scaled },
      parameters: { beta },
    });
    const { y } = await run({ x: fed(x, 5, 3), gate: fed(scaled, 3, 4), beta: fed(beta, 4) });
    expectArrayClose(y!, await ffn.forward(x, 5), 1e-5, `scale ${scale}`);
  }
});

test("nodes go into a graph of one's own, twice, under different prefixes", async () => {
  const block = { activation: swigluBlend, dModel: 3, dFf: 3 };
  const [a, b] = [1, 2].map((seed) =>
    gatedFfnGraph({
      ...block,
      weights: { in: plainFloats(9, seed), square: plainFloats(9, seed + 2), down: plainFloats(9, seed + 4) },
    }),
  ) as [ReturnType<typeof gatedFfnGraph>, ReturnType<typeof gatedFfnGraph>];
  const options = { opset: 21, math: "exact" } as const;
  const parts = [
    toNodes(a, { ...options, inputs: { x: "input" }, output: "middle", prefix: "first/" }),
    toNodes(b, { ...options, inputs: { x: "middle" }, output: "output", prefix: "second/" }),
  ];
  const model: Model = {
    opset: 21,
    inputs: [{ name: "input", dtype: "float32", shape: ["rows", 3] }],
    outputs: [{ name: "output", dtype: "float32", shape: ["rows", 3] }],
    initializers: parts.flatMap(({ initializers }): readonly Initializer[] => initializers),
    nodes: parts.flatMap(({ nodes }): readonly OnnxNode[] => nodes),
  };
  checkModel(model);
  const { output } = await (await load(encodeModel(model)))({ input: fed(x, 5, 3) });
  let expected: Float32Array = x;
  for (const seed of [1, 2]) {
    const own = {
      in: plainFloats(9, seed),
      square: plainFloats(9, seed + 2),
      down: plainFloats(9, seed + 4),
    };
    expected = (await (
      await backend.gatedFfn({ ...block, weights: own })
    ).forward(expected, 5)) as Float32Array;
  }
  expectArrayClose(output!, expected, 1e-5, "output");
});

const modes = [
  { math: "exact", opset: 21 },
  { math: "fast", opset: 24 }, // its Swish refers to the function's beta
] as const;
test.each(modes)("one function serves several calls, with its default and another beta: %o", async (mode) => {
  const definition = toFunction(activationGraph("swiglu"), mode);
  const call = (output: string, beta?: number): OnnxNode => ({
    opType: "swiglu",
    domain: "swiglu",
    inputs: ["gate", "up"],
    outputs: [output],
    ...(beta !== undefined && { attributes: { beta: { float: beta } } }),
  });
  const info = (name: string) => ({ name, dtype: "float32", shape: [5] }) as const;
  const model: Model = {
    opset: mode.opset,
    domains: { swiglu: 1 },
    inputs: ["gate", "up"].map(info),
    outputs: ["a", "b"].map(info),
    initializers: [],
    nodes: [call("a"), call("b", 3)],
    functions: [definition],
  };
  checkModel(model);
  const [gate, up] = [plainFloats(5, 1, 9), plainFloats(5, 2, 9)];
  const results = await (await load(encodeModel(model)))({ gate: fed(gate, 5), up: fed(up, 5) });
  expectArrayClose(
    results.a!,
    (await backend.activate(swiglu, { gate, up })) as Float32Array,
    1e-6,
    "default",
  );
  expectArrayClose(
    results.b!,
    (await backend.activate(swiglu, { gate, up }, { beta: 3 })) as Float32Array,
    1e-6,
    "beta 3",
  );
});

test.each(Object.entries(runtimes))(
  "a float16 block on %s: y within 2^-8 of the largest",
  async (_, loadThere) => {
    const block = { activation: swiglu, ...size, weights };
    const expected = (await (await backend.gatedFfn(block)).forward(x, 5)) as Float32Array;
    for (const math of ["exact", "fast"] as const) {
      const run = await loadThere(toFile(gatedFfnGraph(block), { dtype: "float16", math }), "float16");
      expectArrayClose((await run({ x: fed(x, 5, 3) })).y!, expected, 2 ** -8, math);
    }
  },
);

test("float16 weights are rounded to nearest, and the file is half as large", () => {
  const wide = gatedFfnGraph({
    activation: "swiglu",
    dModel: 64,
    dFf: 96,
    weights: { gate: plainFloats(6144, 1), up: plainFloats(6144, 2), down: plainFloats(6144, 3) },
  });
  const { initializers } = toModel(wide, { dtype: "float16", math: "fast" });
  expect(initializers.map(({ dtype }) => dtype)).toEqual(["float16", "float16", "float16"]);
  const [small, large] = [toFile(wide, { dtype: "float16" }).length, toFile(wide).length];
  expect(small / large).toBeLessThan(0.52);
});

describe("mistakes get a sentence at build time", () => {
  const own = { gate: weights.gate, up: weights.up, down: weights.down };
  const ffn = (more: object) =>
    gatedFfnGraph({ activation: swiglu, ...size, weights: own, ...more } as never);
  const huge = defineActivation({
    name: "huge",
    kind: "unary",
    parameters: { limit: 1e6, y: 1 },
    expression: e.mul("y", e.min("x", "limit")),
  });
  const names = { inputs: { gate: "g", up: "u" }, output: "o" };
  const cases: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
    "unknown activation": [
      () => activationGraph("swigloo"),
      /^unknown activation swigloo. Did you mean swiglu\?/,
    ],
    "unknown activation in a block": [() => ffn({ activation: "geglue" }), /^unknown activation geglue/],
    "layout name": [
      () => activationGraph("swiglu", { shape: [4], layout: "gatefirst" as PackedLayout }),
      /^layout is "gatefirst", expected gate-first, gate-second and interleaved/,
    ],
    "layout name in a block": [
      () => ffn({ weights: { packed: new Float32Array(24), down: own.down }, layout: "halves" }),
      /^layout is "halves", expected gate-first, gate-second and interleaved/,
    ],
    "layout of unary": [
      () => activationGraph("relu", { shape: [4], layout: "gate-first" }),
      /^relu is unary and takes x/,
    ],
    "odd axis": [
      () => activationGraph("swiglu", { shape: ["rows", 5], layout: "gate-first" }),
      /^packed has 5 elements along axis -1, which cannot be split into gate and up/,
    ],
    "symbolic packed axis": [
      () => activationGraph("swiglu", { shape: ["rows", "n"], layout: "gate-first" }),
      /^shape\[1\] is "n", but the packed axis is split in two/,
    ],
    "axis outside": [
      () => activationGraph("swiglu", { shape: ["rows", 4], axis: 2, layout: "gate-first" }),
      /^axis is 2, expected a whole number from -2 to 1/,
    ],
    "axis without layout": [() => activationGraph("swiglu", { axis: 0 }), /^axis is for packed inputs/],
    "unknown parameter": [
      () => activationGraph("swiglu", { parameters: { bta: 1 } }),
      /^unknown parameter bta: swiglu takes beta. Did you mean beta\?/,
    ],
    "parameter of a wrong length": [
      () => activationGraph("swiglu", { shape: ["rows", 6], parameters: { beta: new Float32Array(4) } }),
      /^parameter beta has 4 channels, but results have shape \[rows, 6\]/,
    ],
    "parameter of a wrong length in a block": [
      () => ffn({ parameters: { beta: new Float32Array(3) } }),
      /^parameter beta has 3 channels, but results have shape \[4\]/,
    ],
    "parameter input that enlarges": [
      () => activationGraph("swiglu", { shape: [6], parameters: { beta: { input: [2, 6] } } }),
      /^parameter beta is an input of shape \[2, 6\], which does not broadcast to results of shape \[6\]/,
    ],
    "parameter that is not finite": [
      () => activationGraph("swiglu", { parameters: { beta: Number.NaN } }),
      /^parameter beta is NaN, expected finite numbers/,
    ],
    "opset too low": [
      () => toFile(activationGraph("swiglu"), { opset: 12 }),
      /^opset is 12, expected a whole number from 13 to 28/,
    ],
    "opset too high": [() => toFile(activationGraph("swiglu"), { opset: 29 }), /^opset is 29/],
    "bfloat16 before its operators": [
      () => toFile(activationGraph("gelu"), { opset: 21, dtype: "bfloat16", math: "fast" }),
      /^opset is 21, but ONNX's own activations take bfloat16 only from 22 on: use that, or math "exact"/,
    ],
    "element type": [
      () => toFile(activationGraph("gelu"), { dtype: "int32" as "float32" }),
      /^dtype is int32, expected one of float32, float16, bfloat16 and float64/,
    ],
    mode: [
      () => toFile(activationGraph("gelu"), { math: "quick" as "fast" }),
      /^math is quick, expected fast or exact/,
    ],
    "parameter beyond the type": [
      () =>
        toNodes(activationGraph(huge), { inputs: { x: "a" }, output: "b", dtype: "float16", math: "fast" }),
      /^parameter limit is 1000000, but float16 ends at 65504/,
    ],
    "weight beyond the type": [
      () => toFile(ffn({ weights: { ...own, up: own.up.map((w) => w * 1e6) } }), { dtype: "float16" }),
      /^up contains .*, but float16 ends at 65504/,
    ],
    "a parameter with a taken name": [
      () => toFile(activationGraph(huge, { parameters: { y: { input: [] } } })),
      /^two tensors of huge are called y: give the parameter another name/,
    ],
    "a parameter called as a weight": [
      () => {
        const named = defineActivation({
          name: "own",
          kind: "gated",
          parameters: { upBias: 1 },
          expression: e.mul("upBias", e.mul("gate", "up")),
        });
        const graph = ffn({ activation: named, weights, parameters: { upBias: Float32Array.of(1, 2) } });
        return toNodes(graph, { inputs: { x: "in" }, output: "out" });
      },
      /^two tensors of gatedFfn_own are called upBias: give the parameter another name/,
    ],
    "missing tensor": [
      () => toNodes(activationGraph("swiglu"), { inputs: { gate: "g" }, output: "o" }),
      /^inputs.up is missing: swiglu takes gate and up/,
    ],
    "unknown tensor": [
      () => toNodes(activationGraph("swiglu"), { ...names, inputs: { ...names.inputs, x: "x" } }),
      /^unknown input x: swiglu takes gate and up/,
    ],
    "a name that is taken inside": [
      () => toNodes(activationGraph("swiglu"), { ...names, output: "swiglu/y" }),
      /^"swiglu\/y" begins like the names inside, with prefix "swiglu\/"/,
    ],
    "an output that is an input": [
      () => toNodes(activationGraph("swiglu"), { ...names, output: "u" }),
      /^output is "u", which is also an input/,
    ],
    "missing weight": [
      () => ffn({ weights: { gate: own.gate, up: own.up } }),
      /^weights.down is missing: this block needs gate, up and down/,
    ],
    "weight of a wrong size": [
      () => ffn({ weights: { ...own, up: new Float32Array(9) } }),
      /^weights.up has 9 elements, expected 12 for \[3, 4\]/,
    ],
    "weight input of a wrong shape": [
      () => ffn({ weights: { ...own, up: { input: [4, 3] } } }),
      /^weights.up is an input of shape \[4, 3\], expected \[3, 4\]/,
    ],
    "packed weights without a layout": [
      () => ffn({ weights: { packed: new Float32Array(24), down: own.down } }),
      /^layout is missing: packed weights need one of/,
    ],
    "down in a dense layer": [
      () => gatedDenseGraph({ activation: swiglu, ...size, weights: own as never }),
      /^weights.down belongs to a feed-forward block: leave it out, or use gatedFfnGraph/,
    ],
    "gated activation in an ungated block": [
      () => ffnGraph({ activation: swiglu, ...size, weights: { up: own.up, down: own.down } }),
      /^activation swiglu is gated: use gatedFfn/,
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [build, message]) => {
    expect(build).toThrow(message);
  });
});
