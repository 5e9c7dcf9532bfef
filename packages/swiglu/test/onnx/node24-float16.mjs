// In Node 24: whether a float16 model can be fed, and what the same model gives with float32 around it. One line for each.
import * as ort from "onnxruntime-node";
import { activationGraph, toFile } from "../../dist/onnx-entry.js";

const create = (io) => ort.InferenceSession.create(toFile(activationGraph("silu"), { dtype: "float16", io }));
try {
  const session = await create("float16");
  await session.run({ x: new ort.Tensor("float16", new Float16Array([1]), [1]) });
  console.log("taken");
} catch (error) {
  console.log(`refused: ${error.message}`);
}
const session = await create("float32");
const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(1), [1]) });
console.log(y.data[0].toFixed(3));
