// What a model may be given as: a path, a folder, a URL, bytes, a browser's File, or several of these under their names.
import { blobSource, bytesSource, type Files } from "./bytes.js";
import { diskFiles } from "./disk.js";
import { type WebOptions, webFiles } from "./web.js";

/**
 * Where a model is: a path of a file or folder (Node), a URL (a string that begins with http:// or https://, or a URL; a
 * folder's ends in a slash), bytes, a Blob or File, several Files, or bytes and Blobs under file names.
 */
export type ModelInput =
  | string
  | URL
  | Uint8Array
  | Blob
  | readonly File[]
  | Readonly<Record<string, Uint8Array | Blob>>;

/** The files of an input. Throws a TypeError for anything else, a ModelFileError for a path that is not there. */
export async function openFiles(input: ModelInput, options?: WebOptions): Promise<Files> {
  if (typeof input === "string")
    return /^https?:\/\//i.test(input) ? webFiles(new URL(input), options) : diskFiles(input);
  if (input instanceof URL) {
    if (input.protocol !== "file:") return webFiles(input, options);
    return diskFiles(decodeURIComponent(input.pathname));
  }
  if (input instanceof Uint8Array) return memoryFiles([["model", input]], "model");
  if (input instanceof Blob) {
    const name =
      "name" in input && typeof input.name === "string" && input.name !== "" ? input.name : "model";
    return memoryFiles([[name, input]], name);
  }
  if (Array.isArray(input)) return memoryFiles((input as readonly File[]).map((file) => [file.name, file]));
  if (typeof input === "object" && input !== null) return memoryFiles(Object.entries(input));
  throw new TypeError(
    `source is ${String(input)}, expected a path, a URL, bytes, a File, or several files by name`,
  );
}

function memoryFiles(entries: readonly (readonly [string, Uint8Array | Blob])[], main?: string): Files {
  const byName = new Map(entries);
  for (const [name, content] of byName)
    if (!(content instanceof Uint8Array) && !(content instanceof Blob))
      throw new TypeError(`source.${name} is ${String(content)}, expected bytes or a Blob`);
  return {
    main,
    names: [...byName.keys()].sort(),
    async open(name) {
      const content = byName.get(name);
      if (content === undefined) return undefined;
      return content instanceof Uint8Array ? bytesSource(name, content) : blobSource(name, content);
    },
  };
}
