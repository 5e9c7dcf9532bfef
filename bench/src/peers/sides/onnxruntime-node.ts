// onnxruntime-node: native code with the widest instructions that the CPU has; it stands in the table as it is.
import * as ort from "onnxruntime-node";
import { prepare } from "../onnx.js";
import { serve } from "../serve.js";

await serve({ version: ort.env.versions.node ?? "unknown" }, (task) => prepare(ort, task, true));
