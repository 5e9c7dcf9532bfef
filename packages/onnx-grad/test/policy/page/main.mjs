// Runs the steps in a page, on onnxruntime-web.
import * as runtime from "onnxruntime-web/wasm";
import { runSteps } from "../steps.mjs";

runtime.env.wasm.numThreads = 1;
await runSteps(runtime);
