// ggml's blocks of 32 with one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, and those that look values up: IQ4_NL, MXFP4.
// Every product and sum is rounded to float32, in the order of gguf-py's reference, so results agree bit for bit.
import { type Decode, half } from "./plain.js";

const { fround } = Math;

/** IQ4's sixteen levels. */
export const iq4Levels = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
);
/** The sixteen 4-bit floats (E2M1), doubled so that all are whole numbers. */
const fp4Doubled = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** Nibbles of 16 bytes: the low ones are elements 0 to 15, the high ones 16 to 31. */
function nibbles(
  stride: number,
  at: number,
  numbers: (bytes: Uint8Array, block: number) => (q: number, i: number) => number,
): Decode {
  return (bytes, blocks, out) => {
    for (let b = 0; b < blocks; b++) {
      const block = b * stride;
      const number = numbers(bytes, block);
      for (let i = 0; i < 16; i++) {
        const byte = bytes[block + at + i] as number;
        out[32 * b + i] = number(byte & 15, i);
        out[32 * b + 16 + i] = number(byte >> 4, 16 + i);
      }
    }
  };
}

/** The fifth bits of 32 elements, from four bytes. */
const fifthBits =
  (bytes: Uint8Array, at: number) =>
  (i: number): number =>
    (((bytes[at + (i >> 3)] as number) >> (i & 7)) & 1) << 4;

export const q4_0 = nibbles(18, 2, (bytes, block) => {
  const d = half(bytes, block);
  return (q) => d * (q - 8);
});

export const q4_1 = nibbles(20, 4, (bytes, block) => {
  const [d, m] = [half(bytes, block), half(bytes, block + 2)];
  return (q) => fround(d * q) + m;
});

export const q5_0 = nibbles(22, 6, (bytes, block) => {
  const d = half(bytes, block);
  const fifth = fifthBits(bytes, block + 2);
  return (q, i) => d * ((q | fifth(i)) - 16);
});

export const q5_1 = nibbles(24, 8, (bytes, block) => {
  const [d, m] = [half(bytes, block), half(bytes, block + 2)];
  const fifth = fifthBits(bytes, block + 4);
  return (q, i) => fround(d * (q | fifth(i))) + m;
});

export const q8_0: Decode = (bytes, blocks, out) => {
  for (let b = 0; b < blocks; b++) {
    const d = half(bytes, 34 * b);
    for (let i = 0; i < 32; i++) out[32 * b + i] = d * (((bytes[34 * b + 2 + i] as number) << 24) >> 24);
  }
};

export const iq4Nl = nibbles(18, 2, (bytes, block) => {
  const d = half(bytes, block);
  return (q) => d * (iq4Levels[q] as number);
});

export const mxfp4 = nibbles(17, 1, (bytes, block) => {
  // The levels are doubled, so the scale is half of 2^(e - 127).
  const d = 2 ** ((bytes[block] as number) - 128);
  return (q) => d * (fp4Doubled[q] as number);
});
