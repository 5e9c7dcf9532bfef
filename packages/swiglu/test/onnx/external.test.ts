// Weights in a second file: where they lie, what ONNX Runtime makes of the pair, memory, and the sentences for what is damaged.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as native from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeExternal,
  decodeModel,
  encodeExternal,
  encodeModel,
  gatedFfnGraph,
  loadModel,
  type Model,
  openModel,
  type StoredModel,
  toFile,
  toModel,
  writeModel,
} from "../../src/onnx-entry.js";
import { plainFloats } from "../conformance/samples.js";
import { models } from "./files.js";

const size = { dModel: 64, dFf: 96 };
const graph = gatedFfnGraph({
  activation: "swiglu",
  ...size,
  weights: {
    gate: plainFloats(6144, 1),
    up: plainFloats(6144, 2),
    down: plainFloats(6144, 3),
    downBias: plainFloats(64, 4),
  },
});
const x = plainFloats(5 * 64, 5);

async function collected(data: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of data) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "swiglu-external-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(models)("%s: the pair gives back the model", async (_, model) => {
  for (const threshold of [0, 16, 1024]) {
    const { file, data, dataBytes } = encodeExternal(model, { location: "all.data", threshold });
    const bytes = await collected(data);
    expect(bytes.length).toBe(dataBytes);
    const stored = decodeExternal(file, (location, offset, length) => {
      expect(location).toBe("all.data");
      return bytes.subarray(offset, offset + length);
    });
    const back = await loadModel(stored);
    expect(Buffer.from(encodeModel(back)).equals(encodeModel(model))).toBe(true);
  }
});

test("tensors begin on pages of 4 KiB, those above 1 MiB at multiples of 64 KiB, and small ones stay inside", async () => {
  const tensor = (name: string, length: number) => ({
    name,
    dtype: "float32" as const,
    shape: [length],
    data: new Float32Array(length).fill(length),
  });
  const model: Model = {
    opset: 21,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: [
      tensor("small", 255),
      tensor("a", 256),
      tensor("b", 3000),
      tensor("big", 2 ** 18 + 1),
      tensor("c", 300),
    ],
  };
  const { file, data, dataBytes } = encodeExternal(model, { location: "d" });
  const asked: [number, number][] = [];
  const bytes = await collected(data);
  const stored = decodeExternal(file, (_, offset, length) => {
    asked.push([offset, length]);
    return bytes.subarray(offset, offset + length);
  });
  expect(stored.initializers.map((each) => "load" in each)).toEqual([false, true, true, true, true]);
  await loadModel(stored);
  // After big, which ends at 65536 + 2^20 + 4, the next page is at 1118208.
  expect(asked).toEqual([
    [0, 1024],
    [4096, 12000],
    [65536, 2 ** 20 + 4],
    [1118208, 1200],
  ]);
  expect(dataBytes).toBe(1118208 + 1200);
});

describe.each(["float32", "float16"] as const)("a %s block beside its weights", (dtype) => {
  const options = { dtype, io: "float32", math: "fast" } as const;
  const expected = async (): Promise<Float32Array> => {
    const session = await native.InferenceSession.create(toFile(graph, options));
    return (await session.run({ x: new native.Tensor("float32", x, [5, 64]) })).y!.data as Float32Array;
  };

  test("onnxruntime-node loads the pair by the model's path", async () => {
    const path = join(folder, `${dtype}.onnx`);
    await writeModel(path, toModel(graph, options), { external: true });
    expect((await stat(path)).size).toBeLessThan(2000);
    expect((await stat(`${path}.data`)).size).toBeGreaterThanOrEqual(
      6144 * 3 * (dtype === "float32" ? 4 : 2),
    );
    const session = await native.InferenceSession.create(path);
    const { y } = await session.run({ x: new native.Tensor("float32", x, [5, 64]) });
    expect(y!.data).toEqual(await expected());
    const back = await loadModel(await openModel(path));
    expect(Buffer.from(encodeModel(back)).equals(toFile(graph, options))).toBe(true);
    expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("onnxruntime-web takes the data beside the file", async () => {
    const { file, data } = encodeExternal(toModel(graph, options), { location: "w.data" });
    web.env.wasm.numThreads = 1;
    const session = await web.InferenceSession.create(file, {
      externalData: [{ path: "w.data", data: await collected(data) }],
    });
    const { y } = await session.run({ x: new web.Tensor("float32", x, [5, 64]) });
    const native = await expected();
    const largest = native.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    (y!.data as Float32Array).forEach((value, i) => {
      expect(Math.abs(value - (native[i] as number))).toBeLessThan(
        largest * (dtype === "float32" ? 1e-5 : 2 ** -8),
      );
    });
  });
});

test("a small model is one file unless two are asked for", async () => {
  const path = join(folder, "one.onnx");
  await writeModel(path, toModel(graph));
  expect(Buffer.from(await readFile(path)).equals(toFile(graph))).toBe(true);
  expect(await readdir(folder)).not.toContain("one.onnx.data");
  expect((await loadModel(await openModel(path))).initializers).toEqual(
    decodeModel(toFile(graph)).initializers,
  );
});

test("what is not in memory is loaded tensor by tensor, when it is written, and never held", async () => {
  const length = 2 ** 20;
  const events: string[] = [];
  const stored: StoredModel = {
    opset: 21,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: ["a", "b", "c"].map((name, i) => ({
      name,
      dtype: "float16",
      shape: [length],
      load: async () => {
        events.push(`load ${name}`);
        return new Float32Array(length).fill(i + 1);
      },
    })),
  };
  const { data } = encodeExternal(stored, { location: "x.data" });
  expect(events).toEqual([]);
  for await (const piece of data) {
    expect(piece.length).toBeLessThanOrEqual(2 ** 22);
    if (piece.length === 2 * length) events.push(`write ${piece[1]}`);
  }
  expect(events).toEqual(["load a", "write 60", "load b", "write 64", "load c", "write 66"]);
  // From disk to disk: each is read when its turn comes, piece by piece.
  const [from, to] = [join(folder, "from.onnx"), join(folder, "to.onnx")];
  await writeModel(from, stored, { external: true });
  await writeModel(to, await openModel(from), { external: true });
  expect((await readFile(`${to}.data`)).equals(await readFile(`${from}.data`))).toBe(true);
});

describe("mistakes and damage", () => {
  const model = toModel(graph);
  test.each(["", "..", "../x", "/etc/passwd", "a/../../b", "C:\\x", "a\u0000b", "./x", undefined as never])(
    "a location %o is refused, in options and in files",
    (location) => {
      expect(() => encodeExternal(model, { location })).toThrow(
        /^location is .*, expected the name of a file beside/,
      );
      if (location === undefined) return;
      const good = "g".repeat(location.length);
      if (good === "") return;
      const { file } = encodeExternal(model, { location: good });
      const altered = Buffer.from(file);
      const key = Buffer.from(`location\u0012${String.fromCharCode(good.length)}${good}`);
      for (let at = altered.indexOf(key); at >= 0; at = altered.indexOf(key, at + 1))
        altered.write(location, at + 10, "latin1");
      expect(() => decodeExternal(altered, () => new Uint8Array())).toThrow(
        /^tensor "gate": the file of its data is .*, expected the name/,
      );
    },
  );

  test("a file that ends too early is noticed before memory is taken", async () => {
    const { file, data } = encodeExternal(model, { location: "d" });
    const bytes = await collected(data);
    const cut = decodeExternal(file, (_, offset, length) =>
      bytes.subarray(0, 50_000).subarray(offset, offset + length),
    );
    await expect(loadModel(cut)).rejects.toThrow(
      /^tensor "down": "d" gave 848 bytes at 49152; expected 24576/,
    );
    const huge: StoredModel = {
      ...model,
      initializers: [{ name: "w", dtype: "float32", shape: [2 ** 45], load: async () => [] }],
    };
    const { file: announcing, data: failing } = encodeExternal(huge, { location: "d" });
    await expect(loadModel(decodeExternal(announcing, () => new Uint8Array()))).rejects.toThrow(
      /^tensor "w": "d" gave 0 bytes at \d+; expected 4194304/,
    );
    await expect(collected(failing)).rejects.toThrow(
      /^tensor "w" has 0 elements; its shape \[35184372088832\] needs/,
    );
    // A reader that says yes to everything: then memory is asked for, and that it is not there is said.
    await expect(
      loadModel(decodeExternal(announcing, (_, __, length) => new Uint8Array(length))),
    ).rejects.toThrow(/^tensor "w": /);
  });

  test("a missing data file is the system's own sentence, and a failed write leaves nothing", async () => {
    const path = join(folder, "alone.onnx");
    await writeFile(path, encodeExternal(model, { location: "nothing.data" }).file);
    await expect(loadModel(await openModel(path))).rejects.toThrow(/ENOENT.*nothing\.data/);
    const failing: StoredModel = {
      ...model,
      initializers: [
        { name: "w", dtype: "float32", shape: [1024], load: () => Promise.reject(new Error("no data")) },
      ],
    };
    const target = join(folder, "failed.onnx");
    await expect(writeModel(target, failing, { external: true })).rejects.toThrow("no data");
    expect((await readdir(folder)).filter((name) => name.startsWith("failed"))).toEqual([]);
  });

  test("decodeModel says where the data is", () => {
    const { file } = encodeExternal(model, { location: "d" });
    expect(() => decodeModel(file)).toThrow(
      /^tensor "gate" has its data in another file; read it with decodeExternal/,
    );
  });

  test("2 GiB of data in one file is refused with the way out", () => {
    const data = new Float32Array(0);
    Object.defineProperty(data, "length", { value: 2 ** 29 });
    const large = {
      ...model,
      initializers: [{ name: "w", dtype: "float32" as const, shape: [2 ** 29], data }],
    };
    expect(() => encodeModel(large)).toThrow(
      /ends at 2 GiB: put the data beside it with encodeExternal or writeModel/,
    );
  });
});
