// Models to and from ONNX files; tensors as raw little-endian data inside.
import { elementBytes } from "../model/elements.js";
import type { Model } from "../model/model.js";
import { initializerFrom, modelFrom } from "./from-messages.js";
import { decodeMessage } from "./read.js";
import { modelMessage, tensorMessage } from "./to-messages.js";
import { encodeMessage } from "./write.js";

/** The first size that a file of Protocol Buffers cannot have. */
const limit = 2 ** 31;

/**
 * The ONNX file of a model. Its IR version is the one that ONNX released together with the operator set, so that older
 * runtimes can load older sets. `producer` is written into the file; default `swiglu`. Throws a RangeError where the file
 * would reach the 2 GiB that it cannot have; `encodeExternal` and `writeModel` put the data beside it.
 * Example: `await writeFile("model.onnx", encodeModel(model))`.
 */
export function encodeModel(model: Model, { producer = "swiglu" } = {}): Uint8Array {
  const data = model.initializers.reduce(
    (sum, { dtype, data }) => sum + data.length * elementBytes(dtype),
    0,
  );
  checkFileSize(data);
  return joined(
    encodeMessage("ModelProto", modelMessage(model, model.initializers.map(tensorMessage), producer)),
  );
}

/** Pieces of a file as one. Throws a RangeError where a file cannot be that large. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  checkFileSize(size);
  const file = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

function checkFileSize(bytes: number): void {
  if (bytes < limit) return;
  throw new RangeError(
    `the model has ${bytes} bytes, but an ONNX file ends at 2 GiB: put the data beside it with encodeExternal or writeModel, or write it as float16`,
  );
}

/**
 * The model in an ONNX file that keeps to what this package writes: tensors as raw data, no subgraphs. Any other file, a
 * damaged one too, is an Error that says what is wrong with it and where.
 */
export function decodeModel(file: Uint8Array): Model {
  return modelFrom(decodeMessage("ModelProto", checkedFile(file)), initializerFrom);
}

/** The bytes of a file as a plain Uint8Array of this realm. */
export function checkedFile(file: Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(file) && Reflect.get(file, Symbol.toStringTag) === "Uint8Array")
    return new Uint8Array(file.buffer, file.byteOffset, file.length);
  const what = file === null ? "null" : typeof file;
  throw new TypeError(`file is ${what}, expected the bytes of an ONNX file as a Uint8Array`);
}
