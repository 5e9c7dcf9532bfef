// Tensors, which stay in the GPU's memory between calls: in buffers of the backend, or in the caller's own buffers.
import { isFloat32Array } from "../../call/arrays.js";
import { listing } from "../../errors.js";
import { sizeOf } from "../../layout.js";
import { bytesOf, type Memory, type Place, wholeQuads } from "./buffers.js";
import { Call } from "./call.js";
import type { Gpu } from "./device.js";
import type { WebgpuTensor } from "./options.js";

/** The usages that a buffer of the caller's must have, with the numbers of GPUBufferUsage. */
const neededUsages = { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8 };

export class GpuTensor implements WebgpuTensor {
  readonly length: number;
  private readonly memory: Memory | undefined;
  private readonly held: GPUBuffer;
  private readonly written: Promise<void> | undefined;
  private disposed = false;

  /** Uploads numbers, or uses a buffer of the caller's, which remains the caller's. */
  constructor(
    private readonly gpu: Gpu,
    data: Float32Array | GPUBuffer,
    readonly shape: readonly number[],
  ) {
    this.length = sizeOf(shape);
    if (!isFloat32Array(data)) {
      this.held = checkBuffer(data, this.bytes, shape);
      return;
    }
    this.memory = gpu.buffers.make(this.bytes, "this tensor");
    this.held = this.memory.buffer;
    const written = Call.run(gpu, (call) => call.write(data, this.placeIn(call)));
    written.catch(() => undefined); // The calls that use the tensor report the error.
    this.written = written;
  }

  get buffer(): GPUBuffer {
    this.alive();
    return this.held;
  }

  /** The place of the tensor. `call` will fail if its memory could not be made. */
  placeIn(call: Call): Place {
    this.alive();
    if (this.memory) call.require(this.memory.checked);
    if (this.written) call.require(this.written);
    return this.place;
  }

  async read(): Promise<Float32Array> {
    this.alive();
    return Call.run(this.gpu, async (call) => {
      const into = new Float32Array(this.length);
      await call.read([{ place: this.placeIn(call), into }]);
      return into;
    });
  }

  dispose(): void {
    if (this.memory && !this.disposed) this.gpu.buffers.destroy(this.memory);
    this.disposed = true;
  }

  private get bytes(): number {
    return bytesOf(this.gpu.storage) * this.length;
  }

  /** The place ends at a whole quad, so kernels may write a little beyond the last number. */
  private get place(): Place {
    return { buffer: this.held, offset: 0, size: wholeQuads(this.bytes) };
  }

  private alive(): void {
    if (this.disposed) throw new Error("this tensor is disposed: make a new one");
  }
}

/** Checks that the caller's buffer can hold a tensor. Throws a TypeError or RangeError that says what is missing. */
function checkBuffer(buffer: unknown, bytes: number, shape: readonly number[]): GPUBuffer {
  if (typeof buffer !== "object" || buffer === null || !("mapState" in buffer))
    throw new TypeError(`data is ${String(buffer)}, expected a Float32Array or a GPUBuffer`);
  const given = buffer as GPUBuffer;
  const missing = Object.entries(neededUsages).filter(([, bit]) => (given.usage & bit) === 0);
  if (missing.length > 0)
    throw new TypeError(
      `data is a GPUBuffer without ${listing(missing.map(([name]) => name))}: make it with GPUBufferUsage ${Object.keys(neededUsages).join(" | ")}`,
    );
  const needed = wholeQuads(bytes);
  if (given.size < needed)
    throw new RangeError(
      `data is a GPUBuffer of ${given.size} bytes, expected at least ${needed}: those of shape [${shape.join(", ")}], rounded up to 16`,
    );
  return given;
}
