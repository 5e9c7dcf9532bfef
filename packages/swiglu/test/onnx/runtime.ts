// The two runtimes that files run in, and typed arrays in and out of them.
import * as native from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { type FloatType, typedArray } from "../../src/onnx-entry.js";

web.env.wasm.numThreads = 1;

/** Data with its shape; the element type is the file's. */
export interface Fed {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}
/** A file that is loaded: from inputs to its outputs, as numbers. */
export type Loaded = (
  feeds: Readonly<Record<string, Fed>>,
) => Promise<Readonly<Record<string, Float64Array>>>;
/** Loads a file whose floats are all of one type. */
export type Load = (file: Uint8Array, dtype?: FloatType) => Promise<Loaded>;

/** The part of both runtimes that is used. */
interface Runtime {
  readonly InferenceSession: Pick<typeof native.InferenceSession, "create">;
  readonly Tensor: typeof native.Tensor;
}

function loader({ InferenceSession, Tensor }: Runtime): Load {
  return async (file, dtype = "float32") => {
    const session = await InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    return async (feeds) => {
      const tensors = Object.entries(feeds).map(([name, { data, shape }]) => [
        name,
        new Tensor(dtype as "float32", typedArray(dtype, data) as Float32Array, shape),
      ]);
      const results = await session.run(Object.fromEntries(tensors));
      return Object.fromEntries(
        Object.entries(results).map(([name, { data }]) => [name, numbers(data as Float32Array, dtype)]),
      );
    };
  };
}

function numbers(data: Float32Array | Uint16Array, dtype: FloatType): Float64Array {
  return Float64Array.from(dtype === "float16" ? Array.from(data, half) : data);
}

/** A float16's value from its bits, by the definition of the format. */
export function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 25) * (1024 + fraction) : sign * 2 ** -24 * fraction;
}

export const runtimes: Readonly<Record<"onnxruntime-node" | "onnxruntime-web", Load>> = {
  "onnxruntime-node": loader(native),
  "onnxruntime-web": loader(web),
};
