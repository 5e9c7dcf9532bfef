// The WebGPU backend: kernels in WGSL, made from expressions at run time, on the caller's device or one that is found.

import type { Backend } from "../backend/backend.js";
import { BackendFacade, type BackendParts } from "../backend/facade.js";
import type { BlockPlan } from "../block/plan.js";
import { isFloat32Array } from "../call/arrays.js";
import { type ActivationPlan, checkArray, checkLength } from "../call/check.js";
import type { Data, Named, ParameterValue } from "../call/data.js";
import { Tensors } from "../call/tensors.js";
import { sizeOf } from "../layout.js";
import { GpuBlock } from "./block/block.js";
import type { Place } from "./device/buffers.js";
import { Call } from "./device/call.js";
import { Gpu } from "./device/device.js";
import type { Device, DeviceBuffer, WebgpuOptions, WebgpuTensor } from "./device/options.js";
import { GpuTensor } from "./device/tensor.js";
import { backward, forward } from "./elementwise/activate.js";

/** A backend on a GPU. Calls take effect in the order they are made, also those whose results nobody waits for. */
export interface WebgpuBackend extends Backend {
  /** The device it computes on. */
  readonly device: Device;
  /**
   * Copies an array into the GPU's memory; or takes a GPUBuffer of the same device as it is: made with STORAGE, COPY_SRC and
   * COPY_DST, holding numbers in the backend's precision from its start, its size rounded up to 16 bytes.
   */
  tensor(data: Float32Array | DeviceBuffer, shape: readonly number[]): WebgpuTensor;
}

/**
 * The WebGPU backend, on the caller's GPUDevice or one that `navigator.gpu` has. Errors: no WebGPU in this runtime, no
 * GPU, a device without the feature that `precision` needs.
 *
 * @example
 * // In Node, after: import { create } from "webgpu"; const gpu = create([]);
 * const adapter = await gpu.requestAdapter();
 * const backend = await webgpu({ device: await adapter.requestDevice() });
 * const y = await backend.activate(swiglu, { gate, up }, { beta: 1 });
 * backend.dispose();
 */
export async function webgpu(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  return new GpuFacade(new GpuParts(await Gpu.open(options)));
}

/** Adds to what all backends offer: the device, and tensors on the caller's buffers. */
class GpuFacade extends BackendFacade<GpuParts> implements WebgpuBackend {
  get device(): Device {
    return this.parts.gpu.device;
  }

  override tensor(data: Float32Array | GPUBuffer, shape: readonly number[]): WebgpuTensor {
    this.alive();
    if (isFloat32Array(data)) checkLength(checkArray(data, "data"), "data", sizeOf(shape));
    return this.parts.tensor(data, [...shape]);
  }
}

/** An output of a call: the caller's array or tensor, the tensor's place, and where it is computed (`room`). */
interface Output {
  readonly data: Data;
  readonly tensor: Place | undefined;
  readonly room: Place;
}

class GpuParts implements BackendParts {
  readonly name = "webgpu";
  readonly made = "await webgpu()";
  readonly threads = 1;
  private readonly tensors = new Tensors<GpuTensor>();

  constructor(readonly gpu: Gpu) {}

  alive(): void {
    this.gpu.alive();
  }

  forward(plan: ActivationPlan, out: Named): Promise<void> {
    return Call.run(this.gpu, async (call) => {
      const places = this.inputs(plan, call);
      const [target] = this.outputs([out], places, call) as [Output];
      if (plan.count > 0) forward(call, plan, places, target.room);
      await this.collect([target], call);
    });
  }

  backward(
    plan: ActivationPlan,
    dy: Named,
    gradients: readonly Named[],
    parameterGradients: boolean,
  ): Promise<Record<string, ParameterValue>> {
    return Call.run(this.gpu, async (call) => {
      const slope = this.place(dy, call);
      const places = this.inputs(plan, call);
      const targets = this.outputs(gradients, [...places, slope], call);
      const rooms = plan.inputs.map((_, i) => (targets[plan.packed ? 0 : i] as Output).room);
      const sums = await backward(call, plan, places, slope, rooms, parameterGradients);
      await this.collect(targets, call);
      return sums;
    });
  }

  tensor(data: Float32Array | GPUBuffer, shape: readonly number[]): GpuTensor {
    return this.tensors.add(new GpuTensor(this.gpu, data, shape));
  }

  block(plan: BlockPlan, recompute: boolean): Promise<GpuBlock> {
    return GpuBlock.create(this.gpu, plan, (named, call) => this.place(named, call), recompute);
  }

  dispose(): void {
    this.gpu.dispose();
  }

  /** The places of the inputs, in the order of the plan. A tensor that is both gate and up is uploaded once. */
  private inputs(plan: ActivationPlan, call: Call): Place[] {
    const placed = new Map<Data, Place>();
    return plan.inputs.map((input) => {
      const place = placed.get(input.data) ?? this.place(input, call);
      placed.set(input.data, place);
      return place;
    });
  }

  /** The place of data: that of the tensor, or of a copy of the array. */
  private place({ data, name }: Named, call: Call): Place {
    return isFloat32Array(data) ? call.upload(data) : this.tensors.of(data, name).placeIn(call);
  }

  /** The places where outputs are computed: that of the tensor, or scratch for an array or a tensor that the kernel reads too. */
  private outputs(outputs: readonly Named[], inputs: readonly Place[], call: Call): Output[] {
    const used = new Set(inputs.map(({ buffer }) => buffer));
    return outputs.map(({ name, data }) => {
      const tensor = isFloat32Array(data) ? undefined : this.tensors.of(data, name).placeIn(call);
      const aside = tensor === undefined || used.has(tensor.buffer);
      if (tensor) used.add(tensor.buffer);
      return { data, tensor, room: aside ? call.room(data.length) : tensor };
    });
  }

  /** Copies computed outputs to the tensors and arrays that they are for. */
  private async collect(outputs: readonly Output[], call: Call): Promise<void> {
    for (const { tensor, room } of outputs)
      if (tensor && tensor !== room) call.copy(room, tensor, tensor.size);
    await call.read(
      outputs.flatMap(({ data, room }) => (isFloat32Array(data) ? [{ place: room, into: data }] : [])),
    );
  }
}
