// Makes small IDX files for tests: headers and bytes, and whole synthetic image sets that a model can learn.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** An IDX file: magic number, sizes, bytes. */
export function idxFile(magic: number, sizes: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(magic, 0);
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, data]);
}

export const imagesFile = (count: number, size: number, pixels: Uint8Array): Buffer =>
  idxFile(0x803, [count, size, size], pixels);

export const labelsFile = (labels: readonly number[]): Buffer =>
  idxFile(0x801, [labels.length], Uint8Array.from(labels));

export interface SetOptions {
  readonly train?: number;
  readonly test?: number;
  readonly size?: number;
  readonly classes?: number;
  readonly gzip?: boolean;
  /** Between the stem and "idx3-ubyte": "-" or ".". */
  readonly separator?: string;
}

/** Writes a set whose classes are bright rows on noise: quickly learnt, not at once. Returns the folder. */
export function writeImageSet(folder: string, options: SetOptions = {}): string {
  const { train = 240, test = 60, size = 8, classes = 4, gzip = false, separator = "-" } = options;
  mkdirSync(folder, { recursive: true });
  const random = xoroshiro128plus(7);
  for (const [prefix, count] of [
    ["train", train],
    ["t10k", test],
  ] as const) {
    const labels = Array.from({ length: count }, (_, i) => i % classes);
    const pixels = Uint8Array.from({ length: count * size * size }, (_, p) => {
      const row = Math.floor(p / size) % size;
      const label = labels[Math.floor(p / (size * size))]!;
      return uniformInt(random, 0, 90) + (row === label ? 120 : 0);
    });
    const write = (name: string, bytes: Buffer): void =>
      writeFileSync(join(folder, gzip ? `${name}.gz` : name), gzip ? gzipSync(bytes) : bytes);
    write(`${prefix}-images${separator}idx3-ubyte`, imagesFile(count, size, pixels));
    write(`${prefix}-labels${separator}idx1-ubyte`, labelsFile(labels));
  }
  return folder;
}

/** Options of a model for such images that trains in no time. */
export const tinyModel: readonly string[] = "--patch 4 --width 8 --depth 1 --heads 2".split(" ");
