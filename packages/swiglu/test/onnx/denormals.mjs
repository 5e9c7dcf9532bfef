// A process whose first session of ONNX Runtime flushes denormals: what ort() says then. Prints one line for each math.
import * as runtime from "onnxruntime-node";
import { relu } from "../../dist/index.js";
import { encodeModel, ort } from "../../dist/onnx-entry.js";

const value = (name) => ({ name, dtype: "float32", shape: [1] });
const model = {
  opset: 21,
  inputs: [value("x")],
  outputs: [value("y")],
  initializers: [],
  nodes: [{ opType: "Neg", inputs: ["x"], outputs: ["y"] }],
};
await runtime.InferenceSession.create(encodeModel(model), {
  extra: { session: { set_denormal_as_zero: "1" } },
});
for (const math of ["exact", "fast"]) {
  try {
    const backend = await ort({ runtime, threads: 1, math });
    console.log(String(await backend.activate(relu, { x: Float32Array.of(-1, 2) })));
  } catch (error) {
    console.log(error.message);
  }
}
