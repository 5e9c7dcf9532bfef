// A model loaded into a runtime, whichever runtime it is: how its session is set, and arrays in and out.
import { isShared, typedArrayName } from "../../call/arrays.js";
import { encodeModel } from "../file/codec.js";
import type { Model } from "../model/model.js";
import type { Runtime, RuntimeData, RuntimeSession, RuntimeTensor, RuntimeType } from "./runtime.js";

/** How sessions are set. */
export interface SessionSettings {
  /** Threads inside one operation. onnxruntime-web takes its own setting, `env.wasm.numThreads`. */
  readonly threads: number;
  /** What goes into `extra.session`: how threads wait, how denormal numbers are treated. */
  readonly session: Readonly<Record<string, unknown>>;
  /** Optimisers to switch off beside the one that is off in every session. */
  readonly disabled: readonly string[];
}

/**
 * This optimiser of ONNX Runtime 1.30 turns (1 / a) * b into b / a and forgets an edge of the graph, which then refuses to
 * load.
 */
const brokenOptimizer = "DivMulFusion";

/** The options of a runtime's session. Shared with `onnx-grad`; may change between minor versions. */
export function sessionOptions({ threads, session, disabled }: SessionSettings) {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: {
      session,
      optimization: { disable_specified_optimizers: [brokenOptimizer, ...disabled].join(";") },
    },
  };
}

/** An array and its shape: what a model reads or writes. */
export interface ShapedArray {
  readonly data: RuntimeData;
  readonly dims: readonly number[];
}

/** A model that is loaded and can run. Shared with `onnx-grad`; may change between minor versions. */
export class Session {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: RuntimeSession,
    private readonly inPlace: boolean,
  ) {}

  /** Loads the bytes of a model's file, with the options of `sessionOptions`. */
  static async open(runtime: Runtime, file: Uint8Array, options: object): Promise<Session> {
    // First this session, then the probe's: the first session of a process decides how it treats denormal numbers.
    const session = await runtime.InferenceSession.create(file, options);
    return new Session(runtime, session, await writesInPlace(runtime));
  }

  /**
   * Runs the model once. Returns the outputs: the arrays given for them, which must not overlap an input, and new ones
   * where there is null. Arrays in memory that threads share, which runtimes do not take, are copied.
   */
  async run(
    inputs: Readonly<Record<string, ShapedArray>>,
    outputs: Readonly<Record<string, ShapedArray | null>>,
  ): Promise<Record<string, RuntimeData>> {
    const feeds = Object.entries(inputs).map(([name, { data, dims }]) => [
      name,
      this.tensor({ data: isShared(data.buffer) ? data.slice() : data, dims }),
    ]);
    const fetches = Object.entries(outputs).map(([name, array]) => [
      name,
      array !== null && this.inPlace && !isShared(array.data.buffer) ? this.tensor(array) : null,
    ]);
    const results = await this.session.run(Object.fromEntries(feeds), Object.fromEntries(fetches));
    const written = Object.entries(outputs).map(([name, array], i) => {
      const filled = array !== null && fetches[i]?.[1] !== null;
      return [name, filled ? array.data : received(results[name]?.data, array?.data)] as const;
    });
    return Object.fromEntries(written);
  }

  release(): Promise<void> {
    return this.session.release();
  }

  private tensor({ data, dims }: ShapedArray): RuntimeTensor {
    return new this.runtime.Tensor(typeOf(data) as RuntimeType, data, dims);
  }
}

const types: Readonly<Record<string, RuntimeType>> = {
  Float32Array: "float32",
  Float64Array: "float64",
  Int32Array: "int32",
  BigInt64Array: "int64",
  Uint8Array: "bool",
};

/** The element type of an array, of any realm; undefined for everything that is no array here. */
function typeOf(data: unknown): RuntimeType | undefined {
  const name = typedArrayName(data);
  return name === undefined ? undefined : types[name];
}

/** What the runtime returned, in the array that it is for, if there is one. */
function received(from: unknown, into: RuntimeData | undefined): RuntimeData {
  const type = typeOf(from);
  const expected = into && typeOf(into);
  if (type === undefined || (expected !== undefined && type !== expected))
    throw new Error(
      `the runtime returned ${typedArrayName(from) ?? typeof from}, expected ${typedArrayName(into) ?? "an array of numbers"}`,
    );
  if (into === undefined) return from as RuntimeData;
  (into as Float32Array).set(from as Float32Array); // arrays of one type
  return into;
}

/** Copies one number, to learn what a runtime does with the array that it is given for it. */
const probe: Model = {
  opset: 21,
  inputs: [{ name: "x", dtype: "float32", shape: [1] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1] }],
  initializers: [],
  nodes: [{ opType: "Neg", inputs: ["x"], outputs: ["y"] }],
};

const inPlaceByRuntime = new WeakMap<Runtime, Promise<boolean>>();

/** Whether a runtime fills arrays that it is given for outputs; onnxruntime-web 1.30 takes them and leaves them as they are. */
export function writesInPlace(runtime: Runtime): Promise<boolean> {
  const known = inPlaceByRuntime.get(runtime) ?? runProbe(runtime);
  inPlaceByRuntime.set(runtime, known);
  // One that fails is not kept: the next call tries again.
  known.catch(() => inPlaceByRuntime.delete(runtime));
  return known;
}

async function runProbe(runtime: Runtime): Promise<boolean> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await runtime.InferenceSession.create(encodeModel(probe), options);
  const y = new Float32Array(1);
  const tensor = (data: Float32Array): RuntimeTensor => new runtime.Tensor("float32", data, [1]);
  await session.run({ x: tensor(Float32Array.of(-3)) }, { y: tensor(y) });
  await session.release();
  return y[0] === 3;
}
