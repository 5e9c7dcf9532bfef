// What tests of fused kernels look at: which kernels ran, what they wrote beside their own memory, what they left behind.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, vi } from "vitest";
import { forms, gatedFormOf, weightShapes } from "../../src/block/forms.js";
import { type Activation, activationToJson, type ParameterValue } from "../../src/index.js";
import { workplaceOf } from "../../src/tfjs/fused/workplace.js";
import { activate, activatePacked } from "../../src/tfjs/index.js";
import type { Adapter, Block, BlockAdapter } from "../conformance/adapters.js";
import { adapter } from "./backends.js";

/** The fused kernels that some work runs, in order. */
export function fusedRuns(work: () => tf.TensorContainer): string[] {
  const spy = vi.spyOn(tf.engine(), "runKernel");
  try {
    tf.tidy(() => {
      work();
    });
    return spy.mock.calls.map(([name]) => name).filter((name) => name.startsWith("Swiglu"));
  } finally {
    spy.mockRestore();
  }
}

/** The size of the memory, and what of it kernels hold as scratch, in bytes. */
export function memoryState(): { readonly size: number; readonly scratch: number } {
  const { heap } = workplaceOf(tf.backend()).engine;
  return { size: heap.memory.buffer.byteLength, scratch: heap.bytesInUse };
}

interface WasmModule {
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly HEAPU8: Uint8Array;
}
/** The backend's module. Its functions replace themselves when they are first called, so that is done before. */
function moduleOf(backend: tf.KernelBackend): WasmModule {
  const { wasm } = backend as tf.KernelBackend & { readonly wasm: WasmModule };
  wasm._free(wasm._malloc(8));
  return wasm;
}

const margin = 64;
const canary = 0xa5;
const guarded = new Map<number, number>();

/** How many guarded allocations there are. */
export const allocations = (): number => guarded.size;

/** From here on every allocation of the backend has canaries on both sides, which are looked at when it is freed. */
export function guardMemory(): void {
  beforeAll(() => {
    const wasm = moduleOf(tf.backend());
    const { _malloc, _free } = wasm;
    const edges = (address: number, bytes: number) =>
      [address - margin, address + bytes].map((at) => wasm.HEAPU8.subarray(at, at + margin));
    wasm._malloc = (bytes) => {
      const block = _malloc.call(wasm, bytes + 2 * margin);
      if (block === 0) return 0;
      guarded.set(block + margin, bytes);
      for (const edge of edges(block + margin, bytes)) edge.fill(canary);
      return block + margin;
    };
    wasm._free = (address) => {
      const bytes = guarded.get(address);
      if (bytes === undefined) return _free.call(wasm, address);
      guarded.delete(address);
      if (!edges(address, bytes).every((edge) => edge.every((byte) => byte === canary)))
        throw new Error(`something wrote beside ${bytes} bytes at ${address}`);
      _free.call(wasm, address - margin);
    };
  });
}

/** Does some work in which an allocation, the one after `count` others, is made by `allocate`. Returns whether it came to that. */
function withAllocation(
  count: number,
  allocate: (wasm: WasmModule, bytes: number) => number,
  work: () => void,
): boolean {
  const wasm = moduleOf(tf.backend());
  const { _malloc } = wasm;
  let calls = 0;
  wasm._malloc = (bytes) => {
    if (calls++ !== count) return _malloc.call(wasm, bytes);
    return allocate({ ...wasm, _malloc, HEAPU8: wasm.HEAPU8 }, bytes);
  };
  try {
    work();
  } finally {
    wasm._malloc = _malloc;
  }
  return calls > count;
}

/** Does some work in which an allocation fails, as when memory is full. */
export const withoutMemory = (count: number, work: () => void): boolean =>
  withAllocation(count, () => 0, work);

/** Does some work in which the memory grows with an allocation, since there is less left than it asks for. */
export const withGrowth = (count: number, work: () => void): boolean =>
  withAllocation(
    count,
    ({ _malloc, _free, HEAPU8 }, bytes) => {
      _free(_malloc(HEAPU8.byteLength));
      return _malloc(bytes);
    },
    work,
  );

/** Does some work on a backend that is the current one, but does not show its memory. */
export function hideMemory(work: () => void): void {
  const backend = tf.backend();
  const hiding = <T extends object>(target: T, hidden: Readonly<Record<string, unknown>>): T =>
    new Proxy(target, {
      get: (of, key) => (typeof key === "string" && key in hidden ? hidden[key] : Reflect.get(of, key)),
    });
  const wasm = hiding(moduleOf(backend), { asm: undefined, wasmMemory: undefined });
  const spy = vi.spyOn(tf.engine(), "backend", "get").mockReturnValue(hiding(backend, { wasm }));
  try {
    work();
  } finally {
    spy.mockRestore();
  }
}

/** What kernels see of the backend's threaded build: shared memory, of which little is left. Nothing is ever freed. */
export function sharedBackend() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const places = new Map<object, number>();
  let end = 1024;
  const allocate = (bytes: number): number => {
    const address = end;
    end += Math.ceil(bytes / 8) * 8;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return address;
  };
  const info = (memoryOffset: number, shape: readonly number[]): tf.TensorInfo => {
    const dataId = {};
    places.set(dataId, memoryOffset);
    return { dataId, shape: [...shape], dtype: "float32" };
  };
  const at = ({ dataId, shape: [count] }: tf.TensorInfo): Float32Array =>
    new Float32Array(memory.buffer, places.get(dataId), count);
  return {
    wasm: { wasmMemory: memory, HEAPU8: new Uint8Array(memory.buffer), _malloc: allocate, _free: () => {} },
    dataIdMap: { get: (dataId: object) => ({ memoryOffset: places.get(dataId) }) },
    makeOutput: (shape: readonly number[], _: string, memoryOffset: number) => info(memoryOffset, shape),
    tensor(data: Float32Array): tf.TensorInfo {
      const tensor = info(allocate(4 * data.length), [data.length]);
      at(tensor).set(data);
      return tensor;
    },
    read: (tensor: tf.TensorInfo): Float32Array => at(tensor).slice(),
    pages: (): number => memory.buffer.byteLength / 65536,
  };
}

/** Activations in training, with numbers for those parameters that are numbers; only their gradients need tensors. */
export const fixedParameters: Adapter = {
  value: (activation, inputs, parameters) =>
    tf.tidy(() => {
      const { f, tensors } = fixedCall(activation, inputs, parameters);
      return tf.valueAndGrads(f)(tensors).value.dataSync<"float32">();
    }),
  gradients: async (activation, inputs, dy, parameters) => {
    const all = await adapter.gradients(activation, inputs, dy, parameters);
    const own = tf.tidy(() => {
      const { f, tensors, names } = fixedCall(activation, inputs, parameters);
      const gradients = tf.grads(f)(tensors, tf.tensor(dy, f(...tensors).shape));
      return names.map((name, i) => [name, (gradients[i] as tf.Tensor).dataSync<"float32">()]);
    });
    return { ...all, ...Object.fromEntries(own) };
  },
};

function fixedCall(
  activation: Activation,
  inputs: Parameters<Adapter["value"]>[1],
  parameters: Readonly<Record<string, ParameterValue>>,
) {
  const lengths = Object.values(parameters).map((value) => (typeof value === "number" ? 1 : value.length));
  const channels = Math.max(1, ...lengths);
  const values = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value === "number" ? value : tf.tensor(value),
    ]),
  );
  if ("packed" in inputs) {
    const f = (...[packed]: tf.Tensor[]) =>
      activatePacked(activation as Activation<"gated">, packed as tf.Tensor, inputs, values);
    return { f, tensors: [tf.tensor(inputs.packed, [...inputs.shape])], names: ["packed"] };
  }
  const arrays = activation.inputs.map((name) => inputs.arrays[name] as Float32Array);
  const tensors = arrays.map((data) => tf.tensor(data, [data.length / channels, channels]));
  const f = (...given: tf.Tensor[]) => {
    const named = Object.fromEntries(activation.inputs.map((name, i) => [name, given[i]]));
    return activate(activation, named as never, values);
  };
  return { f, tensors, names: activation.inputs };
}

/** A block's tensors, x aside, and the attributes of its kernels. */
function blockCall({ activation, weights, parameters, gated, layout, ...size }: Block) {
  const form = gated ? gatedFormOf(activation, weights) : forms.ungated;
  const shapes = weightShapes(form, size.dModel, size.dFf);
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, data] of Object.entries(weights))
    tensors[name] = tf.tensor(data, [...(shapes[name] ?? [])]);
  for (const [name, value] of Object.entries(parameters)) tensors[`parameter.${name}`] = tf.tensor(value);
  const attributes = {
    activation: JSON.stringify(activationToJson(activation)),
    parameters: {},
    ...(layout ? { layout } : {}),
  };
  return { tensors, attributes };
}

/** `SwigluFfn` and its backward, called as kernels. */
export const blockKernels: BlockAdapter = {
  value: (block, x, rows) =>
    tf.tidy(() => {
      const { tensors, attributes } = blockCall(block);
      const inputs = { x: tf.tensor(x, [rows, block.dModel]), ...tensors };
      const inference = { ...attributes, training: false };
      const [y] = tf.engine().runKernel<tf.Tensor[]>("SwigluFfn", inputs, inference);
      return (y as tf.Tensor).dataSync<"float32">();
    }),
  gradients: (block, x, rows, dY) =>
    tf.tidy(() => {
      const { tensors, attributes } = blockCall(block);
      const inputs = { x: tf.tensor(x, [rows, block.dModel]), ...tensors };
      const training = { ...attributes, training: true };
      const [, ...residuals] = tf.engine().runKernel<tf.Tensor[]>("SwigluFfn", inputs, training);
      const kept = Object.fromEntries(residuals.map((tensor, i) => [`residual.${i}`, tensor]));
      const given = { ...inputs, dy: tf.tensor(dY, [rows, block.dModel]), ...kept };
      const gradients = tf.engine().runKernel<tf.Tensor[]>("SwigluFfnBackward", given, training);
      const named = Object.keys(inputs).map((name, i): [string, ParameterValue] => {
        const data = (gradients[i] as tf.Tensor).dataSync<"float32">();
        const parameter = name.replace("parameter.", "");
        return [parameter, typeof block.parameters[parameter] === "number" ? (data[0] as number) : data];
      });
      return Object.fromEntries(named);
    }),
};
