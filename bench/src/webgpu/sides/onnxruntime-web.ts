// onnxruntime-web's WebGPU build, in a browser.
import * as ort from "onnxruntime-web/webgpu";
import { serve } from "../../peers/serve.js";
import { clockOf } from "../clock.js";
import { allDone, described, openDevice } from "../device.js";
import { prepare } from "../onnx.js";

const device = await openDevice();
ort.env.wasm.numThreads = 1;
const clock = clockOf(device);
const settle = allDone(device);

const hello = { version: ort.env.versions.web ?? "unknown", adapter: described(device) };
await serve(hello, async (task) => ({ ...(await prepare(ort, task, device)), settle, clock }));
