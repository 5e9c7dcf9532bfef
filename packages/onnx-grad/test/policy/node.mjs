// Runs the steps in the Node that starts this file.
import * as runtime from "onnxruntime-node";
import { runSteps } from "./steps.mjs";

await runSteps(runtime);
