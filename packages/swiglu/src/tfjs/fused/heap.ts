// The memory of TensorFlow.js's wasm backend as the heap of our kernels, which then compute on its tensors without copies.
// The parts of the backend that are used here are no public interface, so each is looked for before it is used.
import type { DataId, DataType, TensorInfo } from "@tensorflow/tfjs";
import { isShared, typedArrayName } from "../../call/arrays.js";
import { instantiate, type KernelHeap, type MemoryType, ModuleBuilder } from "../../wasm/face.js";

/** The compiled module behind the backend, as far as it is used here. */
interface WasmModule {
  /** Returns 0 where there is no room. Addresses from 2 GiB on are negative numbers. */
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly HEAPU8: Uint8Array;
}

/** The parts of the backend that are used here. */
interface WasmBackend {
  readonly wasm: WasmModule;
  readonly dataIdMap: { get(id: DataId): { readonly memoryOffset: number } };
  /** A tensor over memory that was allocated with `_malloc`, which is freed with the tensor. */
  makeOutput(shape: readonly number[], type: DataType, memoryOffset: number): TensorInfo;
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields =>
  (typeof value === "object" && value !== null) || typeof value === "function" ? (value as Fields) : {};

function isWasmBackend(backend: object): backend is WasmBackend {
  const { wasm, dataIdMap, makeOutput } = backend as Fields;
  const { _malloc, _free, HEAPU8 } = fieldsOf(wasm);
  return (
    [_malloc, _free, makeOutput, fieldsOf(dataIdMap).get].every((value) => typeof value === "function") &&
    typedArrayName(HEAPU8) === "Uint8Array"
  );
}

const isMemory = (value: unknown): value is WebAssembly.Memory =>
  Object.prototype.toString.call(value) === "[object WebAssembly.Memory]";

/** The memory of the backend's module: the module exports it or, where several threads share it, was given it. */
function memoryOf({ wasm }: WasmBackend): WebAssembly.Memory | undefined {
  const { wasmMemory, asm } = fieldsOf(wasm);
  const memory = wasmMemory ?? fieldsOf(asm).memory;
  if (!isMemory(memory)) return undefined;
  // Views of shared memory that grew still work, so the backend may hold one of another buffer.
  return isShared(memory.buffer) || memory.buffer === wasm.HEAPU8.buffer ? memory : undefined;
}

/** The heap of a backend whose memory can be reached, else undefined. */
export function heapOf(backend: object): TensorHeap | undefined {
  if (!isWasmBackend(backend)) return undefined;
  const memory = memoryOf(backend);
  if (memory === undefined) return undefined;
  const heap = new TensorHeap(backend, memory);
  try {
    instantiate(new ModuleBuilder(heap.type).encode(), memory);
  } catch {
    return undefined;
  }
  return heap;
}

const line = 64;

export class TensorHeap implements KernelHeap {
  readonly type: MemoryType;
  /** For each address: the block that the backend's allocator returned, and the number of bytes asked for. */
  private readonly taken = new Map<number, { readonly block: number; readonly bytes: number }>();
  private view: Float32Array;

  constructor(
    private readonly backend: WasmBackend,
    readonly memory: WebAssembly.Memory,
  ) {
    this.type = { shared: isShared(memory.buffer), initial: 1, maximum: 65536 };
    this.view = new Float32Array(memory.buffer);
  }

  get f32(): Float32Array {
    const { buffer } = this.memory;
    if (this.view.buffer !== buffer || this.view.byteLength !== buffer.byteLength)
      this.view = new Float32Array(buffer);
    return this.view;
  }

  at(address: number, count: number): Float32Array {
    return this.f32.subarray(address / 4, address / 4 + count);
  }

  allocate(count: number): number {
    const bytes = 4 * count + line;
    const block = this.block(bytes);
    const address = Math.ceil(block / line) * line;
    this.taken.set(address, { block, bytes });
    return address;
  }

  release(address: number): void {
    const found = this.taken.get(address);
    if (found === undefined) throw new Error(`address ${address} is not allocated`);
    this.taken.delete(address);
    this.backend.wasm._free(found.block);
  }

  get bytesInUse(): number {
    return [...this.taken.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The address of a tensor's numbers. It stays valid when the memory grows. */
  addressOf({ dataId }: TensorInfo): number {
    return this.backend.dataIdMap.get(dataId).memoryOffset;
  }

  /** Room for a tensor of `count` numbers. Either `tensor` makes a tensor of it, or `drop` gives it back. */
  allocateTensor(count: number): number {
    return this.block(4 * count);
  }

  tensor(block: number, shape: readonly number[]): TensorInfo {
    return this.backend.makeOutput([...shape], "float32", block);
  }

  drop(block: number): void {
    this.backend.wasm._free(block);
  }

  private block(bytes: number): number {
    const block = this.backend.wasm._malloc(Math.max(8, bytes)) >>> 0;
    if (block === 0)
      throw new RangeError(
        `${Math.ceil(bytes / 2 ** 20)} MiB more do not fit into the memory of TensorFlow.js, which ends at 4 GiB: dispose tensors that are no longer needed`,
      );
    return block;
  }
}
