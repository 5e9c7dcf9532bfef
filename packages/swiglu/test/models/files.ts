// Writers of small model files for tests: safetensors and GGUF, byte by byte after the formats' descriptions.

export interface Stored {
  readonly shape: readonly number[];
  /** As the format's header calls it: "F32", "BF16" ...; for GGUF the number of the type. Default F32. */
  readonly dtype?: string;
  readonly type?: number;
  readonly bytes: Uint8Array;
}

/** Float32 numbers as a tensor to store. */
export const floats = (shape: readonly number[], values: ArrayLike<number>): Stored => ({
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** A safetensors file. */
export function safetensors(
  tensors: Readonly<Record<string, Stored>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  let at = 0;
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  for (const [name, { shape, dtype = "F32", bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  return safetensorsOf(JSON.stringify(header), ...Object.values(tensors).map(({ bytes }) => bytes));
}

/** A safetensors file of any header and data. */
export function safetensorsOf(header: string, ...data: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return joined([length, text, ...data]);
}

/** A value of GGUF's metadata with its kind. */
export type Value =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly f32s: readonly number[] }
  | { readonly u32s: readonly number[] }
  | { readonly texts: readonly string[] };

interface GgufOptions {
  readonly version?: number;
  readonly littleEndian?: boolean;
}

/** A GGUF file; shapes are given row-major and stored the other way round. */
export function gguf(
  metadata: Readonly<Record<string, Value>>,
  tensors: Readonly<Record<string, Stored>> = {},
  { version = 3, littleEndian = true }: GgufOptions = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const put = (length: number, write: (view: DataView) => void): void => {
    const bytes = new Uint8Array(length);
    write(new DataView(bytes.buffer));
    parts.push(bytes);
  };
  const u32 = (value: number): void => put(4, (view) => view.setUint32(0, value, littleEndian));
  const u64 = (value: number): void => put(8, (view) => view.setBigUint64(0, BigInt(value), littleEndian));
  const f32 = (value: number): void => put(4, (view) => view.setFloat32(0, value, littleEndian));
  const length = version === 1 ? u32 : u64;
  const text = (value: string): void => {
    const bytes = new TextEncoder().encode(value);
    length(bytes.length);
    parts.push(bytes);
  };
  const list = <T>(kind: number, values: readonly T[], write: (value: T) => void): void => {
    u32(9);
    u32(kind);
    length(values.length);
    values.forEach(write);
  };
  parts.push(new TextEncoder().encode("GGUF"));
  u32(version);
  length(Object.keys(tensors).length);
  length(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    text(key);
    if ("u32" in value) [u32(4), u32(value.u32)];
    else if ("f32" in value) [u32(6), f32(value.f32)];
    else if ("bool" in value) [u32(7), parts.push(Uint8Array.of(value.bool ? 1 : 0))];
    else if ("text" in value) [u32(8), text(value.text)];
    else if ("f32s" in value) list(6, value.f32s, f32);
    else if ("u32s" in value) list(4, value.u32s, u32);
    else list(8, value.texts, text);
  }
  let at = 0;
  for (const [name, { shape, type = 0, bytes }] of Object.entries(tensors)) {
    text(name);
    u32(shape.length);
    for (const size of [...shape].reverse()) length(size);
    u32(type);
    u64(at);
    at += Math.ceil(bytes.length / 32) * 32;
  }
  const header = parts.reduce((sum, part) => sum + part.length, 0);
  const padding = (size: number): Uint8Array => new Uint8Array(Math.ceil(size / 32) * 32 - size);
  parts.push(padding(header));
  for (const { bytes } of Object.values(tensors)) parts.push(bytes, padding(bytes.length));
  return joined(parts);
}

/** Numbers from a seed: the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
