// A model's files, opened: what their headers say, and the numbers of any tensor on demand.
// The headers are the truth; an index only names the files.
import { type ByteSource, checkRange, ModelFileError } from "./files/bytes.js";
import { Counted } from "./files/counted.js";
import { type ModelInput, openFiles } from "./files/open.js";
import type { WebOptions } from "./files/web.js";
import { type Rows, readNumbers, readRaw } from "./read.js";
import { isGguf, type MetadataValue, readGguf } from "./readers/gguf.js";
import { isObject, type JsonObject, readJson } from "./readers/json.js";
import { isOnnx, type OnnxHeader, readOnnx } from "./readers/onnx.js";
import { isSafetensors, readSafetensors } from "./readers/safetensors.js";
import { addTensors, type TensorInfo } from "./tensor.js";

export type ModelFormat = "safetensors" | "gguf" | "onnx";

/** An opened model. Only headers are read until numbers are asked for. */
export interface Model {
  readonly format: ModelFormat;
  /** The files that hold its tensors. */
  readonly files: readonly string[];
  /** By name; shapes are row-major, the outermost axis first. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** GGUF's keys, or the `__metadata__` of safetensors. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** The `config.json` beside the files, where there is one. */
  readonly config: JsonObject | undefined;
  /** An ONNX file's nodes and constants; undefined for other formats. */
  readonly graph: OnnxHeader | undefined;
  /** What is odd about the files and did not stop them from being read, a sentence each. */
  readonly remarks: readonly string[];
  /** How many bytes were asked for until now. */
  readonly bytesRead: number;
  /**
   * A tensor's numbers as float32, or those of some of its outermost rows. Throws a RangeError for a name that is not there or
   * rows outside it, a ModelFileError for a format that is recognised but not read.
   */
  read(name: string, rows?: Rows): Promise<Float32Array>;
  /** The stored bytes of a tensor, or of some of its outermost rows. */
  readBytes(name: string, rows?: Rows): Promise<Uint8Array>;
  /** Closes the files. */
  close(): Promise<void>;
}

/**
 * Opens a model: safetensors (one file, shards, with or without their index) GGUF (one file or shards), or ONNX (weights inside or beside it), from a path, a
 * folder, a URL (read by ranges), bytes, or a browser's File. Only headers are read, and every number in them is checked
 * against the file's size first. Throws a ModelFileError, as a sentence, for a file that is missing, damaged or unknown.
 *
 * @example
 * const header = new TextEncoder().encode('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
 * const bytes = new Uint8Array(8 + header.length + 8);
 * bytes[0] = header.length;
 * bytes.set(header, 8);
 * new DataView(bytes.buffer).setFloat32(8 + header.length, 1.5, true);
 * const model = await openModel(bytes);
 * Array.from(await model.read("w")); // [1.5, 0]
 */
export async function openModel(input: ModelInput, options?: WebOptions): Promise<Model> {
  const files = new Counted(await openFiles(input, options));
  try {
    return await open(files);
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function open(files: Counted): Promise<Model> {
  const { first, remarks } = await firstFile(files);
  const start = await first.read(0, Math.min(9, first.size));
  if (isGguf(start)) return openGguf(files, first, remarks);
  if (isSafetensors(start)) return openSafetensors(files, [first.name], remarks);
  if (isOnnx(start)) return openOnnx(files, first, remarks);
  throw new ModelFileError(`${first.name} is no safetensors, GGUF or ONNX file`);
}

const indexEnding = ".index.json";
const shardName = /^(.*)-(\d{5,6})-of-(\d{5,6})(\.\w+)$/;

/** The file to begin with: the one that was named, or the one a folder is about. */
async function firstFile(files: Counted): Promise<{ first: ByteSource; remarks: string[] }> {
  const name = files.main ?? (await chooseFile(files));
  const remarks: string[] = [];
  if (!name.endsWith(indexEnding)) return { first: await files.need(name), remarks };
  const named = shardsOfIndex(name, await readJson(await files.need(name)));
  const first = named[0];
  if (first === undefined) throw new ModelFileError(`${name} names no files`);
  return { first: await files.need(first), remarks };
}

const usual = ["model.safetensors.index.json", "model.safetensors"];

async function chooseFile(files: Counted): Promise<string> {
  const { names } = files;
  if (names === undefined) {
    for (const name of usual) if (await files.open(name)) return name;
    throw new ModelFileError(
      `there is neither ${usual.join(" nor ")}: a folder on the web cannot be listed, so give the file's own address`,
    );
  }
  const found = usual.find((name) => names.includes(name));
  if (found !== undefined) return found;
  for (const ending of [".safetensors", ".gguf", ".onnx"]) {
    const candidates = names.filter((name) => name.endsWith(ending));
    const stems = new Set(candidates.map((name) => shardName.exec(name)?.[1] ?? name));
    if (stems.size > 1)
      throw new ModelFileError(
        `the folder has ${candidates.length} models (${candidates.slice(0, 4).join(", ")}): name one of them`,
      );
    if (candidates[0] !== undefined) return candidates[0];
  }
  throw new ModelFileError("the folder has no .safetensors, .gguf or .onnx file");
}

/** The files that an index names, in order. Throws a ModelFileError for names that lead out of the folder. */
function shardsOfIndex(file: string, index: JsonObject): string[] {
  const { weight_map: map } = index;
  if (!isObject(map)) throw new ModelFileError(`${file} has no weight_map`);
  const names = new Set(Object.values(map));
  for (const name of names)
    if (typeof name !== "string" || !/^[^/\\]+$/.test(name) || name.startsWith(".."))
      throw new ModelFileError(`${file} names ${JSON.stringify(name)}, expected a file beside it`);
  return ([...names] as string[]).sort();
}

/** All shards of a file's name: itself, or every one of `count`. */
function shardsOf(name: string): string[] {
  const [, stem, number = "", total = "", ending] = shardName.exec(name) ?? [];
  const count = Number(total);
  if (stem === undefined || count < 1 || count > 10_000) return [name];
  return Array.from(
    { length: count },
    (_, i) => `${stem}-${String(i + 1).padStart(number.length, "0")}-of-${total}${ending}`,
  );
}

async function openSafetensors(files: Counted, first: readonly string[], remarks: string[]): Promise<Model> {
  const shards = shardsOf(first[0] as string);
  const index = await indexOf(files, first[0] as string);
  const names =
    index === undefined
      ? shards
      : [...new Set([...index.shards, ...(shards.length > 1 ? shards : [])])].sort();
  const headers = await eachOf(names, async (name) => readSafetensors(await files.need(name)));
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, MetadataValue>();
  for (const header of headers) {
    addTensors(tensors, header.tensors);
    for (const [key, value] of header.metadata) metadata.set(key, value);
  }
  if (index !== undefined) remarks.push(...staleness(index, tensors));
  const config = await configOf(files, remarks);
  return model({ format: "safetensors", files, names, tensors, metadata, config, remarks });
}

interface Index {
  readonly file: string;
  readonly shards: readonly string[];
  readonly map: JsonObject;
}

/** The index of a file's shards, where it lies beside them. */
async function indexOf(files: Counted, name: string): Promise<Index | undefined> {
  const stem = shardName.exec(name)?.[1] ?? name.replace(/\.safetensors$/, "");
  const file = `${stem}.safetensors${indexEnding}`;
  const own = files.main?.endsWith(indexEnding) ? files.main : file;
  if (files.names?.includes(own) === false) return undefined;
  if (files.names === undefined && !shardName.test(name) && own !== files.main) return undefined;
  const source = await files.open(own);
  if (source === undefined) return undefined;
  const index = await readJson(source);
  const shards = shardsOfIndex(own, index);
  // An index that does not name this file is another model's, or left over from one.
  return shards.includes(name) ? { file: own, shards, map: index.weight_map as JsonObject } : undefined;
}

function staleness({ file, map }: Index, tensors: ReadonlyMap<string, TensorInfo>): string[] {
  const listed = Object.keys(map);
  const absent = listed.filter((name) => !tensors.has(name));
  const moved = listed.filter((name) => tensors.has(name) && tensors.get(name)?.file !== map[name]);
  const unlisted = [...tensors.keys()].filter((name) => !Object.hasOwn(map, name));
  const say = (names: readonly string[], what: string): string[] =>
    names.length === 0 ? [] : [`${file} is stale: ${names.length} tensors ${what} (${names[0]})`];
  return [
    ...say(absent, "that it lists are in no file"),
    ...say(moved, "lie in another file than it says"),
    ...say(unlisted, "are not listed"),
  ];
}

async function openGguf(files: Counted, first: ByteSource, remarks: string[]): Promise<Model> {
  const names = shardsOf(first.name);
  const headers = await eachOf(names, async (name) => readGguf(await files.need(name)));
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, MetadataValue>();
  for (const header of headers) {
    addTensors(tensors, header.tensors);
    // Later shards carry their own number and little else: the first one's keys stay.
    for (const [key, value] of header.metadata) if (!metadata.has(key)) metadata.set(key, value);
  }
  const split = metadata.get("split.count");
  if (typeof split === "number" && split > 1 && split !== names.length)
    remarks.push(`${first.name} says it is one of ${split} files, ${names.length} were read`);
  const total = metadata.get("split.tensors.count");
  if (typeof total === "number" && total !== tensors.size)
    remarks.push(`${first.name} says the model has ${total} tensors, ${tensors.size} were found`);
  const bigEndian = headers.some(({ littleEndian }) => !littleEndian);
  if (bigEndian) remarks.push(`${first.name} is big endian: its header is read, its numbers are not`);
  return model({
    format: "gguf",
    files,
    names,
    tensors,
    metadata,
    config: await configOf(files, remarks),
    remarks,
    bigEndian,
  });
}

async function openOnnx(files: Counted, first: ByteSource, remarks: string[]): Promise<Model> {
  const graph = await readOnnx(first);
  const tensors = new Map<string, TensorInfo>();
  addTensors(tensors, graph.tensors);
  const names = [...new Set(graph.tensors.map(({ file }) => file)).add(first.name)];
  for (const name of names) {
    if (name === first.name) continue;
    const data = await files.open(name);
    if (data === undefined) remarks.push(`${name}, which holds weights, is missing`);
    else
      for (const tensor of graph.tensors)
        if (tensor.file === name) checkRange(data, tensor.offset, tensor.bytes);
  }
  const config = await configOf(files, remarks);
  return model({ format: "onnx", files, names, tensors, metadata: new Map(), config, graph, remarks });
}

/** The config.json beside the files: where it can be seen, or asked for. One that cannot be read is remarked on. */
async function configOf(files: Counted, remarks: string[]): Promise<JsonObject | undefined> {
  const name = "config.json";
  if (files.names?.includes(name) === false) return undefined;
  try {
    const source = await files.open(name);
    return source === undefined ? undefined : await readJson(source);
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error;
    remarks.push(`config.json is left out of account: ${error.message}`);
    return undefined;
  }
}

/** Does the same for all, a few at a time. */
async function eachOf<T>(names: readonly string[], task: (name: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const together = 8;
  for (let i = 0; i < names.length; i += together)
    results.push(...(await Promise.all(names.slice(i, i + together).map(task))));
  return results;
}

interface Parts {
  readonly format: ModelFormat;
  readonly files: Counted;
  readonly names: readonly string[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly config: JsonObject | undefined;
  readonly remarks: readonly string[];
  readonly graph?: OnnxHeader;
  readonly bigEndian?: boolean;
}

function model({ files, names, graph, bigEndian = false, ...rest }: Parts): Model {
  const tensorOf = async (name: string): Promise<[ByteSource, TensorInfo]> => {
    const tensor = rest.tensors.get(name);
    if (tensor === undefined) throw new RangeError(`the model has no tensor ${name}`);
    if (bigEndian) throw new ModelFileError(`${tensor.file} is big endian, and its numbers are not read`);
    return [await files.need(tensor.file), tensor];
  };
  return {
    ...rest,
    files: names,
    graph,
    get bytesRead() {
      return files.bytes;
    },
    read: async (name, rows) => readNumbers(...(await tensorOf(name)), rows),
    readBytes: async (name, rows) => readRaw(...(await tensorOf(name)), rows),
    close: () => files.close(),
  };
}
