// The memory that kernels work on: one WebAssembly memory, grown as needed, with a first-fit allocator.
// Addresses are multiples of 64 bytes (a cache line); sizes are in float32 elements.
import { isShared } from "../../call/arrays.js";
import type { MemoryType } from "../assembler/module.js";

const pageBytes = 65536;
/** 4 GiB, all that 32-bit addresses reach. */
const allPages = 65536;
/**
 * What memory may grow to, the most first. Engines set the addresses aside at once, above all for memory that threads share,
 * and where addresses are few (phones) they refuse.
 */
const maxima = [allPages, allPages / 2, allPages / 4, allPages / 8, allPages / 16];
const line = 64;

/** A stretch of the heap. */
interface Stretch {
  readonly address: number;
  readonly bytes: number;
}

/** Memory with an allocator: a backend's own, or one that belongs to another runtime. */
export interface KernelHeap {
  readonly memory: WebAssembly.Memory;
  /** The type that modules import this memory as. */
  readonly type: MemoryType;
  /** The whole memory as numbers. Do not keep it: it goes stale when the memory grows. */
  readonly f32: Float32Array;
  /** The numbers at an address. Do not keep them, as with `f32`. */
  at(address: number, count: number): Float32Array;
  /** Reserves room for `count` numbers and returns its address. Throws a RangeError when there is no more. */
  allocate(count: number): number;
  /** Gives an allocation back. */
  release(address: number): void;
  /** How many bytes are allocated: for tests and for measuring. */
  readonly bytesInUse: number;
}

/** An engine refuses memory even where it may not grow far. */
export class MemoryRefused extends Error {}

/** Memory that may grow as far as the engine allows, and how far that is, in pages. Throws MemoryRefused. */
function makeMemory(shared: boolean, initial: number): { memory: WebAssembly.Memory; maximum: number } {
  let reason: unknown;
  for (const maximum of maxima)
    try {
      const memory = new WebAssembly.Memory({ initial, maximum, shared });
      // Engines without threads pass over the option.
      if (shared && !isShared(memory.buffer)) throw new TypeError("the option is not known");
      return { memory, maximum };
    } catch (error) {
      reason = error;
    }
  throw new MemoryRefused(
    `this engine gives no WebAssembly memory${shared ? " that threads share" : ""}, not even one that may grow to 256 MiB (${reason instanceof Error ? reason.message : String(reason)})${shared ? "" : ": use reference(), or free memory"}`,
  );
}

export class Heap implements KernelHeap {
  readonly memory: WebAssembly.Memory;
  /** How far the memory may grow, in pages. */
  readonly maximum: number;
  private readonly taken = new Map<number, number>();
  private free: Stretch[] = [];
  private end: number;
  private view: Float32Array;

  /** `reserved` bytes at address 0 are never given out. */
  constructor(
    readonly shared: boolean,
    reserved = line,
  ) {
    this.end = Math.ceil(reserved / line) * line;
    const initial = Math.ceil(this.end / pageBytes);
    ({ memory: this.memory, maximum: this.maximum } = makeMemory(shared, initial));
    this.view = new Float32Array(this.memory.buffer);
  }

  get type(): MemoryType {
    // The same for every maximum: memory that may grow less far fits.
    return { shared: this.shared, initial: 1, maximum: allPages };
  }

  get f32(): Float32Array {
    if (this.view.buffer !== this.memory.buffer || this.view.byteLength !== this.memory.buffer.byteLength)
      this.view = new Float32Array(this.memory.buffer);
    return this.view;
  }

  at(address: number, count: number): Float32Array {
    return this.f32.subarray(address / 4, address / 4 + count);
  }

  allocate(count: number): number {
    const bytes = Math.max(line, Math.ceil((count * 4) / line) * line);
    const found = this.free.findIndex((stretch) => stretch.bytes >= bytes);
    const stretch = this.free[found];
    if (stretch === undefined) return this.append(bytes);
    const rest = { address: stretch.address + bytes, bytes: stretch.bytes - bytes };
    this.free.splice(found, 1, ...(rest.bytes > 0 ? [rest] : []));
    this.taken.set(stretch.address, bytes);
    return stretch.address;
  }

  private append(bytes: number): number {
    const last = this.free.at(-1);
    const address = last !== undefined && last.address + last.bytes === this.end ? last.address : this.end;
    const missing = address + bytes - this.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        if (address + bytes > this.maximum * pageBytes) throw new RangeError("beyond its maximum");
        this.memory.grow(Math.ceil(missing / pageBytes));
      } catch {
        throw new RangeError(
          `${Math.round(bytes / 2 ** 20)} MiB more than the ${Math.round(this.end / 2 ** 20)} MiB in use do not fit: WebAssembly memory ends at ${this.maximum < 16384 ? `${this.maximum / 16} MiB` : `${this.maximum / 16384} GiB`} here, or this machine has less; dispose what is no longer needed`,
        );
      }
    }
    if (address !== this.end) this.free.pop();
    this.end = address + bytes;
    this.taken.set(address, bytes);
    return address;
  }

  release(address: number): void {
    const bytes = this.taken.get(address);
    if (bytes === undefined) throw new Error(`address ${address} is not allocated`);
    this.taken.delete(address);
    this.free.push({ address, bytes });
    this.free.sort((a, b) => a.address - b.address);
    this.free = this.free.reduce<Stretch[]>((merged, next) => {
      const last = merged.at(-1);
      if (last !== undefined && last.address + last.bytes === next.address)
        merged[merged.length - 1] = { address: last.address, bytes: last.bytes + next.bytes };
      else merged.push(next);
      return merged;
    }, []);
  }

  get bytesInUse(): number {
    return [...this.taken.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}
