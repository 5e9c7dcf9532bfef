// ONNX files on the disk, in Node: models are written as one file, or as a file and its data's file, and read again.
import { nodeModule } from "../../host/node.js";
import { elementBytes } from "../model/elements.js";
import { encodeModel } from "./codec.js";
import { decodeExternal, encodeExternal, loadModel, type StoredModel } from "./external.js";

/** The parts of Node's modules that are used. */
interface FileHandle {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(piece: Uint8Array, offset: number): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
interface FileSystem {
  open(path: string, flags: "r" | "w"): Promise<FileHandle>;
  readFile(path: string): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean }): Promise<void>;
}
interface Path {
  basename(path: string): string;
  dirname(path: string): string;
  join(...parts: string[]): string;
}

function modules(): { readonly files: FileSystem; readonly path: Path } {
  const files = nodeModule<FileSystem>("node:fs/promises");
  const path = nodeModule<Path>("node:path");
  if (files && path) return { files, path };
  throw new TypeError(
    "there are no files here: writeModel and openModel are for Node; use encodeExternal and decodeExternal",
  );
}

/** How a model is written to the disk. */
export interface WriteModelOptions {
  /**
   * Whether the data goes into a second file, `<path>.data`. Default: yes where the model would reach 2 GiB, which one file
   * cannot hold.
   */
  readonly external?: boolean;
  /** The smallest size in bytes of a tensor that goes into that file; default 1024. */
  readonly threshold?: number;
  /** The name of the writing program in the file; default `swiglu`. */
  readonly producer?: string;
}

/**
 * Writes a model to the disk, with its data in a second file, `<path>.data`, where that is asked for or needed. Each file appears
 * under its name when it is complete. Keep the two in one folder: ONNX Runtime looks for the data beside the model.
 * Example: `await writeModel("block.onnx", toModel(graph), { external: true })` writes block.onnx.data, too.
 */
export async function writeModel(
  path: string,
  model: StoredModel,
  { external = isLarge(model), threshold, producer = "swiglu" }: WriteModelOptions = {},
): Promise<void> {
  const node = modules();
  if (!external) {
    const file = encodeModel(await loadModel(model), { producer });
    await complete(node.files, [[path, [file]]]);
    return;
  }
  const location = `${node.path.basename(path)}.data`;
  const { file, data } = encodeExternal(model, {
    location,
    producer,
    ...(threshold !== undefined && { threshold }),
  });
  // The data's file appears first, so that a model's file that exists always finds its data.
  await complete(node.files, [
    [`${path}.data`, data],
    [path, [file]],
  ]);
}

/** Whether one file may be too small for the model: everything that is not data is taken to need 2 MiB. */
function isLarge({ initializers }: StoredModel): boolean {
  const bytes = initializers.reduce(
    (sum, { dtype, shape }) => sum + shape.reduce((product, size) => product * size, elementBytes(dtype)),
    0,
  );
  return bytes >= 2 ** 31 - 2 ** 21;
}

/** Writes files under other names and renames them when all are complete. */
async function complete(
  files: FileSystem,
  wanted: readonly (readonly [path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>])[],
): Promise<void> {
  const partOf = (path: string): string => `${path}.part`;
  try {
    for (const [path, pieces] of wanted) {
      const output = await files.open(partOf(path), "w");
      try {
        for await (const piece of pieces)
          for (let done = 0; done < piece.length; )
            done += (await output.write(piece.subarray(done), 0)).bytesWritten;
        await output.sync();
      } finally {
        await output.close();
      }
    }
    for (const [path] of wanted) await files.rename(partOf(path), path);
  } catch (error) {
    for (const [path] of wanted) await files.rm(partOf(path), { force: true });
    throw error;
  }
}

/**
 * Opens a model on the disk. Each call of a tensor's `load` reads the tensor from the data's file; `loadModel` reads all tensors.
 * Throws the errors of `decodeModel` and those of the file system.
 * Example: `const model = await loadModel(await openModel("block.onnx"))`.
 */
export async function openModel(path: string): Promise<StoredModel> {
  const { files, path: paths } = modules();
  return decodeExternal(await files.readFile(path), async (location, offset, length) => {
    const input = await files.open(paths.join(paths.dirname(path), location), "r");
    try {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await input.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) return bytes.subarray(0, done);
        done += bytesRead;
      }
      return bytes;
    } finally {
      await input.close();
    }
  });
}
