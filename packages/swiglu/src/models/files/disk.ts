// Files and folders on disk, in Node; the built-in modules are asked for at run time, so bundles for browsers hold none.
import { type ByteSource, checkRange, type Files, ModelFileError } from "./bytes.js";

interface FileHandle {
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}
interface FileSystem {
  open(path: string): Promise<FileHandle>;
  stat(path: string): Promise<{ isDirectory(): boolean; isFile(): boolean }>;
  readdir(path: string): Promise<string[]>;
}
interface Paths {
  basename(path: string): string;
  dirname(path: string): string;
  join(...parts: string[]): string;
}

function builtin<M>(name: `node:${string}`): M {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): M | undefined } };
  const module = process?.getBuiltinModule?.(name);
  if (module === undefined)
    throw new TypeError("paths are read in Node only: pass a URL, a File, or bytes, where there is no disk");
  return module;
}

/** The file or folder at a path. Throws a ModelFileError where there is none. */
export async function diskFiles(path: string): Promise<Files> {
  const fs = builtin<FileSystem>("node:fs/promises");
  const paths = builtin<Paths>("node:path");
  const found = await fs.stat(path).catch(() => undefined);
  if (found === undefined) throw new ModelFileError(`${path} is no file or folder`);
  const folder = found.isDirectory() ? path : paths.dirname(path);
  const names = (await fs.readdir(folder).catch(() => [paths.basename(path)])).sort();
  return {
    main: found.isDirectory() ? undefined : paths.basename(path),
    names,
    open: (name) => openFile(fs, paths.join(folder, name), name),
  };
}

async function openFile(fs: FileSystem, path: string, name: string): Promise<ByteSource | undefined> {
  const handle = await fs.open(path).catch(() => undefined);
  if (handle === undefined) return undefined;
  const found = await handle.stat();
  if (!found.isFile()) {
    await handle.close();
    return undefined;
  }
  const source: ByteSource = {
    name,
    size: found.size,
    async read(offset, length) {
      checkRange(source, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw new ModelFileError(`${name} became shorter while it was read`);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
  return source;
}
