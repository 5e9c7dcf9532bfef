// The memory in which kernels find their tensors: the backend's own or, where that cannot be reached, copies in ours.
// A run of a kernel reads inputs and makes outputs. It frees everything else when it ends, also when it fails.
import type { KernelBackend, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs";
import type { Tensor } from "../../call/data.js";
import { sizeOf } from "../../layout.js";
import { chooseSimd, type Engine, Scratch, SingleThreadEngine } from "../../wasm/face.js";
import { heapOf, type TensorHeap } from "./heap.js";

/** How kernels reach the tensors of one backend. */
interface Workplace {
  readonly engine: Engine;
  /** The address of a tensor's numbers. */
  addressOf(tensor: TensorInfo, scratch: Scratch): number;
  /** Room for a result of that shape, and for at least `count` numbers. */
  room(shape: readonly number[], count: number, scratch: Scratch): Room;
}

/** Memory for a result: it becomes a tensor, or is given back. */
interface Room {
  readonly address: number;
  tensor(): TensorInfo;
  drop(): void;
}

/** The most bytes beyond the end of a matrix that kernels read, since they read whole vectors. */
const beyond = 64;

class OwnMemory implements Workplace {
  readonly engine: Engine;

  constructor(private readonly heap: TensorHeap) {
    this.engine = new SingleThreadEngine(chooseSimd(), heap);
  }

  addressOf(tensor: TensorInfo, scratch: Scratch): number {
    const address = this.heap.addressOf(tensor);
    const count = sizeOf(tensor.shape);
    if (address + 4 * count + beyond <= this.heap.memory.buffer.byteLength) return address;
    const copy = scratch.allocate(count);
    this.heap.f32.copyWithin(copy / 4, address / 4, address / 4 + count);
    return copy;
  }

  room(shape: readonly number[], count: number): Room {
    const { heap } = this;
    const address = heap.allocateTensor(count);
    return { address, tensor: () => heap.tensor(address, shape), drop: () => heap.drop(address) };
  }
}

class Copies implements Workplace {
  readonly engine = new SingleThreadEngine(chooseSimd());

  constructor(private readonly backend: KernelBackend) {}

  addressOf({ dataId }: TensorInfo, scratch: Scratch): number {
    return scratch.allocate(this.backend.readSync(dataId) as Float32Array);
  }

  room(shape: readonly number[], count: number, scratch: Scratch): Room {
    const { backend, engine } = this;
    const address = scratch.allocate(count);
    const tensor = (): TensorInfo => {
      const values = engine.heap.at(address, sizeOf(shape)).slice();
      return { dataId: backend.write(values, [...shape], "float32"), shape: [...shape], dtype: "float32" };
    };
    return { address, tensor, drop: () => {} };
  }
}

const workplaces = new WeakMap<object, Workplace>();

/** The workplace of a backend: its own memory if that can be reached, otherwise copies, with one warning. */
export function workplaceOf(backend: object): Workplace {
  const known = workplaces.get(backend);
  if (known !== undefined) return known;
  const heap = heapOf(backend);
  if (heap === undefined)
    console.warn(
      "swiglu: the memory of this TensorFlow.js wasm backend cannot be reached, so fused kernels copy their tensors in and out.",
    );
  const workplace = heap ? new OwnMemory(heap) : new Copies(backend as KernelBackend);
  workplaces.set(backend, workplace);
  return workplace;
}

/** A tensor without data, for the checks that all backends share. Kernels read by addresses, never through it. */
export const tensorOf = (shape: readonly number[]): Tensor => ({
  shape,
  length: sizeOf(shape),
  read: () => Promise.reject(new Error("this tensor is only a shape")),
  dispose: () => {},
});

/** One run of a kernel: its tensors in memory. */
export class Run {
  private readonly rooms: Room[] = [];
  private readonly addresses = new Map<string, number>();

  constructor(
    private readonly workplace: Workplace,
    readonly inputs: NamedTensorInfoMap,
    readonly scratch: Scratch,
  ) {}

  get engine(): Engine {
    return this.workplace.engine;
  }

  shape(name: string): number[] {
    return this.input(name).shape;
  }

  /** The address of an input's numbers. */
  address(name: string): number {
    const known = this.addresses.get(name) ?? this.workplace.addressOf(this.input(name), this.scratch);
    this.addresses.set(name, known);
    return known;
  }

  /** An input's numbers. Do not keep the array: the next allocation may move the memory. */
  numbers(name: string): Float32Array {
    const address = this.address(name);
    return this.engine.heap.at(address, sizeOf(this.shape(name)));
  }

  /** An input as the checks that all backends share see it. */
  data(name: string): Tensor {
    return tensorOf(this.shape(name));
  }

  /** The address of the next result, of that shape, with room for `count` numbers. */
  output(shape: readonly number[], count = sizeOf(shape)): number {
    const room = this.workplace.room(shape, count, this.scratch);
    this.rooms.push(room);
    return room.address;
  }

  /** The next result from numbers. */
  outputOf(shape: readonly number[], numbers: ArrayLike<number>): void {
    const address = this.output(shape);
    this.engine.heap.at(address, numbers.length).set(numbers);
  }

  results(): TensorInfo[] {
    return this.rooms.splice(0).map((room) => room.tensor());
  }

  /** Frees all outputs. */
  drop(): void {
    for (const room of this.rooms) room.drop();
  }

  private input(name: string): TensorInfo {
    const tensor = this.inputs[name];
    if (tensor === undefined) throw new TypeError(`the input ${name} is missing`);
    return tensor;
  }
}

/** Runs a kernel on a backend's tensors and returns its results in the order of their outputs. */
export function runOn(backend: object, inputs: NamedTensorInfoMap, work: (run: Run) => void): TensorInfo[] {
  const workplace = workplaceOf(backend);
  const scratch = new Scratch(workplace.engine);
  const run = new Run(workplace, inputs, scratch);
  try {
    work(run);
    return run.results();
  } catch (error) {
    run.drop();
    throw error;
  } finally {
    scratch.release();
  }
}
