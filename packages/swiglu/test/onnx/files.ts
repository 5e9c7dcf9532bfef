// Models of every kind that files hold, for tests of files: activations, blocks, functions, all attributes and element types.
import { activations } from "../../src/index.js";
import {
  activationGraph,
  type ElementType,
  ffnGraph,
  gatedDenseGraph,
  gatedFfnGraph,
  type Model,
  toModel,
} from "../../src/onnx-entry.js";
import { plainFloats } from "../conformance/samples.js";

const size = { dModel: 2, dFf: 3 };
const floats = (count: number, seed = 1) => plainFloats(count, seed);

const graphs = [
  ...Object.values(activations).map((activation) => activationGraph(activation)),
  activationGraph("swiglu", { shape: ["batch", 6, 4], axis: 1, layout: "gate-second" }),
  activationGraph("swiglu", { shape: [0, 3], parameters: { beta: { input: [] } } }),
  ffnGraph({ activation: "gelu", ...size, weights: { up: floats(6), down: floats(6), upBias: floats(3) } }),
  gatedFfnGraph({
    activation: "swigluOai",
    ...size,
    layout: "interleaved",
    weights: { packed: floats(12), packedBias: floats(6), down: floats(6), downBias: floats(2) },
    parameters: { limit: Float32Array.of(1, 2, 3), alpha: { input: [] } },
  }),
  gatedDenseGraph({ activation: "geglu", ...size, weights: { gate: { input: [2, 3] }, up: floats(6) } }),
  // Data long enough not to be copied while it is written.
  gatedFfnGraph({
    activation: "swiglu",
    dModel: 40,
    dFf: 60,
    weights: { gate: floats(2400, 1), up: floats(2400, 2), down: floats(2400, 3) },
  }),
];

/** One of everything that a model can hold, with numbers and names at their limits. */
const everything: Model = {
  opset: 21,
  domains: { "com.example": 3, other: 2 ** 40 },
  inputs: [{ name: "größe\u{1f600}", dtype: "int64", shape: ["n", 0, 2 ** 53 - 1] }],
  outputs: [{ name: "y".repeat(300), dtype: "bool", shape: [] }],
  initializers: (
    ["float32", "float16", "bfloat16", "float64", "int32", "int64", "bool"] satisfies ElementType[]
  ).map((dtype) => ({ name: dtype, dtype, shape: [2, 1], data: [1, 0] })),
  nodes: [
    {
      opType: "Anything",
      domain: "com.example",
      inputs: ["", "a", ""],
      outputs: ["b", "c"],
      attributes: {
        int: { int: -(2 ** 53 - 1) },
        zero: { int: 0 },
        ints: { ints: [0, 1, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 53 - 1] },
        noInts: { ints: [] },
        float: { float: -0 },
        floats: { floats: [0, 1.5, -Infinity] },
        string: { string: "grün \u0000 \u{1f600} \ufeff" },
        empty: { string: "" },
        tensor: { tensor: { dtype: "int64", shape: [3], data: [-1, 2 ** 53 - 1, -(2 ** 32)] } },
        ["__proto__"]: { int: 1 },
        constructor: { int: 2 },
      },
    },
    { opType: "Constant", inputs: [], outputs: ["d"] },
  ],
};

/** Models by name, each to be written as it is. */
export const models: readonly (readonly [string, Model])[] = [
  ...graphs.flatMap((graph) =>
    (
      [
        { opset: 21 },
        { opset: 28, asFunction: true },
        { dtype: "float16", math: "exact", io: "float32" },
        { dtype: "bfloat16", math: "exact", asFunction: true },
        { dtype: "float64" },
      ] as const
    ).map((options): [string, Model] => [
      `${graph.name} ${JSON.stringify(options)}`,
      toModel(graph, options),
    ]),
  ),
  ["everything", everything],
];
