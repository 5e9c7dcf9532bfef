// Runs the conformance suite on the browser's own WebGPU and prints its lines.
import { webgpu } from "../../../src/index.js";
import { conformanceCases } from "../../conformance/index.js";
import type { Line } from "../../runtimes/suite.js";

const configuration = "WebGPU";
const report = (line: Line): void => console.log(JSON.stringify(line));

report({ kind: "runtime", agent: navigator.userAgent, crossOriginIsolated });
try {
  const backend = await webgpu();
  for (const { name, run } of conformanceCases())
    try {
      await run(backend);
      report({ kind: "case", configuration, name });
    } catch (error) {
      report({ kind: "case", configuration, name, error: String(error) });
    }
  backend.dispose();
} catch (error) {
  report({ kind: "refused", configuration, error: String(error) });
}
report({ kind: "end" });
