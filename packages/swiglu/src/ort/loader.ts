// A runtime made ready for ort(): it is checked, its number of threads settled, and models are loaded in one way.
import { chooseThreads } from "../host/threads.js";
import { encodeModel } from "../onnx/file/codec.js";
import type { Model } from "../onnx/model/model.js";
import { isRuntime, type Runtime } from "../onnx/runtime/runtime.js";
import { Session, sessionOptions, writesInPlace } from "../onnx/runtime/session.js";

/** A whole ONNX Runtime; `import * as runtime from "onnxruntime-node"` (or `-web`) has it. */
export interface OrtRuntime extends Runtime {
  /** onnxruntime-web has its number of threads here. */
  readonly env: {
    readonly wasm: { readonly numThreads?: number };
    readonly versions: { readonly web?: string };
  };
}

/** A runtime made ready: it can load models. */
export interface Loader {
  readonly threads: number;
  load(model: Model): Promise<Session>;
}

/**
 * Readies a runtime to load models for a number of threads. onnxruntime-web has one number for the whole page,
 * `env.wasm.numThreads`; another one asked for here is an error.
 */
export async function loader(runtime: OrtRuntime, asked?: number): Promise<Loader> {
  checkRuntime(runtime);
  const web = runtime.env.versions.web !== undefined;
  const own = web && asked === undefined ? 1 : chooseThreads(asked);
  const options = {
    ...sessionOptions({
      threads: own,
      // Threads wait for work by spinning, but briefly, and only while a graph runs. On a quiet machine that is as fast as the
      // default; on one that does other work too, a step takes a third of the time.
      session: { force_spinning_stop: "1", intra_op: { spin_duration_us: "20" } },
      // This optimiser replaces Transpose and MatMul by one product that transposes as it reads, which is slower.
      disabled: ["MatmulTransposeFusion"],
    }),
    // What goes wrong is an exception; warnings tell of ways in which graphs are optimised.
    logSeverityLevel: 3,
  };
  await writesInPlace(runtime);
  // The number that onnxruntime-web has settled on shows once it has loaded something.
  const threads = web ? (runtime.env.wasm.numThreads ?? 1) : own;
  if (asked !== undefined && threads !== asked)
    throw new Error(
      `threads is ${asked}, but this onnxruntime-web computes with ${threads}: set env.wasm.numThreads of the runtime before its first session (a page must be cross-origin isolated for more than one), or leave threads out`,
    );
  return { threads, load: (model) => Session.open(runtime, encodeModel(model), options) };
}

function checkRuntime(runtime: unknown): asserts runtime is OrtRuntime {
  if (isRuntime(runtime) && typeof (runtime as Partial<OrtRuntime>).env?.versions === "object") return;
  throw new TypeError(
    `runtime is ${runtime === null ? "null" : typeof runtime} without InferenceSession, Tensor and env, expected a whole ONNX Runtime: import * as runtime from "onnxruntime-node" (or "onnxruntime-web") and pass { runtime }`,
  );
}
