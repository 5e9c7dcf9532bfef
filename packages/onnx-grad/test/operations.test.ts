// Every operation's gradient against central differences in float64. An operation without a check fails the test.
import * as onnxGrad from "onnx-grad";
import { activations } from "swiglu";
import { describe, expect, it } from "vitest";
import { type Check, checkGradient, positive } from "./finite-differences.js";

const g = onnxGrad;
type Name = keyof typeof import("../src/operations/index.js");

const indices = g.constant([2, 0, 2, 1], "int64");
const column = g.constant([1, 0, 2], "int32", [3, 1]);
const swiglu: Check["build"] = (gate, up, beta) =>
  g.activate(activations.swiglu.expression, { gate: gate!, up: up!, beta: beta! });
const smaller = (x: onnxGrad.Tensor, z: onnxGrad.Tensor) => g.greater(x, z);

const labels = g.constant([1, 0, 2, 2], "int32");
const padded = g.constant([1, -1, 2, -1], "int32");
const mask = g.constant([1, 0, 1, 1, 0], "float64");

/** The checks of each operation, or why it has none. */
const checks: Record<Name, readonly Check[] | string> = {
  add: [
    {
      shapes: [
        [2, 3],
        [2, 3],
      ],
      build: g.add,
    },
    {
      shapes: [
        [2, 1, 3],
        [4, 1],
      ],
      build: g.add,
    },
  ],
  sub: [{ shapes: [[3], [2, 3]], build: g.sub }],
  mul: [
    {
      shapes: [
        [2, 3],
        [1, 3],
      ],
      build: g.mul,
      secondOrder: true,
    },
    { shapes: [[], [5]], build: g.mul },
  ],
  div: [{ shapes: [[2, 3], [3]], fill: positive, build: g.div, secondOrder: true }],
  pow: [{ shapes: [[5]], fill: positive, build: (x) => g.pow(x!, 2.5), secondOrder: true }],
  neg: [{ shapes: [[5]], build: g.neg }],
  abs: [{ shapes: [[7]], build: g.abs }],
  exp: [{ shapes: [[7]], build: g.exp, secondOrder: true }],
  log: [{ shapes: [[7]], fill: positive, build: g.log, secondOrder: true }],
  sqrt: [{ shapes: [[7]], fill: positive, build: g.sqrt, secondOrder: true }],
  sigmoid: [{ shapes: [[7]], build: g.sigmoid, secondOrder: true }],
  tanh: [{ shapes: [[7]], build: g.tanh, secondOrder: true }],
  relu: [{ shapes: [[7]], build: g.relu }],
  maximum: [{ shapes: [[2, 3], [3]], build: g.maximum }],
  minimum: [
    {
      shapes: [
        [2, 3],
        [2, 1],
      ],
      build: g.minimum,
    },
  ],
  where: [{ shapes: [[2, 3], [3], [2, 1]], build: (x, y, z) => g.where(smaller(x!, z!), y!, z!) }],
  cast: [{ shapes: [[5]], build: (x) => g.cast(x!, "float64") }],
  greater: "gives bool",
  greaterOrEqual: "gives bool",
  equal: "gives bool",
  reshape: [{ shapes: [[2, 3]], build: (x) => g.mul(g.reshape(x!, [3, -1]), g.constant([1, 2], "float64")) }],
  expand: [
    {
      shapes: [[2, 1]],
      build: (x) => g.matmul(g.expand(x!, [3, 2, 5]), g.expand(x!, [3, 2, 5]), { transposeB: true }),
    },
  ],
  sum: [
    { shapes: [[2, 3, 5]], build: (x) => g.exp(g.sum(x!, [0, 2])), secondOrder: true },
    { shapes: [[2, 3]], build: (x) => g.exp(g.sum(x!, -1, true)) },
    { shapes: [[2, 3]], build: (x) => g.sum(x!) },
  ],
  sumTo: [{ shapes: [[2, 3, 5]], build: (x) => g.exp(g.sumTo(x!, [3, 1])) }],
  mean: [
    { shapes: [[2, 3, 5]], build: (x) => g.exp(g.mean(x!, 1)), secondOrder: true },
    { shapes: [[2, 3]], build: (x) => g.exp(g.mean(x!, [0, 1], true)) },
  ],
  max: [
    { shapes: [[3, 5]], build: (x) => g.exp(g.max(x!, 1)) },
    { shapes: [[3, 5]], build: (x) => g.max(x!) },
  ],
  embedding: [
    { shapes: [[3, 5]], build: (x) => g.exp(g.embedding(x!, g.reshape(indices, [2, 2]))), secondOrder: true },
  ],
  gatherElements: [
    { shapes: [[3, 4]], build: (x) => g.exp(g.gatherElements(x!, column, 1)), secondOrder: true },
  ],
  scatterAdd: [
    {
      shapes: [
        [3, 4],
        [3, 1],
      ],
      build: (x, u) => g.exp(g.scatterAdd(x!, column, u!, 1)),
      secondOrder: true,
    },
    { shapes: [[3], [4]], build: (x, u) => g.exp(g.scatterAdd(x!, indices, u!, 0)) },
  ],
  transpose: [{ shapes: [[2, 3, 5]], build: (x) => g.exp(g.transpose(x!, [2, 0, 1])) }],
  concat: [
    {
      shapes: [
        [2, 1],
        [2, 4],
        [2, 3],
      ],
      build: (...xs) => g.exp(g.concat(xs, -1)),
    },
  ],
  split: [
    {
      shapes: [[5, 2]],
      build: (x) =>
        g.matmul(...(g.split(x!, [2, 3], 0) as [onnxGrad.Tensor, onnxGrad.Tensor]), { transposeB: true }),
    },
    { shapes: [[5, 2]], build: (x) => g.exp(g.split(x!, [1, 3, 1], 0)[1]!) },
  ],
  slice: [{ shapes: [[5, 3]], build: (x) => g.exp(g.slice(x!, 1, 4, 0)), secondOrder: true }],
  pad: [{ shapes: [[2, 3]], build: (x) => g.exp(g.pad(x!, 1, 2, -1)) }],
  matmul: [
    ...[false, true].flatMap((transposeA) =>
      [false, true].flatMap((transposeB): Check[] => {
        const shapes = (batchA: number[], batchB: number[]) => [
          [...batchA, ...(transposeA ? [3, 2] : [2, 3])],
          [...batchB, ...(transposeB ? [5, 3] : [3, 5])],
        ];
        const build: Check["build"] = (a, b) => g.matmul(a!, b!, { transposeA, transposeB, scale: 0.5 });
        return [
          { shapes: shapes([], []), build, secondOrder: true },
          { shapes: shapes([2, 3], [2, 3]), build, secondOrder: true },
          { shapes: shapes([3], [2, 1]), build },
        ];
      }),
    ),
  ],
  linear: [
    { shapes: [[2, 3, 5], [5, 7], [7]], build: (x, w, b) => g.tanh(g.linear(x!, w!, b)), secondOrder: true },
    {
      shapes: [
        [3, 5],
        [5, 1],
      ],
      build: (x, w) => g.linear(x!, w!),
    },
  ],
  softmax: [{ shapes: [[3, 5]], build: g.softmax, secondOrder: true }],
  logSoftmax: [{ shapes: [[3, 5]], build: g.logSoftmax, secondOrder: true }],
  standardise: [{ shapes: [[2, 3, 5]], build: (x) => g.standardise(x!), secondOrder: true }],
  layerNorm: [
    { shapes: [[2, 3, 5], [5], [5]], build: (x, w, b) => g.layerNorm(x!, w!, b!) },
    { shapes: [[3, 5], [5], [5]], build: (x, w, b) => g.layerNorm(x!, w!, b!), secondOrder: true },
  ],
  crossEntropy: [
    { shapes: [[4, 3]], build: (x) => g.crossEntropy(x!, labels), secondOrder: true },
    { shapes: [[2, 2, 3]], build: (x) => g.crossEntropy(x!, g.reshape(labels, [2, 2])) },
    { shapes: [[4, 3]], build: (x) => g.crossEntropy(x!, padded, { padding: true }), secondOrder: true },
  ],
  logLoss: [
    { shapes: [[4, 3]], build: (x) => g.exp(g.logLoss(x!, labels)), secondOrder: true },
    { shapes: [[4, 3]], build: (x) => g.exp(g.logLoss(x!, padded, { padding: true })), secondOrder: true },
  ],
  dropout: [{ shapes: [[3, 5]], build: (x) => g.exp(g.dropout(x!, mask, 0.6)), secondOrder: true }],
  activate: [
    { shapes: [[3, 5], [3, 5], []], build: swiglu, secondOrder: true },
    { shapes: [[3, 5], [1, 5], [5]], build: swiglu, secondOrder: true },
    {
      shapes: [
        [2, 3],
        [2, 3],
      ],
      build: (gate, up) => g.activate(activations.bilinear.expression, { gate: gate!, up: up! }),
    },
    { shapes: [[7]], build: (x) => g.activate(activations.identity.expression, { x: x! }) },
  ],
  rmsNorm: [{ shapes: [[2, 3, 5], [5]], build: (x, w) => g.rmsNorm(x!, w!), secondOrder: true }],
};

describe("gradients against central differences", () => {
  it("every operation has a check", async () => {
    const operations = await import("../dist/operations/index.js");
    expect(Object.keys(checks).sort()).toEqual(Object.keys(operations).sort());
  });
  for (const [name, list] of Object.entries(checks)) {
    if (typeof list === "string") continue;
    for (const check of list) {
      const order = check.secondOrder ? "first and second order" : "first order";
      it(`${name} of ${check.shapes.map((shape) => `[${shape}]`).join(" and ")}, ${order}, within 1e-7`, async () => {
        await checkGradient({ ...check, secondOrder: false });
        if (check.secondOrder) await checkGradient(check);
      });
    }
  }
});
