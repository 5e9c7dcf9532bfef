// Arrays of another realm (an iframe's, a vm context's, Jest's) as feeds, and as what outputs are written to.
import { runInNewContext } from "node:vm";
import * as runtime from "onnxruntime-node";
import { expect, test } from "vitest";
import { compile, gradient, input, matmul, mul, sum } from "../src/index.js";

/** The same numbers in an array of another realm. */
const foreign = (values: readonly number[]): Float32Array =>
  (runInNewContext("Float32Array") as Float32ArrayConstructor).from(values);

test("feeds of onnx-grad, and the arrays that it writes to", async () => {
  const [x, w] = [input("x", [2, 3]), input("w", [3, 1])];
  const y = matmul(x, w);
  const loss = sum(mul(y, y));
  const [dw] = gradient(loss, [w]) as [typeof loss];
  const program = await compile(runtime, { loss, dw });
  const into = { dw: foreign([7, 7, 7]) };
  const feeds = { x: foreign([1, 2, 3, 4, 5, 6]), w: foreign([1, 0, -1]) };
  const result = await program.run(feeds, into);
  expect(Array.from(result.loss as Float32Array)).toEqual([8]);
  expect(result.dw).toBe(into.dw);
  expect(Array.from(into.dw)).toEqual([-20, -28, -36]);
  await program.dispose();
  const labels = input("labels", [2], "int64");
  const same = await compile(runtime, { again: labels });
  const given = runInNewContext("BigInt64Array.of(3n, -4n)") as BigInt64Array;
  expect(Array.from((await same.run({ labels: given })).again as BigInt64Array)).toEqual([3n, -4n]);
  await same.dispose();
});
