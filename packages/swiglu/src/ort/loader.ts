// What is used of ONNX Runtime: onnxruntime-node and onnxruntime-web both have it. The caller hands one in; nothing
// here imports it.
import { isFloat32Array, isShared, typedArrayName } from "../call/arrays.js";
import { chooseThreads } from "../host/threads.js";
import { encodeModel } from "../onnx/file/codec.js";
import type { Model } from "../onnx/model/model.js";

/** A value that a runtime takes and gives. */
interface OrtTensor {
  readonly data: unknown;
}
/** The arrays that values here are in. */
type OrtData = Float32Array | Float64Array | BigInt64Array;

type Values = Readonly<Record<string, OrtTensor>>;

/** The part of a runtime's session that is used. */
interface OrtSession {
  run(feeds: Values, fetches: Readonly<Record<string, OrtTensor | null>>): Promise<Values>;
  release(): Promise<void>;
}

/** The part of a runtime that is used; `import * as runtime from "onnxruntime-node"` (or `-web`) has it. */
export interface OrtRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: object): Promise<OrtSession>;
  };
  readonly Tensor: new (
    type: "float32" | "float64" | "int64",
    data: OrtData,
    dims: readonly number[],
  ) => OrtTensor;
  /** onnxruntime-web has its number of threads here. */
  readonly env: {
    readonly wasm: { readonly numThreads?: number };
    readonly versions: { readonly web?: string };
  };
}

/** An array and its shape: what a graph reads or writes. */
export interface Value {
  readonly data: OrtData;
  readonly dims: readonly number[];
}

/** A model loaded into the runtime. */
export interface Program {
  /**
   * Runs it on the inputs, and returns the outputs: the arrays given for them, which must not overlap an input, and new
   * ones where there is null.
   */
  run(
    inputs: Readonly<Record<string, Value>>,
    outputs: Readonly<Record<string, Value | null>>,
  ): Promise<Record<string, OrtData>>;
  release(): Promise<void>;
}

/** A runtime made ready: it can load models. */
export interface Loader {
  readonly threads: number;
  load(model: Model): Promise<Program>;
}

/** Copies one number, to learn what the runtime does with it. */
const probe: Model = {
  opset: 21,
  inputs: [{ name: "x", dtype: "float32", shape: [1] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1] }],
  initializers: [],
  nodes: [{ opType: "Neg", inputs: ["x"], outputs: ["y"] }],
};

/**
 * Readies a runtime to load models for a number of threads. onnxruntime-web has one number for the whole page,
 * `env.wasm.numThreads`; another one asked for here is an error.
 */
export async function loader(runtime: OrtRuntime, asked?: number): Promise<Loader> {
  checkRuntime(runtime);
  const web = runtime.env.versions.web !== undefined;
  const own = web && asked === undefined ? 1 : chooseThreads(asked);
  const options = {
    intraOpNumThreads: own,
    interOpNumThreads: 1,
    // What goes wrong is an exception; warnings tell of ways in which graphs are optimised.
    logSeverityLevel: 3,
    extra: {
      // Threads wait for work by spinning, but briefly, and only while a graph runs. On a quiet machine that is as fast as the
      // default; on one that does other work too, a step takes a third of the time.
      session: { force_spinning_stop: "1", intra_op: { spin_duration_us: "20" } },
      // Two that 1.30 is better without. The first forgets an edge when it turns (1 / a) * b into b / a, and the graph then
      // refuses to load; the second turns Transpose and MatMul into a slower product that transposes as it goes.
      optimization: { disable_specified_optimizers: "DivMulFusion;MatmulTransposeFusion" },
    },
  };
  const open = async (model: Model, inPlace: boolean): Promise<Program> => {
    const session = await runtime.InferenceSession.create(encodeModel(model), options);
    return program(runtime, session, inPlace);
  };
  const inPlace = await writesInPlace(await open(probe, true));
  // The number that onnxruntime-web has settled on shows once it has loaded something.
  const threads = web ? (runtime.env.wasm.numThreads ?? 1) : own;
  if (asked !== undefined && threads !== asked)
    throw new Error(
      `threads is ${asked}, but this onnxruntime-web computes with ${threads}: set env.wasm.numThreads of the runtime before its first session (a page must be cross-origin isolated for more than one), or leave threads out`,
    );
  return { threads, load: (model) => open(model, inPlace) };
}

function checkRuntime(runtime: unknown): asserts runtime is OrtRuntime {
  const given = runtime as Partial<OrtRuntime> | null | undefined;
  if (
    typeof given?.InferenceSession?.create !== "function" ||
    typeof given.Tensor !== "function" ||
    typeof given.env?.versions !== "object"
  )
    throw new TypeError(
      `runtime is ${runtime === null ? "null" : typeof runtime} without InferenceSession, Tensor and env, expected a whole ONNX Runtime: import * as runtime from "onnxruntime-node" (or "onnxruntime-web") and pass { runtime }`,
    );
}

/** Whether a runtime fills arrays that it is given for outputs; onnxruntime-web 1.30 takes them and leaves them as they are. */
async function writesInPlace(copier: Program): Promise<boolean> {
  const value = (data: Float32Array): Value => ({ data, dims: [1] });
  const y = new Float32Array(1);
  await copier.run({ x: value(Float32Array.of(-3)) }, { y: value(y) });
  await copier.release();
  return y[0] === 3;
}

function program(runtime: OrtRuntime, session: OrtSession, inPlace: boolean): Program {
  const tensor = ({ data, dims }: Value): OrtTensor => new runtime.Tensor(elementType(data), data, dims);
  return {
    async run(inputs, outputs) {
      const feeds = Object.entries(inputs).map(([name, { data, dims }]) => [
        name,
        tensor({ data: isShared(data.buffer) ? data.slice() : data, dims }),
      ]);
      const fetches = Object.entries(outputs).map(([name, value]) => [
        name,
        value !== null && inPlace && !isShared(value.data.buffer) ? tensor(value) : null,
      ]);
      const results = await session.run(Object.fromEntries(feeds), Object.fromEntries(fetches));
      const written = Object.entries(outputs).map(([name, value], i) => {
        const filled = value !== null && fetches[i]?.[1] !== null;
        return [name, filled ? value.data : received(results[name]?.data, value?.data)] as const;
      });
      return Object.fromEntries(written);
    },
    release: () => session.release(),
  };
}

function elementType(data: OrtData): "float32" | "float64" | "int64" {
  if (isFloat32Array(data)) return "float32";
  return typedArrayName(data) === "Float64Array" ? "float64" : "int64";
}

/** What the runtime returned, in the array that it is for, if there is one. */
function received(from: unknown, into: OrtData | undefined): OrtData {
  const came = typedArrayName(from);
  const expected = into === undefined ? ["Float32Array", "Float64Array"] : [typedArrayName(into)];
  if (came === undefined || !expected.includes(came))
    throw new Error(`the runtime returned ${came ?? typeof from}, expected ${expected.join(" or ")}`);
  const floats = from as Float32Array | Float64Array;
  if (into === undefined) return floats;
  (into as Float32Array | Float64Array).set(floats);
  return into;
}
