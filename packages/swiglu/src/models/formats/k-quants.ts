// ggml's blocks of 256 with scales of their own inside: Q2_K to Q6_K, and IQ4_XS.
// Every product and difference is rounded to float32, in the order of gguf-py's reference, so results agree bit for bit.
import { iq4Levels } from "./legacy.js";
import { type Decode, half } from "./plain.js";

const { fround } = Math;

/** One element as the block's parts give it; `i` is its place among 256. */
type Element = (i: number) => number;

/** Decodes blocks of 256 elements, each `stride` bytes long. */
function superBlocks(stride: number, elements: (bytes: Uint8Array, block: number) => Element): Decode {
  return (bytes, blocks, out) => {
    for (let b = 0; b < blocks; b++) {
      const element = elements(bytes, b * stride);
      for (let i = 0; i < 256; i++) out[256 * b + i] = element(i);
    }
  };
}

/** Two bits of element `i`: 32 bytes hold four runs of 32 elements, 64 bytes eight. */
const twoBits = (bytes: Uint8Array, at: number, i: number): number =>
  ((bytes[at + 32 * (i >> 7) + (i & 31)] as number) >> (2 * ((i >> 5) & 3))) & 3;
/** Four bits of element `i`: 32 bytes hold two runs of 32 elements. */
const fourBits = (bytes: Uint8Array, at: number, i: number): number =>
  ((bytes[at + 32 * (i >> 6) + (i & 31)] as number) >> (4 * ((i >> 5) & 1))) & 15;
/** One bit of element `i`: 32 bytes hold eight runs of 32 elements. */
const oneBit = (bytes: Uint8Array, at: number, i: number): number =>
  ((bytes[at + (i & 31)] as number) >> (i >> 5)) & 1;

export const q2K = superBlocks(84, (bytes, block) => {
  const [d, dmin] = [half(bytes, block + 80), half(bytes, block + 82)];
  const scales = bytes.subarray(block, block + 16);
  const dl = Float32Array.from(scales, (s) => d * (s & 15));
  const ml = Float32Array.from(scales, (s) => dmin * (s >> 4));
  return (i) => fround((dl[i >> 4] as number) * twoBits(bytes, block + 16, i)) - (ml[i >> 4] as number);
});

export const q3K = superBlocks(110, (bytes, block) => {
  const d = half(bytes, block + 108);
  const at = block + 96;
  // Sixteen 6-bit scales: low four bits in 8 bytes, then high two bits in 4.
  const dl = Float32Array.from({ length: 16 }, (_, j) => {
    const low = ((bytes[at + (j & 7)] as number) >> (4 * (j >> 3))) & 15;
    const high = ((bytes[at + 8 + (j & 3)] as number) >> (2 * (j >> 2))) & 3;
    return d * ((low | (high << 4)) - 32);
  });
  return (i) =>
    (dl[i >> 4] as number) * (twoBits(bytes, block + 32, i) - (oneBit(bytes, block, i) === 1 ? 0 : 4));
});

/** Eight 6-bit scales and eight 6-bit minima in 12 bytes, times the block's two halves. */
function scalesAndMinima(bytes: Uint8Array, block: number): { dl: Float32Array; ml: Float32Array } {
  const [d, dmin] = [half(bytes, block), half(bytes, block + 2)];
  const at = block + 4;
  const six = (j: number, own: number, shift: number): number =>
    j < 4
      ? (bytes[at + own + j] as number) & 63
      : (((bytes[at + 4 + j] as number) >> shift) & 15) | (((bytes[at + own + j - 4] as number) >> 2) & 48);
  return {
    dl: Float32Array.from({ length: 8 }, (_, j) => d * six(j, 0, 0)),
    ml: Float32Array.from({ length: 8 }, (_, j) => dmin * six(j, 4, 4)),
  };
}

export const q4K = superBlocks(144, (bytes, block) => {
  const { dl, ml } = scalesAndMinima(bytes, block);
  return (i) => fround((dl[i >> 5] as number) * fourBits(bytes, block + 16, i)) - (ml[i >> 5] as number);
});

export const q5K = superBlocks(176, (bytes, block) => {
  const { dl, ml } = scalesAndMinima(bytes, block);
  return (i) => {
    const q = fourBits(bytes, block + 48, i) | (oneBit(bytes, block + 16, i) << 4);
    return fround((dl[i >> 5] as number) * q) - (ml[i >> 5] as number);
  };
});

export const q6K = superBlocks(210, (bytes, block) => {
  const d = half(bytes, block + 208);
  const dl = Float32Array.from(
    { length: 16 },
    (_, j) => d * (((bytes[block + 192 + j] as number) << 24) >> 24),
  );
  return (i) => {
    // 64 bytes of low nibbles hold two runs of 64 elements; 32 bytes of high pairs hold four runs of 32.
    const low = ((bytes[block + 64 * (i >> 7) + (i & 63)] as number) >> (4 * ((i >> 6) & 1))) & 15;
    return (dl[i >> 4] as number) * ((low | (twoBits(bytes, block + 128, i) << 4)) - 32);
  };
});

export const iq4Xs = superBlocks(136, (bytes, block) => {
  const d = half(bytes, block);
  const high = (bytes[block + 2] as number) | ((bytes[block + 3] as number) << 8);
  const dl = Float32Array.from({ length: 8 }, (_, j) => {
    const low = ((bytes[block + 4 + (j >> 1)] as number) >> (4 * (j & 1))) & 15;
    return d * ((low | (((high >> (2 * j)) & 3) << 4)) - 32);
  });
  return (i) => {
    const q = ((bytes[block + 8 + 16 * (i >> 5) + (i & 15)] as number) >> (4 * ((i >> 4) & 1))) & 15;
    return (dl[i >> 5] as number) * (iq4Levels[q] as number);
  };
});
