// WebGPU in Node for the tests: Dawn on a software Vulkan driver, as `npm run get:webgpu` leaves them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cache, find, unless } from "../runtimes/found.js";

/** What Dawn needs here (see found.ts), or undefined where it is missing; then tests say so in their names. */
export const driver = find("webgpu");
export const unlessDriver = unless("webgpu");

interface Dawn {
  create(flags: string[]): GPU;
}

let gpu: Promise<GPU> | undefined;

/** Dawn's `navigator.gpu`; kept, since the process crashes if it is collected while its devices live. */
export function dawn(): Promise<GPU> {
  gpu ??= start();
  return gpu;
}

async function start(): Promise<GPU> {
  // Read when Dawn loads Vulkan, so they may be set here.
  if (process.platform === "linux") process.env.VK_ICD_FILENAMES ??= driver;
  // Compiling is most of what the tests take: in vectors of four, not eight, it is a third, and without LLVM's optimisations a
  // quarter less; and the next time it is not done.
  process.env.LP_NATIVE_VECTOR_WIDTH ??= "128";
  process.env.GALLIVM_PERF ??= "nopt";
  process.env.MESA_SHADER_CACHE_DIR ??= join(cache, "webgpu", "shaders");
  if (process.env.XDG_RUNTIME_DIR === undefined) {
    const folder = join(cache, "webgpu", "runtime");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    process.env.XDG_RUNTIME_DIR = folder;
  }
  const file = join(cache, "webgpu", "node_modules", "webgpu", "index.js");
  const { create } = (await import(pathToFileURL(file).href)) as Dawn;
  // While it waits, Dawn asks again by setImmediate without a pause: half of the time went there, on a core that could compile.
  globalThis.setImmediate = ((ask: () => void) => setTimeout(ask, 1)) as unknown as typeof setImmediate;
  return create([]);
}

/** A device with the features and limits named, by default those that every device has. */
export async function requestDevice(descriptor: GPUDeviceDescriptor = {}): Promise<GPUDevice> {
  const adapter = await (await dawn()).requestAdapter();
  if (adapter === null) throw new Error(`Dawn found no adapter with the driver of ${driver}`);
  return adapter.requestDevice(descriptor);
}
