// The device that a side computes on, with everything that its adapter has, and what its adapter is.
import { gpu } from "#gpu";
import type { Adapter } from "../peers/serve.js";

/** Limits as a library raises them. */
const limits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;
const features = ["shader-f16", "subgroups", "timestamp-query"] as GPUFeatureName[];

/** What the compiler's library does not know yet. */
interface Described {
  readonly adapterInfo: GPUAdapterInfo & { readonly isFallbackAdapter?: boolean };
}

async function findAdapter(): Promise<GPUAdapter> {
  if (gpu === undefined) throw new Error("there is no WebGPU here; in Node, npm run get:webgpu brings it");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new Error("WebGPU finds no adapter here");
  return adapter;
}

/** Programs that stand in for a GPU, which not all of them say of themselves. */
const known = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

export function described(device: GPUDevice): Adapter {
  const {
    vendor,
    architecture,
    device: model,
    description,
    isFallbackAdapter,
  } = (device as GPUDevice & Described).adapterInfo;
  const name = [vendor, architecture, model, description].filter((part) => part !== "").join(" ");
  return { name, software: isFallbackAdapter || known.test(name) };
}

/** A new device with all that the adapter has of what kernels may use. */
export async function openDevice(): Promise<GPUDevice> {
  const adapter = await findAdapter();
  const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({
    requiredLimits,
    requiredFeatures: features.filter((name) => adapter.features.has(name)),
  });
}

/** Waits until a device has done all that was submitted to it. */
export const allDone = (device: GPUDevice) => (): Promise<unknown> => device.queue.onSubmittedWorkDone();
