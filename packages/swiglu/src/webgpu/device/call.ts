// One call of the backend: what it uploads, the kernels that it runs one after the other, and what it reads back to the host.
// Its scratch memory is taken from the pool, and given back when the call ends.
import { inPlainMemory } from "../../call/arrays.js";
import { bytesOf, type Memory, type Place, wholeQuads } from "./buffers.js";
import { convert } from "./convert.js";
import type { Gpu } from "./device.js";
import type { Storage } from "./options.js";
import type { Kernel, Recorder } from "./pipelines.js";
import { type Bindings, type Places, placesInOrder, type Words, wordsInOrder } from "./signature.js";

/** The bytes from one uniform block to the next. Every device can bind at multiples of this. */
const uniformStep = 256;
/** How many uniform blocks share a buffer. */
const uniformsTogether = 32;
/** GPUMapMode.READ */
const mapForReading = 1;

/** Numbers to read back, and the array that they go to. */
export interface Read {
  readonly place: Place;
  readonly into: Float32Array;
  /** How they are stored. By default as tensors are. */
  readonly as?: Storage;
}

export class Call implements Recorder {
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private readonly taken: Memory[] = [];
  private readonly checks = new Set<Promise<void>>();
  private uniforms: { memory: Memory; words: Uint32Array<ArrayBuffer>; used: number } | undefined;

  constructor(readonly gpu: Gpu) {
    gpu.alive();
  }

  /**
   * Runs a call, then gives its scratch memory back. What `use` records before its first `await` is submitted before this function
   * returns, so that calls take effect in the order in which they are made. An error because of a lost device says so.
   */
  static async run<T>(gpu: Gpu, use: (call: Call) => T | Promise<T>): Promise<T> {
    const call = new Call(gpu);
    try {
      const { made, checked } = gpu.check(() => {
        const result = use(call);
        call.submit();
        return result;
      });
      call.checks.add(checked);
      const result = await made;
      await call.end();
      gpu.alive();
      return result;
    } catch (error) {
      throw await gpu.reason(error);
    } finally {
      for (const memory of call.taken) gpu.buffers.give(memory);
    }
  }

  /** Takes scratch memory for `count` numbers. Its contents are undefined. */
  room(count: number, as: Storage = this.gpu.storage): Place {
    const bytes = bytesOf(as) * count;
    const memory = this.gpu.buffers.take(bytes, "this call");
    this.taken.push(memory);
    this.checks.add(memory.checked);
    return { buffer: memory.buffer, offset: 0, size: wholeQuads(bytes) };
  }

  /** Uploads numbers to scratch memory. */
  upload(data: Float32Array, as: Storage = this.gpu.storage): Place {
    const place = this.room(data.length, as);
    this.write(data, place, as);
    return place;
  }

  /**
   * Uploads numbers to the start of a place. In f32 they are there before any recorded kernel of this call runs, so do not write to
   * a place that a recorded kernel uses.
   */
  write(data: Float32Array, to: Place, as: Storage = this.gpu.storage): void {
    if (as === "f32") {
      const { buffer, byteOffset, byteLength } = inPlainMemory(data);
      this.gpu.device.queue.writeBuffer(to.buffer, to.offset, buffer, byteOffset, byteLength);
    } else {
      const uploaded = this.upload(data, "f32");
      convert(this, { place: uploaded, as: "f32" }, { place: to, as }, data.length);
    }
  }

  /** Makes the call fail if `checked` does. */
  require(checked: Promise<void>): void {
    this.checks.add(checked);
  }

  /** Records a kernel, which runs after those before it: with a place for each storage binding, and its uniform numbers. */
  run<B extends Bindings, W extends string>(
    kernel: Kernel<B, W>,
    places: Places<B>,
    words: Words<W>,
    groups: readonly number[],
  ): void {
    const { pipeline, checked } = this.gpu.pipelines.get(kernel);
    this.checks.add(checked);
    const { bindings, uniform } = kernel.takes;
    const resources = [...placesInOrder(bindings, places), this.uniformBlock(wordsInOrder(uniform, words))];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    this.pass ??= this.commands.beginComputePass();
    this.pass.setPipeline(pipeline);
    this.pass.setBindGroup(
      0,
      this.gpu.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    );
    const [x = 1, y = 1, z = 1] = groups;
    this.pass.dispatchWorkgroups(x, y, z);
  }

  /** Copies bytes, a multiple of 4, from the start of one place to that of another. */
  copy(from: Place, to: Place, bytes: number): void {
    this.endPass();
    this.commands.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
  }

  /** Submits what was recorded, waits, and reads numbers back to arrays. */
  async read(reads: readonly Read[]): Promise<void> {
    const { buffers } = this.gpu;
    let total = 0;
    const parts = reads
      .filter(({ into }) => into.length > 0)
      .map(({ place, into, as = this.gpu.storage }) => {
        const offset = total;
        total += wholeQuads(into.byteLength);
        return { from: this.asFloat32(place, as, into.length), into, offset };
      });
    if (total === 0) return;
    const staging = buffers.take(total, "what is read back", "staging");
    this.checks.add(staging.checked);
    try {
      for (const { from, into, offset } of parts)
        this.copy(from, { ...staging, offset, size: into.byteLength }, into.byteLength);
      this.submit();
      const mapping = staging.buffer.mapAsync(mapForReading, 0, total);
      mapping.catch(() => undefined); // An error of `end`, which says what the device refused, is reported first.
      await this.end();
      await mapping;
      const mapped = staging.buffer.getMappedRange(0, total);
      for (const { into, offset } of parts) into.set(new Float32Array(mapped, offset, into.length));
      staging.buffer.unmap();
    } catch (error) {
      buffers.destroy(staging);
      throw error;
    }
    buffers.give(staging, "staging");
  }

  private asFloat32(place: Place, as: Storage, count: number): Place {
    if (as === "f32") return place;
    const converted = this.room(count, "f32");
    convert(this, { place, as }, { place: converted, as: "f32" }, count);
    return converted;
  }

  /** Submits what was recorded, and waits. Fails if the device refused any of it. */
  async end(): Promise<void> {
    this.submit();
    const checks = [...this.checks];
    this.checks.clear();
    await Promise.all(checks);
  }

  private submit(): void {
    if (this.encoder === undefined) return;
    this.endPass();
    const { device } = this.gpu;
    if (this.uniforms) this.writeUniforms();
    device.queue.submit([this.encoder.finish()]);
    this.encoder = undefined;
  }

  private get commands(): GPUCommandEncoder {
    this.encoder ??= this.gpu.device.createCommandEncoder();
    return this.encoder;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  private uniformBlock(words: readonly number[]): Place {
    if (this.uniforms?.used === uniformsTogether) this.writeUniforms();
    if (this.uniforms === undefined) {
      const bytes = uniformStep * uniformsTogether;
      const memory = this.gpu.buffers.take(bytes, "uniforms");
      this.taken.push(memory);
      this.checks.add(memory.checked);
      this.uniforms = { memory, words: new Uint32Array(bytes / 4), used: 0 };
    }
    const { memory, words: all, used } = this.uniforms;
    all.set(words, (used * uniformStep) / 4);
    this.uniforms.used++;
    return { buffer: memory.buffer, offset: used * uniformStep, size: wholeQuads(4 * words.length) };
  }

  /** Uploads the uniform blocks so far. Kernels that use them are submitted later. */
  private writeUniforms(): void {
    if (this.uniforms === undefined) return;
    const { memory, words } = this.uniforms;
    this.gpu.device.queue.writeBuffer(memory.buffer, 0, words);
    this.uniforms = undefined;
  }
}
