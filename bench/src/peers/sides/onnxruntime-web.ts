// onnxruntime-web: its WebAssembly build, which runs in Node as in browsers, with its own threads.
import * as ort from "onnxruntime-web";
import { prepare } from "../onnx.js";
import { options, serve } from "../serve.js";

ort.env.wasm.numThreads = options.threads;

await serve({ version: ort.env.versions.web ?? "unknown" }, (task) => prepare(ort, task, false));
