// The builder of graphs: names inside and outside, what is kept once, and the one default of math.
import * as native from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { swiglu } from "../../src/index.js";
import {
  activationGraph,
  emitNodes,
  encodeModel,
  GraphBuilder,
  type Runtime,
  Session,
  sessionOptions,
  toFile,
} from "../../src/onnx-entry.js";

const names = {
  node: (nodes: number) => `t${nodes}`,
  constant: (constants: number) => `c${constants}`,
};

describe("results", () => {
  test("what a node computes takes the name of the result, wherever it is read", () => {
    const graph = new GraphBuilder(names);
    const sum = graph.node("Add", ["x", "x"]);
    graph.name("y", sum);
    graph.name("z", graph.node("Neg", [sum]));
    expect(graph.nodes()).toEqual([
      { opType: "Add", inputs: ["x", "x"], outputs: ["y"] },
      { opType: "Neg", inputs: ["y"], outputs: ["z"] },
    ]);
  });

  test("an input, data and a second name of one tensor are copied", () => {
    const graph = new GraphBuilder(names);
    const twice = graph.node("Add", ["x", "x"]);
    for (const [name, tensor] of [
      ["first", twice],
      ["again", twice],
      ["same", "x"],
      ["fixed", graph.constant([], [2])],
    ] as const)
      graph.name(name, tensor);
    expect(graph.nodes().map(({ opType, inputs, outputs }) => `${opType} ${inputs} -> ${outputs}`)).toEqual([
      "Add x,x -> first",
      "Identity first -> again",
      "Identity x -> same",
      "Identity c0 -> fixed",
    ]);
  });
});

describe("what is kept once", () => {
  test("data of equal type, shape and numbers, up to 64 of them; 0 is not -0", () => {
    const graph = new GraphBuilder(names, { shareConstants: true });
    const many = new Float32Array(65);
    const made = [
      graph.constant([], [0]),
      graph.constant([], [0]),
      graph.constant([], [-0]),
      graph.constant([1], [0]),
      graph.constant([], [0], "int64"),
      graph.constant([65], many),
      graph.constant([65], many),
    ];
    expect(made).toEqual(["c0", "c0", "c1", "c2", "c3", "c4", "c5"]);
    const plain = new GraphBuilder(names);
    expect([plain.constant([], [0]), plain.constant([], [0])]).toEqual(["c0", "c1"]);
  });

  test("nodes of one operator with equal inputs and attributes, also where their inputs became equal by that", () => {
    const graph = new GraphBuilder(names, { shareNodes: true });
    graph.add({ opType: "Neg", inputs: ["x"], outputs: ["a"] });
    graph.add({ opType: "Neg", inputs: ["x"], outputs: ["b"] });
    graph.add({ opType: "Exp", inputs: ["a"], outputs: ["c"] });
    graph.add({ opType: "Exp", inputs: ["b"], outputs: ["d"] });
    graph.add({ opType: "Softmax", inputs: ["d"], outputs: ["e"], attributes: { axis: { int: 0 } } });
    graph.add({ opType: "Softmax", inputs: ["c"], outputs: ["f"], attributes: { axis: { int: 1 } } });
    expect(graph.nodes().map(({ inputs, outputs }) => `${inputs} -> ${outputs}`)).toEqual([
      "x -> a",
      "a -> c",
      "c -> e",
      "c -> f",
    ]);
    expect(graph.resolve("d")).toBe("c");
  });
});

describe.each<[string, Runtime]>([
  ["onnxruntime-node", native],
  ["onnxruntime-web", web],
])("a session on %s", (_, runtime) => {
  /** y = x + x in each element type that goes in and out. */
  const doubled = (dtype: "float32" | "float64" | "int32" | "int64") =>
    encodeModel({
      opset: 21,
      inputs: [{ name: "x", dtype, shape: [2] }],
      outputs: [{ name: "y", dtype, shape: [2] }],
      initializers: [],
      nodes: [{ opType: "Add", inputs: ["x", "x"], outputs: ["y"] }],
    });
  const options = sessionOptions({ threads: 1, session: {}, disabled: [] });

  test.each([
    ["float32", Float32Array.of(1, -2), Float32Array.of(2, -4)],
    ["float64", Float64Array.of(1, -2), Float64Array.of(2, -4)],
    ["int32", Int32Array.of(1, -2), Int32Array.of(2, -4)],
    ["int64", BigInt64Array.of(1n, -2n), BigInt64Array.of(2n, -4n)],
  ] as const)(
    "writes %s into the array that it is given, or into a new one",
    async (dtype, data, expected) => {
      const session = await Session.open(runtime, doubled(dtype), options);
      const into = new (data.constructor as new (length: number) => typeof data)(2);
      const { y } = await session.run({ x: { data, dims: [2] } }, { y: { data: into, dims: [2] } });
      expect(y).toBe(into);
      expect(y).toEqual(expected);
      expect((await session.run({ x: { data, dims: [2] } }, { y: null })).y).toEqual(expected);
      await session.release();
    },
  );

  test("takes and fills memory that threads share", async () => {
    const session = await Session.open(runtime, doubled("float32"), options);
    const [x, y] = [0, 1].map(() => new Float32Array(new SharedArrayBuffer(8))) as [
      Float32Array,
      Float32Array,
    ];
    x.set([3, 4]);
    await session.run({ x: { data: x, dims: [2] } }, { y: { data: y, dims: [2] } });
    expect(Array.from(y)).toEqual([6, 8]);
    await session.release();
  });
});

test("math is exact unless it is asked for otherwise, in files as in expressions", () => {
  const graph = activationGraph("swiglu");
  expect(toFile(graph, { opset: 28 })).toEqual(toFile(graph, { opset: 28, math: "exact" }));
  expect(toFile(graph, { opset: 28 })).not.toEqual(toFile(graph, { opset: 28, math: "fast" }));
  const names = { inputs: { gate: "g", up: "u", beta: "b" }, outputs: ["y"], prefix: "p" };
  expect(emitNodes([swiglu.expression], names)).toEqual(
    emitNodes([swiglu.expression], { ...names, math: "exact" }),
  );
});
