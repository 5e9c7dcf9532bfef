// Every format that numbers of model files are stored in: elements and bytes of a block, and how one is decoded.
// What has no `decode` is recognised by its marker and named, and never guessed.
import { iq4Xs, q2K, q3K, q4K, q5K, q6K } from "./k-quants.js";
import { iq4Nl, mxfp4, q4_0, q4_1, q5_0, q5_1, q8_0 } from "./legacy.js";
import { bf16, type Decode, f8e4m3, f8e5m2, f16, f32, f64 } from "./plain.js";

/** How the numbers of one tensor are stored. */
export interface BlockFormat {
  readonly elements: number;
  readonly bytes: number;
  readonly decode?: Decode;
}

const block = (elements: number, bytes: number, decode?: Decode): BlockFormat =>
  decode === undefined ? { elements, bytes } : { elements, bytes, decode };

/** All formats. Sources: ggml's block layouts (gguf-py 0.19), safetensors' dtypes. */
const formats = {
  F64: block(1, 8, f64),
  F32: block(1, 4, f32),
  F16: block(1, 2, f16),
  BF16: block(1, 2, bf16),
  F8_E4M3: block(1, 1, f8e4m3),
  F8_E5M2: block(1, 1, f8e5m2),
  Q4_0: block(32, 18, q4_0),
  Q4_1: block(32, 20, q4_1),
  Q5_0: block(32, 22, q5_0),
  Q5_1: block(32, 24, q5_1),
  Q8_0: block(32, 34, q8_0),
  Q2_K: block(256, 84, q2K),
  Q3_K: block(256, 110, q3K),
  Q4_K: block(256, 144, q4K),
  Q5_K: block(256, 176, q5K),
  Q6_K: block(256, 210, q6K),
  IQ4_NL: block(32, 18, iq4Nl),
  IQ4_XS: block(256, 136, iq4Xs),
  MXFP4: block(32, 17, mxfp4),
  // Whole numbers and truth values are no weights by themselves.
  BOOL: block(1, 1),
  U8: block(1, 1),
  I8: block(1, 1),
  U16: block(1, 2),
  I16: block(1, 2),
  U32: block(1, 4),
  I32: block(1, 4),
  U64: block(1, 8),
  I64: block(1, 8),
  C64: block(1, 8),
  F4: block(2, 1),
  F6_E2M3: block(4, 3),
  F6_E3M2: block(4, 3),
  F8_E8M0: block(1, 1),
  F8_E4M3FNUZ: block(1, 1),
  F8_E5M2FNUZ: block(1, 1),
  Q8_1: block(32, 40),
  Q8_K: block(256, 292),
  NVFP4: block(64, 36),
  TQ1_0: block(256, 54),
  TQ2_0: block(256, 66),
  Q1_0: block(128, 18),
  Q2_0: block(64, 18),
  IQ1_S: block(256, 50),
  IQ1_M: block(256, 56),
  IQ2_XXS: block(256, 66),
  IQ2_XS: block(256, 74),
  IQ2_S: block(256, 82),
  IQ3_XXS: block(256, 98),
  IQ3_S: block(256, 110),
} satisfies Readonly<Record<string, BlockFormat>>;

export type FormatName = keyof typeof formats;

/** The format of that name. */
export const formatOf = (name: FormatName): BlockFormat => formats[name];
/** Whether a name is one of a format. */
export const isFormat = (name: string): name is FormatName => Object.hasOwn(formats, name);

/** GGUF's numbers of types. Missing ones were removed, or are a fork's own: unknown. */
export const ggufTypes: ReadonlyMap<number, FormatName> = new Map<number, FormatName>([
  [0, "F32"],
  [1, "F16"],
  [2, "Q4_0"],
  [3, "Q4_1"],
  [6, "Q5_0"],
  [7, "Q5_1"],
  [8, "Q8_0"],
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [12, "Q4_K"],
  [13, "Q5_K"],
  [14, "Q6_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [30, "BF16"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
  [40, "NVFP4"],
  [41, "Q1_0"],
  [42, "Q2_0"],
]);
