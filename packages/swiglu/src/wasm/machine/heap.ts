// The memory that kernels work on: one WebAssembly memory, grown as needed, with a first-fit allocator.
// Addresses are multiples of 64 bytes (a cache line); sizes are in float32 elements.
import { isShared } from "../../call/arrays.js";
import type { MemoryType } from "../assembler/module.js";

const pageBytes = 65536;
/** 4 GiB, all that 32-bit addresses reach. */
const allPages = 65536;
/**
 * The sizes that memory may be allowed to grow to, in pages, the largest first. Engines reserve the addresses at once, above all
 * for memory that threads share, and refuse where they have few (on phones).
 */
const maxima = [allPages, allPages / 2, allPages / 4, allPages / 8, allPages / 16];
const line = 64;

/** A range of the heap. */
interface Range {
  readonly address: number;
  readonly bytes: number;
}

/** Memory with an allocator: that of this backend, or that of another runtime (TensorFlow.js). */
export interface KernelHeap {
  readonly memory: WebAssembly.Memory;
  /** The type that modules import this memory as. */
  readonly type: MemoryType;
  /** The whole memory as numbers. Do not keep the array: it is invalid once the memory has grown. */
  readonly f32: Float32Array;
  /** The numbers at an address. Do not keep the array, as with `f32`. */
  at(address: number, count: number): Float32Array;
  /** Reserves room for `count` numbers and returns its address. Throws a RangeError when there is no more. */
  allocate(count: number): number;
  /** Frees an allocation. */
  release(address: number): void;
  /** How many bytes are allocated, for tests and measurements. */
  readonly bytesInUse: number;
}

/** The engine refused memory of every size in `maxima`. */
export class MemoryRefusedError extends Error {}

/** Makes memory that may grow as far as the engine allows, and says how far, in pages. Throws MemoryRefusedError. */
function makeMemory(shared: boolean, initial: number): { memory: WebAssembly.Memory; maximum: number } {
  let reason: unknown;
  for (const maximum of maxima)
    try {
      const memory = new WebAssembly.Memory({ initial, maximum, shared });
      // Engines without threads ignore the option.
      if (shared && !isShared(memory.buffer)) throw new TypeError("the option is not known");
      return { memory, maximum };
    } catch (error) {
      reason = error;
    }
  throw new MemoryRefusedError(
    `this engine gives no WebAssembly memory${shared ? " that threads share" : ""}, not even one that may grow to 256 MiB (${reason instanceof Error ? reason.message : String(reason)})${shared ? "" : ": use reference(), or free memory"}`,
  );
}

export class Heap implements KernelHeap {
  readonly memory: WebAssembly.Memory;
  /** How far the memory may grow, in pages. */
  readonly maximum: number;
  private readonly taken = new Map<number, number>();
  private free: Range[] = [];
  private end: number;
  private view: Float32Array;

  /** The first `reserved` bytes are never allocated. */
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
    // Modules may be used with any heap: memory with a smaller maximum fits this type.
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
    const found = this.free.findIndex((range) => range.bytes >= bytes);
    const range = this.free[found];
    if (range === undefined) return this.append(bytes);
    const rest = { address: range.address + bytes, bytes: range.bytes - bytes };
    this.free.splice(found, 1, ...(rest.bytes > 0 ? [rest] : []));
    this.taken.set(range.address, bytes);
    return range.address;
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
    this.free = this.free.reduce<Range[]>((merged, next) => {
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
