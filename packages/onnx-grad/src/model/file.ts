// Models to and from ONNX files, by the codec of swiglu/onnx: opset 21 and ONNX Runtime's own operators.
import * as onnx from "swiglu/onnx";
import type { DType } from "../graph/types.js";
import type { Initializer, Model, ValueInfo } from "./model.js";

const operators = { opset: 21, domains: { "com.microsoft": 1 } };

/** The ONNX file of a model. Example: `await writeFile("model.onnx", encodeModel(model))`. */
export function encodeModel(model: Model): Uint8Array {
  return onnx.encodeModel({ ...operators, ...model }, { producer: "onnx-grad" });
}

/**
 * The model in an ONNX file that keeps to what this package writes: opset 21, static shapes, tensors as raw data, no functions.
 * Errors say what else they found.
 */
export function decodeModel(file: Uint8Array): Model {
  const { opset, functions, inputs, outputs, initializers, nodes } = onnx.decodeModel(file);
  if (opset !== operators.opset || functions)
    throw new Error(
      functions
        ? "the model has functions of its own, which are not read"
        : `the model uses opset ${opset} of ONNX's operators; only ${operators.opset} is read`,
    );
  return {
    inputs: inputs.map(narrow<ValueInfo>),
    outputs: outputs.map(narrow<ValueInfo>),
    initializers: initializers.map(narrow<Initializer>),
    nodes,
  };
}

/** The tensor, if its element type and shape are ones that graphs here have. */
function narrow<T extends ValueInfo>(tensor: Loose<T>): T {
  if (isNarrow(tensor)) return tensor;
  throw new Error(
    `tensor ${JSON.stringify(tensor.name.slice(0, 80))} is ${tensor.dtype} [${tensor.shape.slice(0, 8)}]; only sizes known beforehand, and no 16-bit floats, are read`,
  );
}
type Loose<T extends ValueInfo> = Omit<T, "dtype" | "shape"> &
  Pick<onnx.ValueInfo, "name" | "dtype" | "shape">;

function isNarrow<T extends ValueInfo>(tensor: Loose<T>): tensor is Loose<T> & T {
  const dtypes: readonly onnx.ElementType[] = [
    "float32",
    "float64",
    "int32",
    "int64",
    "bool",
  ] satisfies DType[];
  return dtypes.includes(tensor.dtype) && tensor.shape.every((size) => typeof size === "number");
}
