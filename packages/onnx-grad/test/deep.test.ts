// Graphs as deep as large models are: chains of operations that would overflow the stack, were anything here recursive.
import {
  add,
  buildModel,
  compile,
  encodeModel,
  gradient,
  input,
  mul,
  sum,
  type Tensor,
  tanh,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { slowExtent } from "../../swiglu/test/conformance/extent.js";

const x = input("x", [2]);
const seconds = (start: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

function chain(length: number): Record<string, Tensor> {
  let y: Tensor = x;
  for (let i = 0; i < length; i++) y = i % 3 === 0 ? mul(y, 0.999) : i % 3 === 1 ? add(y, x) : tanh(y);
  const loss = sum(y);
  return { loss, dx: gradient(loss, [x])[0]! };
}

// All of it under `npm run test:all`, where a chain is ten times as long.
const [shorter, longer] = slowExtent === "full" ? [10_000, 100_000] : [2000, 20_000];

it(`${longer} operations in a chain differentiate and encode, in less than 25 times the processor time of ${shorter}`, () => {
  const measured = (length: number) => {
    const start = process.cpuUsage();
    const model = buildModel(chain(length));
    const bytes = encodeModel(model).length;
    return { nodes: model.nodes.length, bytes, time: seconds(start) };
  };
  measured(2000); // warms up
  const [short, long] = [measured(shorter), measured(longer)];
  expect(long.nodes / short.nodes).toBeCloseTo(10, 2);
  expect(long.bytes / short.bytes).toBeLessThan(12);
  expect(long.time / short.time).toBeLessThan(25);
});

it("the gradient of a chain of 1,500 operations is (loading takes ONNX Runtime time that grows with the square of it) that of the function", async () => {
  const value = (at: number): number => {
    let y = at;
    for (let i = 0; i < 1500; i++) y = i % 3 === 0 ? y * 0.999 : i % 3 === 1 ? y + at : Math.tanh(y);
    return y;
  };
  const program = await compile(ort, chain(1500));
  const { dx } = await program.run({ x: [0.3, -0.7] });
  [0.3, -0.7].forEach((at, i) => {
    const slope = (value(at + 1e-5) - value(at - 1e-5)) / 2e-5;
    expect(Math.abs(Number(dx![i]) - slope)).toBeLessThan(1e-4);
  });
  await program.dispose();
});
