// The table of a block's forms: what follows from a row, and that a row alone makes a new form work.
import { expect, test } from "vitest";
import { BlockFacade } from "../../src/block/facade.js";
import { type BlockForm, backwardOrder, forms, fusedForm, weightShapes } from "../../src/block/forms.js";
import { planBlock } from "../../src/block/plan.js";
import type { Activation } from "../../src/catalogue/activation.js";
import { expressions as e, swiglu } from "../../src/index.js";
import { blockGraph } from "../../src/onnx/graph/block-graph.js";
import { toFile } from "../../src/onnx-entry.js";
import { ReferenceParts } from "../../src/reference/backend.js";
import { plainFloats } from "../conformance/samples.js";
import { runtimes } from "../onnx/runtime.js";

test("shapes, biases and the backward order follow from the products", () => {
  expect(weightShapes(forms.packed, 2, 3)).toEqual({
    packed: [2, 6],
    packedBias: [6],
    down: [3, 2],
    downBias: [2],
  });
  expect(weightShapes(forms.selfUp, 2, 3)).toMatchObject({ in: [2, 3], square: [3, 3], squareBias: [3] });
  const order = (form: BlockForm) => backwardOrder(form).map((group) => group.map(({ weight }) => weight));
  expect(order(forms.gated)).toEqual([["gate", "up"]]);
  expect(order(forms.selfGate)).toEqual([["square"], ["in"]]);
});

test("kernels that fuse the activation with the last product learn which input that is", () => {
  expect(fusedForm(forms.packed)).toEqual({ first: ["gate", "up"], produced: [0, 1] });
  expect(fusedForm(forms.selfGate)).toEqual({ first: ["in"], second: "square", produced: [1] });
  expect(fusedForm(forms.selfUp)).toEqual({ first: ["in"], second: "square", produced: [0] });
});

/** A form that nobody has: `silu(gate) * sigmoid(second) * up`. */
const twoGates: BlockForm = {
  name: "twice gated",
  products: [
    { weight: "gate", from: "x" },
    { weight: "second", from: "x" },
    { weight: "up", from: "x" },
  ],
  inputs: [{ product: "gate" }, { product: "second" }, { product: "up" }],
};
const activation = {
  ...swiglu,
  name: "twoGates",
  inputs: ["gate", "second", "up"],
  parameters: {},
  expression: e.mul(e.mul(e.mul("gate", e.sigmoid("gate")), e.sigmoid("second")), "up"),
} as unknown as Activation;

const [rows, dModel, dFf] = [5, 3, 4];
const weights = Object.fromEntries(
  Object.entries(weightShapes(twoGates, dModel, dFf)).map(([name, shape], i) => [
    name,
    plainFloats(
      shape.reduce((a, b) => a * b, 1),
      i,
    ),
  ]),
);
const x = plainFloats(rows * dModel, 20);

/** The same by loops. */
function expected(input: Float32Array): Float64Array {
  const project = (from: ArrayLike<number>, width: number, name: string, columns: number) =>
    Float64Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      let sum = weights[`${name}Bias`]![column]!;
      for (let k = 0; k < width; k++) sum += from[row * width + k]! * weights[name]![k * columns + column]!;
      return sum;
    });
  const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
  const [gate, second, up] = ["gate", "second", "up"].map((name) => project(input, dModel, name, dFf));
  const hidden = gate!.map((g, i) => g * sigmoid(g) * sigmoid(second![i]!) * up![i]!);
  return project(hidden, dFf, "down", dModel);
}

test("a form that nobody has works on the reference backend by one row: values and gradients", async () => {
  const plan = planBlock(twoGates, activation, { activation, dModel, dFf, weights });
  const idle = { alive: () => undefined, ended: () => undefined };
  const block = new BlockFacade<Record<string, Float32Array>, unknown>(
    plan,
    new ReferenceParts().block(plan),
    idle,
  );
  const exact = expected(x);
  const pass = await block.record(x, rows);
  for (const [i, value] of pass.y.entries()) expect(value).toBeCloseTo(exact[i]!, 5);
  const dY = plainFloats(rows * dModel, 21);
  const gradients = await pass.backward(dY);
  expect(Object.keys(gradients).sort()).toEqual([...Object.keys(weights), "x"].sort());
  const loss = (input: Float32Array) => expected(input).reduce((sum, y, i) => sum + y * dY[i]!, 0);
  for (const at of [0, 7, 14]) {
    const moved = (step: number) => x.map((value, i) => (i === at ? value + step : value));
    const [above, below] = [moved(2 ** -8), moved(-(2 ** -8))];
    const slope = (loss(above) - loss(below)) / (above[at]! - below[at]!);
    expect(gradients.x[at]).toBeCloseTo(slope, 3);
  }
});

test("and in an ONNX file", async () => {
  const graph = blockGraph("gatedFfn", { activation, dModel, dFf, weights } as never, (planned) =>
    planBlock(twoGates, activation, planned),
  );
  const run = await runtimes["onnxruntime-node"](toFile(graph, { math: "exact" }));
  const { y } = await run({ x: { data: x, shape: [rows, dModel] } });
  const exact = expected(x);
  for (const [i, value] of y!.entries()) expect(value).toBeCloseTo(exact[i]!, 5);
});
