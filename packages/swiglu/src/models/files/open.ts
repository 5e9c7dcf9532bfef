// What a model may be given as: a path, a folder, a URL, bytes, a browser's File, or several of these under their names.
import { typedArrayName } from "../../call/arrays.js";
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

// What is what in every realm (an iframe's, a vm context's, Jest's), where `instanceof` knows the classes of one only.
const classOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const isUrl = (value: unknown): value is URL => classOf(value) === "URL";
const isBytes = (value: unknown): value is Uint8Array => typedArrayName(value) === "Uint8Array";
const isBlob = (value: unknown): value is Blob => ["Blob", "File"].includes(classOf(value));

/** The files of an input. Throws a TypeError for anything else, a ModelFileError for a path that is not there. */
export async function openFiles(input: ModelInput, options?: WebOptions): Promise<Files> {
  if (typeof input === "string")
    return /^https?:\/\//i.test(input) ? webFiles(new URL(input), options) : diskFiles(input);
  if (isUrl(input)) {
    if (input.protocol !== "file:") return webFiles(input, options);
    return diskFiles(decodeURIComponent(input.pathname));
  }
  if (isBytes(input)) return memoryFiles([["model", input]], "model");
  if (isBlob(input)) {
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
    if (!isBytes(content) && !isBlob(content))
      throw new TypeError(`source.${name} is ${String(content)}, expected bytes or a Blob`);
  return {
    main,
    names: [...byName.keys()].sort(),
    async open(name) {
      const content = byName.get(name);
      if (content === undefined) return undefined;
      return isBytes(content) ? bytesSource(name, content) : blobSource(name, content);
    },
  };
}
