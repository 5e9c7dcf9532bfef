// The ONNX file: what is written can be read back, equal computations appear once, constants stay small, and the same
// bytes run in onnxruntime-node and onnxruntime-web.
import {
  activate,
  add,
  buildModel,
  compile,
  constant,
  crossEntropy,
  decodeModel,
  embedding,
  encodeModel,
  gradient,
  input,
  layerNorm,
  linear,
  matmul,
  mul,
  type Runtime,
  reshape,
  softmax,
  sum,
  Training,
} from "onnx-grad";
import * as native from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { activations } from "swiglu";
import * as onnx from "swiglu/onnx";
import { describe, expect, it } from "vitest";
import { numbers } from "./finite-differences.js";

web.env.wasm.numThreads = 1;
const runtimes: Record<string, Runtime> = { "onnxruntime-node": native, "onnxruntime-web": web };

/** A tiny language model with everything in it: embedding, attention, norm, SwiGLU with its beta, cross-entropy. */
const definition = {
  parameters: [
    { name: "table", shape: [7, 4], decay: true },
    { name: "normWeight", shape: [4], decay: false },
    { name: "normBias", shape: [4], decay: false },
    { name: "gate", shape: [4, 5], decay: true },
    { name: "up", shape: [4, 5], decay: true },
    { name: "beta", shape: [5], decay: false },
    { name: "down", shape: [5, 7], decay: true },
  ],
  loss: (p: Readonly<Record<string, ReturnType<typeof input>>>) => {
    const tokens = embedding(p.table!, input("tokens", [2, 3], "int32"));
    const x = layerNorm(tokens, p.normWeight!, p.normBias!);
    const mixed = matmul(softmax(matmul(x, x, { transposeB: true, scale: 0.5 })), x);
    const hidden = activate(activations.swiglu.expression, {
      gate: linear(mixed, p.gate!),
      up: linear(mixed, p.up!),
      beta: p.beta!,
    });
    return crossEntropy(linear(add(hidden, 0), p.down!), input("next", [2, 3], "int64"));
  },
  weightDecay: 0.1,
  clipNorm: 1,
};
const feeds = { tokens: [1, 4, 4, 0, 6, 1], next: [4, 4, 0, 6, 1, 2] };

async function losses(runtime: Runtime): Promise<number[]> {
  const training = await Training.create(runtime, definition);
  const random = numbers(3);
  training.state.parameters.forEach((_, i, all) => {
    all[i] = random() - 0.5;
  });
  const results: number[] = [];
  for (let i = 0; i < 20; i++) results.push((await training.step(feeds, 0.1)).loss);
  await training.dispose();
  return results;
}

describe("one graph, both runtimes", () => {
  it("training runs in onnxruntime-node and onnxruntime-web, with losses equal within 1e-5 for five steps", async () => {
    const [inNode, inWeb] = [
      await losses(runtimes["onnxruntime-node"]!),
      await losses(runtimes["onnxruntime-web"]!),
    ];
    for (const all of [inNode, inWeb]) expect(all.at(-1)!).toBeLessThan(all[0]! / 2);
    inNode.slice(0, 5).forEach((loss, i) => {
      expect(Math.abs(loss - inWeb[i]!)).toBeLessThan(1e-5);
    });
  });

  it("training is the same, bit for bit, on every run at one thread", async () => {
    expect(await losses(native)).toEqual(await losses(native));
  });
});

it("the gradient of an embedding adds every update, also at two threads", async () => {
  const table = input("table", [3, 50]);
  const rows = embedding(table, input("rows", [3000], "int32"));
  const [dTable] = gradient(sum(rows), [table]);
  const program = await compile(native, { dTable: dTable! }, { threads: 2 });
  const { dTable: counts } = await program.run({ rows: Int32Array.from({ length: 3000 }, (_, i) => i % 3) });
  expect(Array.from(counts as Float32Array)).toEqual(Array(150).fill(1000));
  await program.dispose();
});

describe("models", () => {
  it("are the same after encoding and decoding", () => {
    const x = input("x", [2, 3]);
    const big = constant(
      Float32Array.from({ length: 300 }, (_, i) => i / 7),
      "float32",
      [3, 100],
    );
    const model = buildModel({
      y: sum(matmul(x, big, { transposeA: false, scale: 0.5 }), -1),
      z: reshape(x, [-1]),
    });
    const decoded = decodeModel(encodeModel(model));
    const plain = (m: typeof model) => ({
      ...m,
      initializers: m.initializers.map((t) => ({ ...t, data: Array.from(t.data) })),
    });
    expect(plain(decoded)).toEqual(plain(model));
  });

  it("hold every distinct computation once", () => {
    const x = input("x", [4]);
    const model = buildModel({ y: add(mul(x, x), mul(x, x)), z: mul(x, x) });
    expect(model.nodes.map((node) => node.opType)).toEqual(["Mul", "Add"]);
  });

  it("do not grow with the tensors of the graph: gradients of sums and tables hold no constant of their size", () => {
    const table = input("table", [500, 40]);
    const rows = embedding(table, input("rows", [64], "int32"));
    const [dTable] = gradient(sum(mul(rows, 2)), [table]);
    expect(encodeModel(buildModel({ dTable: dTable! })).length).toBeLessThan(2000);
  });

  it("refuse files that are not models", () => {
    expect(() => decodeModel(new Uint8Array())).toThrow(/no ONNX graph/);
  });

  it("refuse models that they cannot hold", () => {
    const graph = onnx.activationGraph("silu", { shape: [4] });
    expect(() => decodeModel(onnx.toFile(graph, { opset: 20 }))).toThrow(/uses opset 20 .*; only 21 is read/);
    expect(() => decodeModel(onnx.toFile(graph, { asFunction: true }))).toThrow(/has functions of its own/);
    expect(() => decodeModel(onnx.toFile(graph, { dtype: "float16" }))).toThrow(
      /^tensor "x" is float16 \[4\]/,
    );
  });
});

describe("mistakes get a sentence", () => {
  const x = input("x", [2, 3]);
  const cases: Record<string, [() => unknown, RegExp]> = {
    "inner sizes": [
      () => matmul(x, input("w", [4, 5])),
      /a is \[2,3\] and b is \[4,5\]; the inner sizes 3 and 4 must be equal/,
    ],
    broadcasting: [() => add(x, input("b", [2])), /shapes \[2,3\] and \[2\] do not broadcast.*3 meets 2/],
    types: [() => add(x, input("i", [3], "int32")), /float32 and int32; convert one of them with cast/],
    reshape: [() => reshape(x, [4, 2]), /\[2,3\] holds 6 elements, but \[4,2\] holds 8/],
    axis: [() => sum(x, 2), /axis 2 does not exist in a tensor of rank 2; use -2 to 1/],
    labels: [() => crossEntropy(x, input("l", [3], "int32")), /logits are \[2,3\] and labels \[3\]/],
    "a gradient of a matrix": [() => gradient(x, [x]), /needs a float scalar, but y is float32 \[2,3\]/],
    "a variable without a tensor": [
      () => activate(activations.swiglu.expression, { gate: x, up: x }),
      /the expression uses beta, but there are tensors for gate, up only/,
    ],
    "two inputs of one name": [
      () => buildModel({ y: add(x, input("x", [2, 3])) }),
      /two inputs are called "x"/,
    ],
  };
  for (const [name, [build, message]] of Object.entries(cases)) {
    it(name, () => {
      expect(build).toThrow(message);
    });
  }

  it("at run time: inputs that are missing, unknown, too short, or shared with an output", async () => {
    const program = await compile(native, { y: mul(x, 2) });
    await expect(program.run({})).rejects.toThrow(/input "x" \(float32 \[2,3\]\) is missing/);
    await expect(program.run({ x: [1, 2, 3, 4, 5, 6], z: [1] })).rejects.toThrow(
      /no input "z"; the graph takes x/,
    );
    await expect(program.run({ x: [1, 2] })).rejects.toThrow(/"x" has 2 elements; its shape \[2,3\] needs 6/);
    const shared = new Float32Array(6);
    await expect(program.run({ x: shared }, { y: shared })).rejects.toThrow(/shares memory with input "x"/);
    await program.dispose();
  });
});
