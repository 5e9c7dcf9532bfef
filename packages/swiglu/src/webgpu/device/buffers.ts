// Memory of the GPU: buffers for tensors, and a pool of buffers for calls, since new ones take time to make.
import type { CheckedDevice } from "./checked.js";
import type { Storage } from "./options.js";

/** A place: a piece of a buffer, in bytes, as bindings take it. */
export interface Place {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** A buffer, and a promise that fails if the device could not make it. A call waits for the promise before it returns. */
export interface Memory {
  readonly buffer: GPUBuffer;
  readonly checked: Promise<void>;
}

/** What buffers are for. Kernels read and write `work`; the host reads `staging`. The numbers are those of GPUBufferUsage. */
const usages = { work: 128 + 64 + 8 + 4, staging: 8 + 1 };
export type Use = keyof typeof usages;

/** The bytes that the pool keeps although nobody uses them. */
const keptBytes = 2 ** 28;

export class Buffers {
  private readonly idle = new Map<string, Memory[]>();
  private readonly all = new Set<Memory>();
  private idleBytes = 0;

  constructor(private readonly gpu: CheckedDevice) {}

  /** Takes memory of at least `bytes` from the pool. Its contents are undefined. Errors as for `make`. */
  take(bytes: number, what: string, use: Use = "work"): Memory {
    const size = Math.max(bytes, Math.min(sizeClass(bytes), this.limit));
    const known = this.idle.get(`${use} ${wholeQuads(size)}`)?.pop();
    if (known === undefined) return this.make(size, what, use);
    this.idleBytes -= known.buffer.size;
    return known;
  }

  /** Gives memory back to the pool. Work that is submitted already may still use it. */
  give(memory: Memory, use: Use = "work"): void {
    if (!this.all.has(memory)) return;
    const { size } = memory.buffer;
    if (this.idleBytes + size > keptBytes) {
      this.destroy(memory);
      return;
    }
    const key = `${use} ${size}`;
    const same = this.idle.get(key);
    if (same === undefined) this.idle.set(key, [memory]);
    else same.push(memory);
    this.idleBytes += size;
  }

  /** Makes a buffer of `bytes`, rounded up to 16. Throws a RangeError, which names `what`, beyond the limits of the device. */
  make(bytes: number, what: string, use: Use = "work"): Memory {
    const size = wholeQuads(bytes);
    if (size > this.limit)
      throw new RangeError(
        `${what} needs ${mebibytes(size)}, but this device takes at most ${mebibytes(this.limit)} at once: pass less, or a device with larger limits (maxBufferSize, maxStorageBufferBindingSize)`,
      );
    const usage = usages[use];
    const { made, checked } = this.gpu.check((device) => device.createBuffer({ size, usage }));
    const memory = { buffer: made, checked };
    this.all.add(memory);
    return memory;
  }

  destroy(memory: Memory): void {
    this.all.delete(memory);
    memory.buffer.destroy();
  }

  dispose(): void {
    for (const { buffer } of this.all) buffer.destroy();
    this.all.clear();
    this.idle.clear();
  }

  /** The most bytes that one buffer can hold and one binding can see. */
  get limit(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.gpu.device.limits;
    return Math.min(maxBufferSize, maxStorageBufferBindingSize);
  }
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString("en")} MiB`;

/** The bytes of one stored number. */
export const bytesOf = (storage: Storage): 2 | 4 => (storage === "f16" ? 2 : 4);

/** `bytes`, rounded up to whole quads: vectors of four numbers in f32. */
export const wholeQuads = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

/** The size of the pool's buffers for `bytes`: one of four for each power of two, so that at most a quarter is unused. */
function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}
