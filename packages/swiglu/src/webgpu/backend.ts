// The WebGPU backend: kernels in WGSL made from expressions at run time, on the caller's device or one that is found.

import type {
  ActivateOptions,
  ActivationGradients,
  ActivationInputs,
  Backend,
  BackwardOptions,
  Ffn,
  GradientOutputs,
} from "../backend/backend.js";
import {
  type FfnOptions,
  type FfnPlan,
  type FfnWeights,
  type GatedFfnOptions,
  type GatedFfnWeights,
  planFfn,
  planGatedFfn,
} from "../block/plan.js";
import { isFloat32Array } from "../call/arrays.js";
import {
  type ActivationPlan,
  checkArray,
  checkLength,
  gradientOutputs,
  planActivation,
  resultOutput,
} from "../call/check.js";
import type { Data, ParameterValue, Tensor } from "../call/data.js";
import type { Activation, Parameters } from "../catalogue/activation.js";
import { sizeOf } from "../layout.js";
import { GpuFfn } from "./block/block.js";
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
  return new GpuBackend(await Gpu.open(options));
}

/** An output of a call: whose it is, and where it is computed. */
interface Output {
  readonly data: Data;
  readonly tensor: Place | undefined;
  readonly room: Place;
}

class GpuBackend implements WebgpuBackend {
  readonly name = "webgpu";
  readonly threads = 1;

  constructor(private readonly gpu: Gpu) {}

  get device(): Device {
    return this.gpu.device;
  }

  async activate<A extends Activation, D extends Data = Float32Array>(
    activation: A,
    inputs: ActivationInputs<A>,
    parameters?: Parameters<A, ParameterValue>,
    options: ActivateOptions<D> = {},
  ): Promise<D> {
    return Call.run(this.gpu, async (call) => {
      const plan = planActivation(activation, inputs, parameters);
      const out = resultOutput(plan.count, options.out);
      const places = this.inputs(plan, call);
      const [target] = this.outputs([{ name: "out", data: out }], places, call) as [Output];
      if (plan.count > 0) forward(call, plan, places, target.room);
      await this.collect([target], call);
      return out as D;
    });
  }

  async activateBackward<
    A extends Activation,
    I extends ActivationInputs<A>,
    O extends GradientOutputs = Record<never, never>,
    P extends boolean = true,
  >(
    activation: A,
    inputs: I,
    dy: Data,
    parameters?: Parameters<A, ParameterValue>,
    options?: BackwardOptions<O, P>,
  ): Promise<ActivationGradients<A, I, O, P>> {
    return Call.run(this.gpu, async (call) => {
      const plan = planActivation(activation, inputs, parameters);
      const gradients = gradientOutputs(plan, dy, options?.out);
      const slope = this.place(dy, "dy", call);
      const places = this.inputs(plan, call);
      const named = gradients.map(({ name, data }) => ({ name: `out.${name}`, data }));
      const targets = this.outputs(named, [...places, slope], call);
      const rooms = plan.inputs.map((_, i) => (targets[plan.packed ? 0 : i] as Output).room);
      const sums = await backward(call, plan, places, slope, rooms, options?.parameterGradients ?? true);
      await this.collect(targets, call);
      const computed = gradients.map(({ name, data }) => [name, data]);
      return { ...Object.fromEntries(computed), ...sums } as ActivationGradients<A, I, O, P>;
    });
  }

  tensor(data: Float32Array | GPUBuffer, shape: readonly number[]): WebgpuTensor {
    this.gpu.alive();
    if (isFloat32Array(data)) checkLength(checkArray(data, "data"), "data", sizeOf(shape));
    return new GpuTensor(this.gpu, data, [...shape]);
  }

  async ffn<W extends FfnWeights>(options: FfnOptions<W>): Promise<Ffn<W>> {
    return this.block(planFfn(options), options.recompute);
  }

  async gatedFfn<W extends GatedFfnWeights>(options: GatedFfnOptions<W>): Promise<Ffn<W>> {
    return this.block(planGatedFfn(options), options.recompute);
  }

  dispose(): void {
    this.gpu.dispose();
  }

  private async block<W>(plan: FfnPlan, recompute = false): Promise<Ffn<W>> {
    return GpuFfn.create<W>(this.gpu, plan, (data, name, call) => this.place(data, name, call), recompute);
  }

  /** Where the inputs are, in the order of the plan; one that serves for gate and up is placed once. */
  private inputs(plan: ActivationPlan, call: Call): Place[] {
    const placed = new Map<Data, Place>();
    return plan.inputs.map(({ name, data }) => {
      const place = placed.get(data) ?? this.place(data, name, call);
      placed.set(data, place);
      return place;
    });
  }

  /** Where data is: a tensor's own place, or an array's copy. */
  private place(data: Data, name: string, call: Call): Place {
    return isFloat32Array(data) ? call.place(data) : this.tensorOf(data, name).placeIn(call);
  }

  /** Where outputs are computed: in a tensor's own place, or aside for an array or a tensor that the kernel reads too. */
  private outputs(
    outputs: readonly { readonly name: string; readonly data: Data }[],
    inputs: readonly Place[],
    call: Call,
  ): Output[] {
    const used = new Set(inputs.map(({ buffer }) => buffer));
    return outputs.map(({ name, data }) => {
      const tensor = isFloat32Array(data) ? undefined : this.tensorOf(data, name).placeIn(call);
      const aside = tensor === undefined || used.has(tensor.buffer);
      if (tensor) used.add(tensor.buffer);
      return { data, tensor, room: aside ? call.room(data.length) : tensor };
    });
  }

  /** Brings computed outputs to where they belong. */
  private async collect(outputs: readonly Output[], call: Call): Promise<void> {
    for (const { tensor, room } of outputs)
      if (tensor && tensor !== room) call.copy(room, tensor, tensor.size);
    await call.read(
      outputs.flatMap(({ data, room }) => (isFloat32Array(data) ? [{ place: room, into: data }] : [])),
    );
  }

  private tensorOf(data: Tensor, name: string): GpuTensor {
    if (data instanceof GpuTensor && data.gpu === this.gpu) return data;
    throw new TypeError(`${name} is a tensor of another backend: read() it and pass the array`);
  }
}
