// ONNX models whose weights are in a second file, which every model above 2 GiB needs. The data is written in pieces and read
// tensor by tensor, so that at most one tensor is in memory at a time.
//
//     model.onnx:       nodes, small tensors, and for each large one: location, offset, length
//     model.onnx.data:  | tensor 0 | zeros | tensor 1      | zeros | tensor 2 |
//                       0          ^ each tensor begins at a multiple of the disk's page

import {
  bytesOf,
  type ElementType,
  elementBytes,
  elementCode,
  numberArray,
  readInto,
} from "../model/elements.js";
import type { Initializer, Model } from "../model/model.js";
import { checkedFile, joined } from "./codec.js";
import { headFrom, initializerFrom, isExternal, modelFrom, shown } from "./from-messages.js";
import type { Message } from "./messages.js";
import { decodeMessage } from "./read.js";
import { checkData, type Frame, modelMessage, tensorMessage } from "./to-messages.js";
import { encodeMessage } from "./write.js";

/** A tensor that is not in memory yet. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Loads the tensor's numbers; each call loads them again. */
  readonly load: () => Promise<ArrayLike<number>>;
  /** The tensor's bytes as a file holds them, in pieces: for callers that copy the bytes and do not need numbers. */
  readonly bytes?: () => AsyncIterable<Uint8Array>;
}

/** A model in which each tensor is in memory or still in a file. Every `Model` is one. */
export interface StoredModel extends Frame {
  readonly initializers: readonly (Initializer | StoredTensor)[];
}

/** How a model is divided between two files. */
export interface ExternalOptions {
  /** The name of the data's file, beside the model's: `model.onnx.data`. */
  readonly location: string;
  /**
   * The smallest size in bytes of a tensor that goes into the data's file; default 1024, so that shapes and scalars stay in the
   * model's.
   */
  readonly threshold?: number;
  /** The name of the writing program in the file; default `swiglu`. */
  readonly producer?: string;
}

/** A model in two files. */
export interface ExternalFiles {
  /** The model's own file. */
  readonly file: Uint8Array;
  /** The size of the data's file in bytes. */
  readonly dataBytes: number;
  /** The data's file in pieces of at most 4 MiB. A piece is made when it is asked for; write it before you ask for the next. */
  readonly data: AsyncIterable<Uint8Array>;
}

/** Reads exactly `length` bytes of a data's file, beginning at `offset`. */
export type ReadData = (location: string, offset: number, length: number) => Promise<Uint8Array> | Uint8Array;

const pieceBytes = 2 ** 22;

/**
 * The alignment of a tensor of that size in the data's file. ONNX Runtime maps a tensor from the disk only where the tensor
 * begins on a page: 4 KiB, or 64 KiB on Windows. It asks for the larger alignment in tensors above 1 MiB.
 */
const alignmentOf = (bytes: number): number => (bytes > 2 ** 20 ? 2 ** 16 : 2 ** 12);

/**
 * Divides a model into two files: the model's own file with the nodes, and a file with the weights, which the first one names.
 * The weights may be of any size. One tensor is in memory at a time, and no data is copied twice. Throws a RangeError where the
 * model's own file alone reaches 2 GiB. Writing the data throws one for a tensor that loads with another size than its shape says.
 * Example: `for await (const piece of encodeExternal(model, { location: "model.onnx.data" }).data) await output.write(piece)`.
 */
export function encodeExternal(model: StoredModel, options: ExternalOptions): ExternalFiles {
  const { threshold = 1024, producer = "swiglu" } = options;
  const location = checkedLocation(options.location, (reason) => new TypeError(`location ${reason}`));
  if (!Number.isSafeInteger(threshold) || threshold < 0)
    throw new RangeError(`threshold is ${String(threshold)}, expected a number of bytes, 0 or more`);
  let end = 0;
  const positioned: { tensor: Initializer | StoredTensor; offset: number }[] = [];
  const messages = model.initializers.map((tensor): Message<"TensorProto"> => {
    const { name, dtype, shape } = tensor;
    const head = headFrom({ ...proto(name, dtype, shape), externalData: [] });
    if ("data" in tensor) checkData(name, shape, tensor.data);
    if ("data" in tensor && head.bytes < threshold) return tensorMessage(tensor);
    const alignment = alignmentOf(head.bytes);
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + head.bytes;
    positioned.push({ tensor, offset });
    const where = { location, offset: String(offset), length: String(head.bytes) };
    return {
      ...proto(name, dtype, shape),
      externalData: Object.entries(where).map(([key, value]) => ({ key, value })),
      dataLocation: 1,
    };
  });
  return {
    file: joined(encodeMessage("ModelProto", modelMessage(model, messages, producer))),
    dataBytes: end,
    data: { [Symbol.asyncIterator]: () => piecesOf(positioned) },
  };
}

function proto(name: string, dtype: ElementType, dims: readonly number[]) {
  return { name, dims, dataType: elementCode(dtype) };
}

async function* piecesOf(
  positioned: readonly { readonly tensor: Initializer | StoredTensor; readonly offset: number }[],
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { tensor, offset } of positioned) {
    if (offset > at) yield new Uint8Array(offset - at);
    at = offset;
    // This is a function of its own so that a tensor's numbers are freed before the next tensor is loaded.
    for await (const piece of piecesOfTensor(tensor)) {
      at += piece.length;
      yield piece;
    }
    const { name, dtype, shape } = tensor;
    checkData(name, shape, { length: (at - offset) / elementBytes(dtype) });
  }
}

async function* piecesOfTensor(tensor: Initializer | StoredTensor): AsyncGenerator<Uint8Array> {
  if ("bytes" in tensor && tensor.bytes) {
    yield* tensor.bytes();
    return;
  }
  const { name, dtype, shape } = tensor;
  const data = "data" in tensor ? tensor.data : await tensor.load();
  checkData(name, shape, data);
  const step = pieceBytes / elementBytes(dtype);
  for (let start = 0; start < data.length; start += step)
    yield bytesOf(dtype, data, start, Math.min(start + step, data.length));
}

/**
 * The model in a file whose weights may be in other files. Those weights are not read yet: `load` of each tensor asks `read` for
 * their bytes, in pieces of at most 4 MiB. Throws the errors of `decodeModel`, and one for a file name that leads out of the
 * model's folder.
 */
export function decodeExternal(file: Uint8Array, read: ReadData): StoredModel {
  return modelFrom(decodeMessage("ModelProto", checkedFile(file)), (tensor) =>
    isExternal(tensor) ? storedFrom(tensor, read) : initializerFrom(tensor),
  );
}

/** The model with every tensor in memory. */
export async function loadModel(model: StoredModel): Promise<Model> {
  const initializers: Initializer[] = [];
  for (const tensor of model.initializers) {
    if ("data" in tensor) initializers.push(tensor);
    else {
      const { name, dtype, shape } = tensor;
      initializers.push({ name, dtype, shape, data: await tensor.load() });
    }
  }
  return { ...model, initializers };
}

function storedFrom(tensor: Message<"TensorProto">, read: ReadData): StoredTensor {
  const { bytes, ...head } = headFrom(tensor);
  const what = `tensor ${shown(head.name)}`;
  const given = new Map(tensor.externalData.map(({ key, value = "" }) => [key, value]));
  const location = checkedLocation(
    given.get("location") ?? "",
    (reason) => new Error(`${what}: the file of its data ${reason}`),
  );
  const offset = wholeNumber(given.get("offset") ?? "0", `${what}: the offset of its data`);
  const length = wholeNumber(given.get("length") ?? String(bytes), `${what}: the length of its data`);
  if (length !== bytes) throw new Error(`${what} has ${length} bytes of data; expected ${bytes}`);
  const piece = async (start: number): Promise<Uint8Array> => {
    const size = Math.min(pieceBytes, bytes - start);
    const got = await read(location, offset + start, size);
    if (got.length === size) return got;
    throw new Error(
      `${what}: ${shown(location)} gave ${got.length} bytes at ${offset + start}; expected ${size}`,
    );
  };
  return {
    ...head,
    bytes: async function* () {
      for (let start = 0; start < bytes; start += pieceBytes) yield await piece(start);
    },
    load: async () => {
      const { dtype } = head;
      // The last piece is read first: where the file ends too early, no memory for the tensor has been taken yet.
      const last = bytes === 0 ? 0 : Math.floor((bytes - 1) / pieceBytes) * pieceBytes;
      const end = await piece(last);
      const size = elementBytes(dtype);
      try {
        const into = numberArray(dtype, bytes / size);
        for (let start = 0; start < last; start += pieceBytes)
          readInto(dtype, await piece(start), into, start / size);
        readInto(dtype, end, into, last / size);
        return into;
      } catch (error) {
        if (error instanceof RangeError) throw new Error(`${what}: ${error.message}`);
        throw error;
      }
    },
  };
}

function wholeNumber(text: string, what: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new Error(`${what} is ${shown(text)}, expected a whole number of bytes`);
}

/** Checks the name of a data's file: it is beside the model's file or in a folder there, and never leads elsewhere. */
function checkedLocation(location: string, error: (reason: string) => Error): string {
  const parts = typeof location === "string" ? location.split("/") : [];
  const plain = parts.length > 0 && parts.every((part) => part !== "" && part !== "." && part !== "..");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (plain && !/[\\:\u0000-\u001f]/.test(location)) return location;
  throw error(
    `is ${shown(String(location))}, expected the name of a file beside the model, such as "model.onnx.data"`,
  );
}
