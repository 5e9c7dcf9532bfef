// Numbers of model files as float32: bit for bit what gguf-py, numpy and ml_dtypes make of the same bytes.
import { fileURLToPath } from "node:url";
import { openModel } from "swiglu/models";
import { afterAll, describe, expect, test } from "vitest";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const bits = (numbers: Float32Array): Uint32Array =>
  new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);

/** Float32 bits, where any NaN is one: converting one NaN to another format may quieten it. */
const bitsButNaN = (numbers: Float32Array): number[] =>
  Array.from(bits(numbers), (bit, i) => (Number.isNaN(numbers[i]) ? Number.NaN : bit));

const stored = await openModel(fixture("blocks.gguf"));
const expected = await openModel(fixture("blocks.safetensors"));
afterAll(() => Promise.all([stored.close(), expected.close()]));

describe("GGUF's blocks, bit for bit as gguf-py 0.19 reads them", () => {
  test("the fixture holds every format that is read", () => {
    expect([...stored.tensors.keys()].sort()).toEqual(
      "BF16 F16 IQ4_NL IQ4_XS MXFP4 Q2_K Q3_K Q4_0 Q4_1 Q4_K Q5_0 Q5_1 Q5_K Q6_K Q8_0".split(" "),
    );
  });
  for (const [name, { type, shape }] of stored.tensors)
    test(name, async () => {
      expect(type).toBe(name);
      expect(shape).toEqual([3, 512]);
      const numbers = await stored.read(name);
      expect(numbers.length).toBe(3 * 512);
      expect(new Set(numbers).size).toBeGreaterThan(20);
      expect(bits(numbers)).toEqual(bits(await expected.read(name)));
    });
  test("some rows are the same numbers as all of them", async () => {
    for (const name of stored.tensors.keys()) {
      const all = await stored.read(name);
      expect(bits(await stored.read(name, { start: 1, count: 2 }))).toEqual(bits(all.slice(512)));
    }
  });
  test("rows outside the tensor are named", async () => {
    await expect(stored.read("Q4_K", { start: 2, count: 2 })).rejects.toThrow(
      "rows 2 to 4 are not among the 3 of Q4_K",
    );
  });
});

describe("small floats, bit for bit as numpy 2.4 and ml_dtypes 0.6 widen them", async () => {
  const plain = await openModel(fixture("plain.safetensors"));
  const widened = await openModel(fixture("plain.expected.safetensors"));
  afterAll(() => Promise.all([plain.close(), widened.close()]));
  for (const name of ["F8_E4M3", "F8_E5M2", "F16", "BF16"])
    test(name, async () => {
      expect(bitsButNaN(await plain.read(name))).toEqual(bitsButNaN(await widened.read(name)));
    });
  test("all 65,536 halves are the numbers that their parts say", async () => {
    const bytes = new Uint8Array(131_072);
    for (let i = 0; i < 65_536; i++) new DataView(bytes.buffer).setUint16(2 * i, i, true);
    const header = new TextEncoder().encode(
      '{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}',
    );
    const file = new Uint8Array(8 + header.length + bytes.length);
    file[0] = header.length;
    file.set(header, 8);
    file.set(bytes, 8 + header.length);
    const numbers = await (await openModel(file)).read("h");
    const expectedOf = (i: number): number => {
      const [sign, exponent, mantissa] = [i >> 15 ? -1 : 1, (i >> 10) & 31, i & 1023];
      const magnitude =
        exponent === 31
          ? mantissa === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : exponent === 0
            ? mantissa * 2 ** -24
            : (1 + mantissa / 1024) * 2 ** (exponent - 15);
      return sign * magnitude;
    };
    const wrong = Array.from(numbers.keys()).filter((i) => !Object.is(numbers[i], expectedOf(i)));
    expect(wrong).toEqual([]);
  });
});
