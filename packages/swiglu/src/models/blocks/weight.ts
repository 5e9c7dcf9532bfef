// One matrix of a block, however it is quantised: its shape as numbers, how it is stored, and a way to read it as float32.
// What is not read is named by its markers.
import { formatOf } from "../formats/table.js";
import type { Model } from "../model.js";
import type { Rows } from "../read.js";
import { isObject, type JsonObject } from "../readers/json.js";
import type { TensorInfo } from "../tensor.js";
import type { Parts } from "./sites.js";

/** A matrix, or a stack of them. */
export interface Weight {
  /** The tensor that names it. */
  readonly name: string;
  /** How it is stored: a format's name, or a scheme such as "MLX affine, 4 bits in groups of 64". */
  readonly stored: string;
  /** Its shape as numbers; undefined where the scheme is not read. */
  readonly shape: readonly number[] | undefined;
  /** Reads it, or some of its outermost rows; absent where the scheme is named but not read. */
  readonly read?: (rows?: Rows) => Promise<Float32Array>;
}

/** A matrix from its tensors. */
export function weightOf(model: Model, parts: Parts): Weight {
  const weight = parts.get("weight");
  const [blocks, scales, biases] = [parts.get("blocks"), parts.get("scales"), parts.get("biases")];
  if (blocks !== undefined && scales !== undefined) return mxfp4(model, blocks, scales);
  if (weight?.format === "U32" && scales !== undefined) return mlx(model, weight, scales, biases);
  const inverse = parts.get("weight_scale_inv");
  if (weight !== undefined && inverse !== undefined) return blockScaled(model, weight, inverse);
  const scale = parts.get("weight_scale");
  if (weight !== undefined && scale !== undefined && !parts.has("weight_zero_point")) {
    const scaled = rowScaled(model, weight, scale);
    if (scaled !== undefined) return scaled;
  }
  for (const [attribute, scheme] of markers) {
    const marked = parts.get(attribute);
    if (marked !== undefined) return { name: (weight ?? marked).name, stored: scheme, shape: undefined };
  }
  if (weight === undefined) {
    const any = parts.values().next().value as TensorInfo;
    return { name: any.name, stored: `${[...parts.keys()].join(", ")} without a weight`, shape: undefined };
  }
  const { name, shape, format, type } = weight;
  if (format === undefined) return { name, stored: `${type} (unknown)`, shape };
  // Whole numbers without a scheme that says what they stand for: their shape may be that of packed bits.
  if (formatOf(format).decode === undefined) {
    const numbers = /^([UI]\d+|BOOL)$/.test(format);
    return { name, stored: format, shape: numbers ? undefined : shape };
  }
  return { name, stored: type, shape, read: (rows) => model.read(name, rows) };
}

/** Tensors beside a weight that say how it is quantised. */
const markers: readonly (readonly [string, string])[] = [
  ["qweight", "GPTQ or AWQ"],
  ["weight_packed", "compressed-tensors"],
  ["weight_scale", "8-bit numbers with scales"],
  ["weight_scale_2", "NVFP4"],
  ["absmax", "bitsandbytes"],
  ["quant_state", "bitsandbytes"],
  ["scale", "a format with a scale beside it"],
  ["scales", "numbers with scales"],
];

/** DeepSeek: 8-bit floats, and a float32 scale for each block of rows and columns, 128 of each unless the config says else. */
function blockScaled(model: Model, weight: TensorInfo, scales: TensorInfo): Weight {
  const { name, shape, format } = weight;
  const stored = `${weight.type} with block scales`;
  const sizes = setting(model.config, "quantization_config").weight_block_size ?? [128, 128];
  const [tall, wide] = Array.isArray(sizes) ? sizes : [];
  const [rows, columns] = shape;
  const fits =
    (format === "F8_E4M3" || format === "F8_E5M2") &&
    scales.format === "F32" &&
    shape.length === 2 &&
    [tall, wide].every((size) => Number.isSafeInteger(size) && size > 0) &&
    scales.shape.join() ===
      [Math.ceil((rows as number) / tall), Math.ceil((columns as number) / wide)].join();
  if (!fits) return { name, stored, shape: undefined };
  return {
    name,
    stored,
    shape,
    async read(range) {
      const [numbers, scale] = await Promise.all([model.read(name, range), model.read(scales.name)]);
      const [width, across, first] = [columns as number, scales.shape[1] as number, range?.start ?? 0];
      for (let i = 0; i < numbers.length; i++) {
        const row = first + Math.floor(i / width);
        const block = Math.floor(row / tall) * across + Math.floor((i % width) / wide);
        numbers[i] = (numbers[i] as number) * (scale[block] as number);
      }
      return numbers;
    },
  };
}

/** FBGEMM, compressed-tensors and others: 8-bit floats, and one scale for all of them or for each row. */
function rowScaled(model: Model, weight: TensorInfo, scales: TensorInfo): Weight | undefined {
  const { name, shape, format } = weight;
  const count = scales.shape.reduce((product, size) => product * size, 1);
  const [rows, columns] = shape as [number, number];
  const whole = count === 1;
  const fits =
    (format === "F8_E4M3" || format === "F8_E5M2") &&
    shape.length === 2 &&
    ["F32", "BF16", "F16"].includes(scales.format ?? "") &&
    (whole || (count === rows && scales.shape[0] === rows));
  if (!fits) return undefined;
  return {
    name,
    stored: `${weight.type} with ${whole ? "one scale" : "a scale for each row"}`,
    shape,
    async read(range) {
      const [numbers, scale] = await Promise.all([model.read(name, range), model.read(scales.name)]);
      const first = range?.start ?? 0;
      for (let i = 0; i < numbers.length; i++) {
        const at = whole ? 0 : first + Math.floor(i / columns);
        numbers[i] = (numbers[i] as number) * (scale[at] as number);
      }
      return numbers;
    },
  };
}

/** An object of the config, or an empty one. */
const setting = (config: JsonObject | undefined, key: string): JsonObject => {
  const value = config?.[key];
  return isObject(value) ? value : {};
};

/** The 4-bit floats, doubled; unlike ggml's table of whole numbers, transformers' keeps the negative zero. */
const fp4 = /* @__PURE__ */ Float32Array.of(0, 1, 2, 3, 4, 6, 8, 12, -0, -1, -2, -3, -4, -6, -8, -12);

/** gpt-oss: blocks [..., rows, in / 32, 16] of two 4-bit floats a byte, low nibble first, and their powers of two. */
function mxfp4(model: Model, blocks: TensorInfo, scales: TensorInfo): Weight {
  const name = blocks.name;
  const groups = blocks.shape.slice(0, -1);
  const fits = blocks.format === "U8" && scales.format === "U8" && blocks.shape.at(-1) === 16;
  if (!fits || groups.join() !== scales.shape.join())
    return { name, stored: "blocks and scales of an unknown kind", shape: undefined };
  const shape = [...groups.slice(0, -1), 32 * (groups.at(-1) as number)];
  return {
    name,
    stored: "MXFP4",
    shape,
    async read(rows) {
      const [packed, powers] = await Promise.all([
        model.readBytes(name, rows),
        model.readBytes(scales.name, rows),
      ]);
      const out = new Float32Array(2 * packed.length);
      for (let b = 0; b < powers.length; b++) {
        const scale = 2 ** ((powers[b] as number) - 128);
        for (let i = 16 * b; i < 16 * b + 16; i++) {
          const byte = packed[i] as number;
          out[2 * i] = scale * (fp4[byte & 15] as number);
          out[2 * i + 1] = scale * (fp4[byte >> 4] as number);
        }
      }
      return out;
    },
  };
}

/** MLX: bits packed along the last axis into words, lowest first, with a scale and an offset for each group. */
function mlx(model: Model, weight: TensorInfo, scales: TensorInfo, biases: TensorInfo | undefined): Weight {
  const { name } = weight;
  const setting = mlxSetting(model.config, name);
  const groups = scales.shape.at(-1) ?? 0;
  const words = weight.shape.at(-1) ?? 0;
  const { bits, group_size: size, mode = "affine" } = setting;
  const known = typeof bits === "number" && typeof size === "number" && [2, 3, 4, 5, 6, 8].includes(bits);
  if (!known || mode !== "affine" || biases === undefined)
    return {
      name,
      stored: `MLX ${String(mode)}${known ? `, ${bits} bits in groups of ${size}` : ""}`,
      shape: undefined,
    };
  const stored = `MLX affine, ${bits} bits in groups of ${size}`;
  const width = groups * size;
  const sameRows = [scales, biases].every(
    ({ shape }) => shape.slice(0, -1).join() === weight.shape.slice(0, -1).join(),
  );
  if (width * bits !== words * 32 || !sameRows || biases.shape.at(-1) !== groups)
    return { name, stored: `${stored}, which its shapes contradict`, shape: undefined };
  return {
    name,
    stored,
    shape: [...weight.shape.slice(0, -1), width],
    async read(rows) {
      const [bytes, scale, offset] = await Promise.all([
        model.readBytes(name, rows),
        model.read(scales.name, rows),
        model.read(biases.name, rows),
      ]);
      return unpackAffine(bytes, scale, offset, bits, size);
    },
  };
}

/** `scale * q + offset`, each step rounded to float32; `q` has so many bits, lowest first. */
function unpackAffine(
  bytes: Uint8Array,
  scales: Float32Array,
  offsets: Float32Array,
  bits: number,
  groupSize: number,
): Float32Array {
  const out = new Float32Array(scales.length * groupSize);
  const mask = 2 ** bits - 1;
  for (let i = 0; i < out.length; i++) {
    const at = i * bits;
    const word = (bytes[at >> 3] as number) | ((bytes[(at >> 3) + 1] ?? 0) << 8);
    const group = Math.floor(i / groupSize);
    out[i] =
      Math.fround((scales[group] as number) * ((word >> (at & 7)) & mask)) + (offsets[group] as number);
  }
  return out;
}

/** MLX's settings for a module: its own where the config has them, else those of the whole model. */
function mlxSetting(config: JsonObject | undefined, tensor: string): JsonObject {
  const all = setting(config, "quantization");
  const own = all[tensor.replace(/\.weight$/, "")];
  return isObject(own) ? { ...all, ...own } : all;
}
