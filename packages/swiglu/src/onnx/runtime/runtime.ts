// The part of ONNX Runtime that is used: onnxruntime-node and onnxruntime-web both have it. Callers hand a runtime in;
// nothing here imports one.
import type { TypedArray } from "../model/elements.js";

/** Element types of the arrays that go in and out of a runtime. */
export type RuntimeType = "float32" | "float64" | "int32" | "int64" | "bool";

/** The arrays that go in and out of a runtime. */
export type RuntimeData = TypedArray<RuntimeType>;

/** A value that a runtime takes and gives. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

type Tensors = Readonly<Record<string, RuntimeTensor>>;

/** The part of a runtime's session that is used. */
export interface RuntimeSession {
  run(feeds: Tensors, fetches?: Readonly<Record<string, RuntimeTensor | null>>): Promise<Tensors>;
  release(): Promise<void>;
}

/** The part of a runtime that is used; `import * as runtime from "onnxruntime-node"` (or `-web`) has it. */
export interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<RuntimeSession> };
  readonly Tensor: new (type: RuntimeType, data: RuntimeData, dims: readonly number[]) => RuntimeTensor;
}

/** Whether a value has what is used of a runtime. */
export function isRuntime(value: unknown): value is Runtime {
  const given = value as Partial<Runtime> | null | undefined;
  return typeof given?.InferenceSession?.create === "function" && typeof given.Tensor === "function";
}
