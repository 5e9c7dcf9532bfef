// Tensors that stay in the GPU's memory between calls: the backend's own, or the caller's buffers, which are used in place.
import { isFloat32Array } from "../../call/arrays.js";
import { listing } from "../../errors.js";
import { sizeOf } from "../../layout.js";
import { bytesOf, type Memory, type Place, wholeQuads } from "./buffers.js";
import { Call } from "./call.js";
import type { Gpu } from "./device.js";
import type { WebgpuTensor } from "./options.js";

/** What the caller's own buffers must have been made for, as GPUBufferUsage numbers it. */
const neededUsages = { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8 };

export class GpuTensor implements WebgpuTensor {
  readonly length: number;
  private readonly memory: Memory | undefined;
  private readonly held: GPUBuffer;
  private readonly written: Promise<void> | undefined;
  private disposed = false;

  /** A tensor of numbers, which are uploaded, or on a buffer of the caller's, which stays the caller's. */
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
    written.catch(() => undefined); // Calls that use the tensor report it.
    this.written = written;
  }

  get buffer(): GPUBuffer {
    this.alive();
    return this.held;
  }

  /** Where it is; `call` fails where its memory could not be had. */
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

  /** Whole vectors of four: what is behind the last number may be written too. */
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
