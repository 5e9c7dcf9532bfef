// WebGPU in Node: Dawn as `npm run get:webgpu` brings it, found under navigator.gpu as in browsers. What `#gpu` is there.
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

interface Dawn {
  create(flags: string[]): GPU;
  readonly globals: object;
}

const folder = fileURLToPath(new URL("../../../../node_modules/.cache/webgpu/", import.meta.url));
const file = join(folder, "node_modules", "webgpu", "index.js");
const software = join(folder, "icd.json");

/** Dawn's; undefined where it is not here. Referenced as long as the process lives: it crashes if this is collected. */
export const gpu = existsSync(file) ? await start() : undefined;

async function start(): Promise<GPU> {
  // Read when Dawn loads Vulkan. The software driver stands behind those of the system, so a real GPU is found first.
  if (existsSync(software)) process.env.VK_ADD_DRIVER_FILES ??= software;
  process.env.XDG_RUNTIME_DIR ??= mkdtempSync(join(tmpdir(), "swiglu-webgpu-"));
  const { create, globals } = (await import(pathToFileURL(file).href)) as Dawn;
  // Clocks inside the device tell nanoseconds, not tenths of milliseconds.
  const found = create(["disable-dawn-features=timestamp_quantization"]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", {
    value: { gpu: found, userAgent: "Node" },
    configurable: true,
  });
  return found;
}
