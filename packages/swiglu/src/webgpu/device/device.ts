// The GPU that a backend computes on: the caller's device or one that is found, what it can do, and whether it is lost.

import { shown } from "../../errors.js";
import { Buffers } from "./buffers.js";
import type { Checked, CheckedDevice } from "./checked.js";
import type { Storage, WebgpuOptions } from "./options.js";
import { Pipelines } from "./pipelines.js";

/** Features that a found device is requested with, where the adapter has them. */
const wantedFeatures: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
/** Limits that a found device is requested with, as high as the adapter allows. */
const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
] as const;

/** A device, with the pipelines and buffers that are made on it. */
export class Gpu implements CheckedDevice {
  readonly pipelines: Pipelines;
  readonly buffers: Buffers;
  private gone: string | undefined;

  private constructor(
    readonly device: GPUDevice,
    private readonly own: boolean,
    /** How tensors are stored, which is also the WGSL type of an element. */
    readonly storage: Storage,
  ) {
    this.pipelines = new Pipelines(this);
    this.buffers = new Buffers(this);
    void device.lost.then(({ reason, message }) => {
      this.gone ??= `the GPU device was lost (${reason}${message ? `: ${message.trim()}` : ""}): create a new backend, with a new device if you pass one`;
    });
  }

  /** The size of the smallest subgroup: 4 where the device does not say, undefined where kernels cannot use subgroups. */
  get smallestSubgroup(): number | undefined {
    const { features, adapterInfo } = this.device;
    return features.has("subgroups") ? (adapterInfo?.subgroupMinSize ?? 4) : undefined;
  }

  static async open({ device, precision = "f32" }: WebgpuOptions): Promise<Gpu> {
    if (precision !== "f32" && precision !== "f16")
      throw new RangeError(`precision is ${shown(precision)}, expected "f32" or "f16"`);
    const given = device === undefined ? await findDevice() : checkDevice(device);
    if (precision === "f16" && !given.features.has("shader-f16"))
      throw new Error(
        `precision "f16" needs the feature shader-f16, which ${device === undefined ? "this GPU does not have" : "this device was not requested with"}: ${
          device === undefined ? "" : 'pass requiredFeatures: ["shader-f16"] where the adapter has it, or '
        }use precision "f32"`,
      );
    return new Gpu(given, device === undefined, precision);
  }

  /** Throws an Error once the device is lost or the backend disposed. */
  alive(): void {
    if (this.gone !== undefined) throw new Error(this.gone);
  }

  /** The reason for a failed call: the lost device if it is lost, else `error`. */
  async reason(error: unknown): Promise<unknown> {
    // The device may report its loss only after the call has failed because of it.
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 0))]);
    return this.gone === undefined ? error : new Error(this.gone, { cause: error });
  }

  /** Runs `make`, and checks whether the device accepted what it did. */
  check<T>(make: (device: GPUDevice) => T): Checked<T> {
    const { device } = this;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    try {
      const made = make(device);
      return { made, checked: this.popped() };
    } catch (error) {
      void this.popped();
      throw error;
    }
  }

  private popped(): Promise<void> {
    const { device } = this;
    const checked = Promise.all([device.popErrorScope(), device.popErrorScope()]).then(
      ([memory, validation]) => {
        if (memory) throw new Error(`the GPU is out of memory: ${memory.message}`);
        if (validation) throw new Error(`the GPU refused a call: ${validation.message}`);
      },
    );
    checked.catch(() => undefined); // The calls that use the object wait for this promise and report the error.
    return checked;
  }

  dispose(): void {
    this.gone ??= "this backend is disposed: create a new one with await webgpu()";
    this.buffers.dispose();
    if (this.own) this.device.destroy();
  }
}

async function findDevice(): Promise<GPUDevice> {
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } };
  if (navigator?.gpu === undefined)
    throw new Error(
      'this runtime has no WebGPU (navigator.gpu is missing). Pass a device; in Node, npm "webgpu" has one: const gpu = create([]), which must stay referenced, const adapter = await gpu.requestAdapter(), webgpu({ device: await adapter.requestDevice() })',
    );
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null)
    throw new Error("navigator.gpu found no adapter: this machine has no GPU that WebGPU can use");
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = wantedFeatures.filter((name) => adapter.features.has(name));
  return adapter.requestDevice({ requiredFeatures, requiredLimits });
}

function checkDevice(device: unknown): GPUDevice {
  if (typeof device === "object" && device !== null) {
    if ("createComputePipeline" in device && "lost" in device) return device as GPUDevice;
    if ("requestDevice" in device)
      throw new TypeError("device is an adapter: pass await adapter.requestDevice()");
    if ("then" in device) throw new TypeError("device is a promise: await it");
  }
  throw new TypeError(`device is ${String(device)}, expected a GPUDevice`);
}
