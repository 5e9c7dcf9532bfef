// Every node of every entry, in every opset, mode, element type and face, against the published schemas; and which
// operators stand for which activation.
import { describe, expect, test } from "vitest";
import { type Activation, activations, defineActivation, expressions as e } from "../../src/index.js";
import {
  activationGraph,
  decodeModel,
  encodeModel,
  ffnGraph,
  type Graph,
  gatedDenseGraph,
  gatedFfnGraph,
  type Model,
  toFile,
  toModel,
  type WriteOptions,
} from "../../src/onnx-entry.js";
import { checkModel } from "./checker.js";

const opsets = [13, 15, 16, 18, 20, 21, 22, 24, 25, 26, 27, 28];
const dtypes = ["float32", "float16", "bfloat16", "float64"] as const;

/** Checks a graph in every way that it can be written. */
function checkGraph(graph: Graph, some = opsets): void {
  for (const opset of some)
    for (const dtype of dtypes)
      for (const math of ["exact", "fast"] as const)
        for (const asFunction of [false, true]) {
          if (dtype === "bfloat16" && math === "fast" && opset < 22) continue;
          const model = toModel(graph, { opset, dtype, math, asFunction });
          try {
            checkModel(model);
          } catch (error) {
            throw new Error(`${graph.name} ${JSON.stringify({ opset, dtype, math, asFunction })}: ${error}`);
          }
        }
}

describe("keeps to the published operator schemas", () => {
  test.each(Object.values(activations) as Activation[])("$name", (activation) => {
    checkGraph(activationGraph(activation));
    const parameters = Object.fromEntries(
      Object.keys(activation.parameters).map((name) => [name, { input: [] }]),
    );
    if (activation.parameters) checkGraph(activationGraph(activation, { parameters }), [13, 28]);
  });

  const floats = (count: number) => new Float32Array(count).fill(0.5);
  const size = { dModel: 2, dFf: 3 };
  const blocks: readonly Graph[] = [
    ffnGraph({ activation: "gelu", ...size, weights: { up: floats(6), down: floats(6), upBias: floats(3) } }),
    gatedFfnGraph({
      activation: "swiglu",
      ...size,
      weights: { gate: floats(6), up: floats(6), down: floats(6) },
    }),
    gatedFfnGraph({
      activation: "swigluOai",
      ...size,
      layout: "interleaved",
      weights: { packed: floats(12), packedBias: floats(6), down: floats(6), downBias: floats(2) },
      parameters: { limit: Float32Array.of(1, 2, 3), alpha: { input: [] } },
    }),
    gatedFfnGraph({
      activation: "swigluBlend",
      ...size,
      weights: { in: floats(6), square: floats(9), down: floats(6) },
    }),
    gatedDenseGraph({ activation: "geglu", ...size, weights: { gate: { input: [2, 3] }, up: floats(6) } }),
    activationGraph("swiglu", { shape: ["batch", 6, 4], axis: 1, layout: "gate-second" }),
  ];
  test.each(blocks)("$name", (graph) => {
    checkGraph(graph);
  });
});

test("files hold what was written, numbers as float32", () => {
  const graph = activationGraph("swigluOai", { shape: ["batch", 4], layout: "interleaved" });
  const plain = (model: Model): unknown =>
    JSON.parse(
      JSON.stringify(model, (_, value) => {
        if (typeof value === "number") return Math.fround(value);
        return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : (value as unknown);
      }),
    );
  for (const options of [
    {},
    { math: "exact", dtype: "float16" },
    { math: "fast", asFunction: true },
    { opset: 28, math: "fast" },
  ] as const) {
    const model = toModel(graph, options);
    expect(plain(decodeModel(encodeModel(model)))).toEqual(plain(model));
  }
});

test("the file says which IR version goes with its opset, and 9 at least for a function with defaults", () => {
  // ModelProto.ir_version is field 1, a varint, and comes first.
  const version = (options: WriteOptions & { asFunction?: boolean }) => {
    const [tag, value] = toFile(activationGraph("swiglu"), options);
    expect(tag).toBe(8);
    return value;
  };
  const found = [13, 15, 18, 19, 21, 22, 23, 24, 25, 26, 28].map((opset) => version({ opset }));
  expect(found).toEqual([7, 8, 8, 9, 10, 10, 11, 12, 13, 13, 13]);
  expect(version({ opset: 13, asFunction: true })).toBe(9);
});

/** The operators of an activation's nodes, in fast math, which is where whole ones stand. */
const operators = (activation: Activation | string, options: WriteOptions = {}): string[] =>
  toModel(activationGraph(activation), { math: "fast", ...options }).nodes.map(({ opType }) => opType);

test("swiglu is one node from opset 28 on, and holds Swish from 24 on", () => {
  expect(operators("swiglu", { opset: 28 })).toEqual(["SwiGLU"]);
  expect(operators("swiglu", { opset: 27 })).toEqual(["Swish", "Mul"]);
  expect(operators("swiglu", { opset: 24 })).toEqual(["Swish", "Mul"]);
  expect(operators("swiglu", { opset: 23 })).toEqual(["Sigmoid", "Mul", "Mul"]);
});

test("not in 25 and 26, whose Swish onnxruntime 1.30 cannot run", () => {
  expect(operators("swiglu", { opset: 25 })).toEqual(["Sigmoid", "Mul", "Mul"]);
  expect(operators("swiglu", { opset: 26 })).toEqual(["Sigmoid", "Mul", "Mul"]);
});

test("which operators stand for the catalogue's entries at opset 28", () => {
  const found = Object.keys(activations).map(
    (name) => `${name}: ${operators(name, { opset: 28 }).join(" ")}`,
  );
  expect(found).toMatchInlineSnapshot(`
    [
      "identity: Identity",
      "sigmoid: Sigmoid",
      "tanh: Tanh",
      "relu: Relu",
      "relu2: Relu Mul",
      "elu: Elu",
      "selu: Selu",
      "gelu: Gelu",
      "geluTanh: Gelu",
      "quickGelu: Swish",
      "swish: Swish",
      "silu: Swish",
      "hardSwish: HardSwish",
      "mish: Mish",
      "softplus: Softplus",
      "xsilu: Sigmoid Div Tanh Mul Add Mul",
      "xatlu: Atan Mul Add Mul Max Div Atan Mul Div Greater Where Mul Mul Mul Add Greater Where",
      "xielu: Mul Mul Exp Sub Sub Mul Greater Where Mul Add",
      "leakyRelu: LeakyRelu",
      "relu6: Clip",
      "gelu10: Gelu Max Min",
      "laplace: Sub Div Max Min Mul Erf Add Mul",
      "glu: Sigmoid Mul",
      "bilinear: Mul",
      "reglu: Relu Mul",
      "reglu2: Relu Mul Mul",
      "drelu: Relu Relu Mul",
      "geglu: Gelu Mul",
      "gegluTanh: Gelu Mul",
      "gegluQuick: SwiGLU",
      "seglu: Elu Mul Mul",
      "swiglu: SwiGLU",
      "swigluOai: Min Max Min Add SwiGLU",
      "swigluClamped: Min Max Min SwiGLU",
      "swigluStep: Swish Min Max Min Mul",
      "situGlu: Div Tanh Mul Sigmoid Mul Div Tanh Mul Mul",
      "selfGlu: Sigmoid Mul",
      "swigluBlend: Swish Neg Sigmoid Mul Add",
    ]
  `);
});

test("the SwiGLU node carries beta as alpha, in a function as a reference", () => {
  const graph = activationGraph("swiglu", { parameters: { beta: 1.7 } });
  expect(toModel(graph, { opset: 28, math: "fast" }).nodes).toEqual([
    { opType: "SwiGLU", inputs: ["gate", "up"], outputs: ["y"], attributes: { alpha: { float: 1.7 } } },
  ]);
  const { functions, nodes } = toModel(graph, { opset: 28, math: "fast", asFunction: true });
  expect(functions?.[0]?.nodes[0]?.attributes).toEqual({ alpha: { floatOf: "beta" } });
  expect(nodes[0]?.attributes).toEqual({ beta: { float: 1.7 } });
});

test("a trained beta is a tensor, which no operator's attribute can hold", () => {
  const graph = activationGraph("swiglu", { parameters: { beta: { input: [] } } });
  expect(toModel(graph, { opset: 28, math: "fast" }).nodes.map(({ opType }) => opType)).toEqual([
    "Mul",
    "Sigmoid",
    "Mul",
    "Mul",
  ]);
});

test("formulas of one's own become operators too, and only where they are those", () => {
  const gated = (expression: e.Operand) => defineActivation({ name: "own", kind: "gated", expression });
  const swish = (x: e.Operand, slope: number) => e.mul(e.sigmoid(e.mul(x, slope)), x);
  const at28 = { opset: 28 } as const;
  expect(operators(gated(e.mul("up", swish("gate", 1))), at28)).toEqual(["SwiGLU"]);
  expect(operators(gated(e.mul(swish("gate", 3), e.add("up", 1))), at28)).toEqual(["Add", "SwiGLU"]);
  expect(operators(gated(e.add(e.mul(swish("gate", 1), 2), "up")), at28)).toEqual(["Swish", "Mul", "Add"]);
  expect(operators(gated(e.mul("gate", e.sigmoid("up"))), at28)).toEqual(["Sigmoid", "Mul"]);
  expect(operators(gated(e.mul("gate", e.sigmoid(e.mul("up", "gate")))), at28)).toEqual([
    "Mul",
    "Sigmoid",
    "Mul",
  ]);
});

test("the checker sees faults", () => {
  const model = toModel(activationGraph("swiglu"), { opset: 28, math: "fast" });
  const node = model.nodes[0]!;
  const wrong: readonly [Partial<Model>, RegExp][] = [
    [{ opset: 27 }, /SwiGLU does not exist in opset 27/],
    [{ nodes: [{ ...node, inputs: ["gate"] }] }, /SwiGLU-28 has 1 inputs/],
    [{ nodes: [{ ...node, inputs: ["gate", "nothing"] }] }, /reads nothing before it is computed/],
    [
      { nodes: [{ ...node, attributes: { beta: { float: 1 } } }] },
      /attribute beta is float, published undefined/,
    ],
    [{ nodes: [{ ...node, attributes: { alpha: { int: 1 } } }] }, /attribute alpha is int, published float/],
    [{ nodes: [node, node] }, /y is defined twice/],
    [
      { inputs: model.inputs.map((x, i) => ({ ...x, dtype: i ? "float16" : "float32" })) },
      /mixes float32 and float16/,
    ],
  ];
  for (const [change, message] of wrong) expect(() => checkModel({ ...model, ...change })).toThrow(message);
});
