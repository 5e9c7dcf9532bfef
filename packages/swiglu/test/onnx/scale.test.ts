// Graphs of many nodes (a hundred thousand in the full run): written, read and emitted in time that is linear in their number;
// walks of any depth.
import { describe, expect, test } from "vitest";
import { postOrder } from "../../src/expression/walk.js";
import { type Expr, expressions as e } from "../../src/index.js";
import { decodeModel, emitNodes, encodeModel, type Model, toNodes } from "../../src/onnx-entry.js";
import { slowExtent } from "../conformance/extent.js";

/** Time of the processor, in milliseconds: what else the machine does counts for nothing. The quickest of three runs. */
function time(run: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

const most = slowExtent === "full" ? 40_000 : 10_000;

/** That one of a size takes less than four times as long as ten of a tenth: a square would take ten times. */
function expectLinear(run: (count: number) => () => unknown): void {
  const [small, large] = [run(most / 10), run(most)];
  // Results are kept, so that the collector has as much to do.
  const tenSmall = () => Array.from({ length: 10 }, small);
  tenSmall(); // compiled before it is timed
  expect(time(large) / time(tenSmall)).toBeLessThan(4);
}

const chain = (count: number): Model => ({
  opset: 21,
  inputs: [{ name: "0", dtype: "float32", shape: [1] }],
  outputs: [{ name: `${count}`, dtype: "float32", shape: [1] }],
  initializers: Array.from({ length: count / 10 }, (_, i) => ({
    name: `w${i}`,
    dtype: "float32",
    shape: [1],
    data: [i],
  })),
  nodes: Array.from({ length: count }, (_, i) => ({
    opType: "LeakyRelu",
    inputs: [`${i}`],
    outputs: [`${i + 1}`],
    attributes: { alpha: { float: i } },
  })),
});

test(`a chain of ${most} nodes is written and read in linear time`, () => {
  expectLinear((count) => {
    const model = chain(count);
    return () => encodeModel(model);
  });
  expectLinear((count) => {
    const file = encodeModel(chain(count));
    return () => decodeModel(file);
  });
  const file = encodeModel(chain(100_000));
  expect(Buffer.from(encodeModel(decodeModel(file))).equals(file)).toBe(true);
});

describe("emitting", () => {
  /** Many expressions of some depth: about `count` nodes in all, and a constant for each. */
  const many = (count: number): Expr[] =>
    Array.from({ length: count / 20 }, (_, i) => {
      let expr: Expr = e.variable("x");
      for (let depth = 0; depth < 10; depth++) expr = e.sqrt(e.add(expr, i + depth / 16 + 1));
      return expr;
    });
  test.each(["exact", "fast"] as const)(`${most} nodes in linear time, %s`, (math) => {
    expectLinear((count) => {
      const all = many(count);
      const outputs = all.map((_, i) => `y${i}`);
      return () =>
        emitNodes(all, { inputs: { x: "x" }, outputs, prefix: "p/", math, opset: 28, fullShape: ["x"] });
    });
  });

  test(`a graph of ${most} slices keeps each index once, in linear time`, () => {
    expectLinear((count) => {
      const parts = {
        name: "parts",
        inputs: [{ name: "x", shape: [count + 1] }],
        weights: [],
        numbers: {},
        output: { name: "y", shape: [1] },
        write: (to: Parameters<Parameters<typeof toNodes>[0]["write"]>[0]) => {
          for (let i = 0; i < count; i++)
            to.part(to.tensor("x"), 0, count + 1, { run: 1, stride: 1, offset: i });
        },
      };
      return () => toNodes(parts, { inputs: { x: "x" }, output: "y" });
    });
  });
});

test("a walk as deep as a million, each once and after what it stands on, in the order of recursion", () => {
  interface Node {
    readonly id: number;
    readonly on: readonly Node[];
  }
  let node: Node = { id: 0, on: [] };
  for (let id = 1; id < 1_000_000; id++) node = { id, on: [node, node] };
  const seen = postOrder([node, node], ({ on }) => on).map(({ id }) => id);
  expect(seen.length).toBe(1_000_000);
  expect(seen.every((id, i) => id === i)).toBe(true);

  const [a, b]: readonly [Node, Node] = [
    { id: 1, on: [] },
    { id: 2, on: [] },
  ];
  const third: Node = { id: 3, on: [b, a] };
  const order = postOrder<Node>([{ id: 4, on: [third, a] }], ({ on }) => on).map(({ id }) => id);
  expect(order).toEqual([2, 1, 3, 4]);
});
