// Runs the conformance suite on the browser's own WebGPU and prints its lines.
import { webgpu } from "../../../src/index.js";
import { attempt, type Report } from "../../runtimes/lines.js";
import { pageCases } from "./cases.js";

const configuration = "WebGPU";
const report: Report = (line) => console.log(JSON.stringify(line));

report({ kind: "runtime", agent: navigator.userAgent, crossOriginIsolated });
try {
  const backend = await webgpu();
  for (const { name, run } of pageCases())
    await attempt(report, configuration, { name, run: () => run(backend) });
  backend.dispose();
} catch (error) {
  report({ kind: "refused", configuration, error: String(error) });
}
report({ kind: "end" });
