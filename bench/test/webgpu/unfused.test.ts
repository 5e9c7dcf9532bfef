// The unfused sequence is the same function as swiglu, and moves as many bytes as is said.
import { type Data, evaluate, gradient, reference, swiglu } from "swiglu";
import { expect, test } from "vitest";
import { bytesMoved } from "../../src/webgpu/traffic.js";
import { backwardSteps, forwardSteps } from "../../src/webgpu/unfused.js";

test("the pieces, one after the other, give swiglu and its gradients", async () => {
  const [gate, up, dy] = [
    Float32Array.of(-3, -0.5, 0, 2.25),
    Float32Array.of(1, -2, 4, 0.75),
    Float32Array.of(1, -1, 2, 0.5),
  ];
  const tensors = new Map<string, Data>(Object.entries({ gate, up, dy }));
  const tensor = (name: string): Data => {
    const known = tensors.get(name) ?? new Float32Array(gate.length);
    tensors.set(name, known);
    return known;
  };
  const backend = await reference();
  for (const step of [...forwardSteps, ...backwardSteps]) await step.run(backend, tensor);
  const result = (name: string): number[] => [...(tensor(name) as Float32Array)];
  for (let i = 0; i < gate.length; i++) {
    const at = { gate: gate[i]!, up: up[i]! };
    const slopes = gradient(swiglu, at);
    expect(result("y")[i]).toBeCloseTo(evaluate(swiglu, at), 5);
    expect(result("dGate")[i]).toBeCloseTo(slopes.gate * dy[i]!, 5);
    expect(result("dUp")[i]).toBeCloseTo(slopes.up * dy[i]!, 5);
  }
});

test("bytes moved: whole tensors in and out, 4 bytes a number, or 2", () => {
  const forward = { kind: "forward", count: 1000 } as const;
  const backward = { kind: "backward", count: 1000 } as const;
  expect(bytesMoved(forward)).toBe(12_000);
  expect(bytesMoved(forward, "fused", 2)).toBe(6_000);
  // sigmoid 2 tensors, two products 3 each
  expect(bytesMoved(forward, "unfused")).toBe(32_000);
  expect(bytesMoved(backward)).toBe(20_000);
  // four products, the sigmoid's slope and a sum: 3 tensors each
  expect(bytesMoved(backward, "unfused")).toBe(72_000);
});

test("bytes moved by a block: x, y, three weights, the hidden layer twice", () => {
  const size = { rows: 2, dModel: 3, dFf: 5 };
  expect(bytesMoved({ kind: "ffnForward", ...size })).toBe(4 * (6 + 6 + 45 + 20));
  expect(bytesMoved({ kind: "ffnStep", ...size })).toBeUndefined();
});
