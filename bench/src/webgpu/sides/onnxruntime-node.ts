// onnxruntime-node on its own WebGPU, which is Dawn in native code: no JavaScript stands between it and the device.
import { input, mul } from "onnx-grad";
import * as ort from "onnxruntime-node";
import "#gpu";
import { serve } from "../../peers/serve.js";
import { load, prepare } from "../onnx.js";

/** Its device is not to be had; reading a number back waits for all that was submitted before. */
const last = await load(ort, { y: mul(input("x", [1]), 1) }, "cpu");
const settle = (): Promise<unknown> => last.run({ x: new ort.Tensor("float32", Float32Array.of(1), [1]) });

await serve({ version: ort.env.versions.node ?? "unknown" }, async (task) => ({
  ...(await prepare(ort, task)),
  settle,
}));
