// Headers: every way a model may be given, shards and indexes, all GGUF versions, and a sentence for whatever is wrong.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GGMLQuantizationType, gguf as otherReader } from "@huggingface/gguf";
import { ModelFileError, type ModelInput, openModel } from "swiglu/models";
import { afterAll, describe, expect, test } from "vitest";
import { slowExtent } from "../conformance/extent.js";
import { floats, gguf, safetensors, safetensorsOf, seeded } from "./files.js";

const folder = mkdtempSync(join(tmpdir(), "swiglu-models-"));
afterAll(() => rmSync(folder, { recursive: true }));

const one = safetensors({ a: floats([2, 2], [1, 2, 3, 4]), empty: floats([0, 3], []) }, { format: "pt" });
const shards = {
  "model-00001-of-00002.safetensors": safetensors({ a: floats([2], [1, 2]) }),
  "model-00002-of-00002.safetensors": safetensors({ b: floats([1], [3]) }),
};
const weightMap = {
  a: "model-00001-of-00002.safetensors",
  b: "model-00002-of-00002.safetensors",
};
const indexOf = (map: object): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 12 }, weight_map: map }));
const config = new TextEncoder().encode('{"model_type":"llama"}');

describe("where a model may be", () => {
  writeFileSync(join(folder, "model.safetensors"), one);
  writeFileSync(join(folder, "config.json"), config);
  const file = new File([one as BlobPart], "model.safetensors");
  const inputs: Readonly<Record<string, ModelInput>> = {
    "a path": join(folder, "model.safetensors"),
    "a folder": folder,
    "a file's URL": pathToFileURL(join(folder, "model.safetensors")),
    bytes: one,
    "a Blob": new Blob([one as BlobPart]),
    "a browser's File": file,
    "several Files": [file, new File([config as BlobPart], "config.json")],
    "bytes by name": { "model.safetensors": one, "config.json": config },
  };
  for (const [name, input] of Object.entries(inputs))
    test(name, async () => {
      const model = await openModel(input);
      expect(model.format).toBe("safetensors");
      expect(model.tensors.get("a")).toMatchObject({ shape: [2, 2], format: "F32", bytes: 16 });
      expect(await model.read("a")).toEqual(Float32Array.of(1, 2, 3, 4));
      expect(await model.read("a", { start: 1, count: 1 })).toEqual(Float32Array.of(3, 4));
      expect(await model.read("empty")).toEqual(new Float32Array(0));
      expect(model.metadata.get("format")).toBe("pt");
      const alone = ["bytes", "a Blob", "a browser's File"].includes(name);
      expect(model.config).toEqual(alone ? undefined : { model_type: "llama" });
      await model.close();
    });

  test("anything else is named", async () => {
    await expect(openModel(7 as never)).rejects.toThrow("source is 7, expected a path, a URL, bytes");
    await expect(openModel(join(folder, "none.gguf"))).rejects.toThrow("none.gguf is no file or folder");
    await expect(openModel({ "a.bin": new Uint8Array(9) })).rejects.toThrow(
      /no .safetensors, .gguf or .onnx/,
    );
    await expect(openModel(new Uint8Array(64))).rejects.toThrow("model is no safetensors, GGUF or ONNX file");
    await expect(openModel(new Uint8Array(0))).rejects.toThrow(ModelFileError);
    const two = { "a.gguf": gguf({}), "b.gguf": gguf({}) };
    await expect(openModel(two)).rejects.toThrow(
      "the folder has 2 models (a.gguf, b.gguf): name one of them",
    );
  });
});

describe("shards", () => {
  const both = async (input: ModelInput): Promise<void> => {
    const model = await openModel(input);
    expect([...model.tensors.keys()].sort()).toEqual(["a", "b"]);
    expect([await model.read("a"), await model.read("b")]).toEqual([
      Float32Array.of(1, 2),
      Float32Array.of(3),
    ]);
    expect(model.remarks).toEqual([]);
  };
  test("without an index", () => both(shards));
  test("with their index", () => both({ ...shards, "model.safetensors.index.json": indexOf(weightMap) }));
  test("a missing one is named", () =>
    expect(
      openModel({ "model-00001-of-00002.safetensors": shards["model-00001-of-00002.safetensors"] }),
    ).rejects.toThrow("model-00002-of-00002.safetensors is missing"));
  test("a stale index is remarked on, and the headers are right", async () => {
    const stale = indexOf({ ...weightMap, a: "model-00002-of-00002.safetensors", gone: weightMap.b });
    const model = await openModel({ ...shards, "model.safetensors.index.json": stale });
    expect(model.tensors.get("a")?.file).toBe("model-00001-of-00002.safetensors");
    expect(model.remarks).toEqual([
      "model.safetensors.index.json is stale: 1 tensors that it lists are in no file (gone)",
      "model.safetensors.index.json is stale: 1 tensors lie in another file than it says (a)",
    ]);
  });
  test("an index that leads out of the folder is refused", () =>
    expect(
      openModel({ ...shards, "model.safetensors.index.json": indexOf({ a: "../../secret.safetensors" }) }),
    ).rejects.toThrow('names "../../secret.safetensors", expected a file beside it'));
  test("one name in two files is refused", () =>
    expect(
      openModel({
        "model-00001-of-00002.safetensors": safetensors({ a: floats([1], [1]) }),
        "model-00002-of-00002.safetensors": safetensors({ a: floats([1], [2]) }),
      }),
    ).rejects.toThrow(
      "a is in model-00001-of-00002.safetensors and again in model-00002-of-00002.safetensors",
    ));
  test("of GGUF", async () => {
    const model = await openModel({
      "m-00001-of-00002.gguf": gguf(
        {
          "general.architecture": { text: "llama" },
          "split.count": { u32: 2 },
          "split.tensors.count": { u32: 2 },
        },
        { a: floats([2], [1, 2]) },
      ),
      "m-00002-of-00002.gguf": gguf({ "split.count": { u32: 2 } }, { b: floats([1], [3]) }),
    });
    expect(model.metadata.get("general.architecture")).toBe("llama");
    expect([await model.read("a"), await model.read("b")]).toEqual([
      Float32Array.of(1, 2),
      Float32Array.of(3),
    ]);
    expect(model.remarks).toEqual([]);
  });
});

const unbig = (value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);

describe("GGUF", () => {
  const metadata = {
    "general.architecture": { text: "llama" },
    "llama.block_count": { u32: 2 },
    "llama.swiglu_clamp_exp": { f32s: [4, 0] },
    "tokenizer.tokens": { texts: Array.from({ length: 3000 }, (_, i) => `token ${i}`) },
    "tokenizer.scores": { f32s: Array.from({ length: 30_000 }, (_, i) => i) },
    "general.quantized": { bool: true },
  } as const;
  const tensors = { "blk.0.ffn_up.weight": floats([3, 2], [1, 2, 3, 4, 5, 6]) };
  for (const version of [1, 2, 3])
    test(`version ${version}`, async () => {
      const model = await openModel(gguf(metadata, tensors, { version }));
      expect(model.format).toBe("gguf");
      expect(Object.fromEntries(model.metadata)).toEqual({
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.swiglu_clamp_exp": [4, 0],
        "tokenizer.tokens": { type: "string", length: 3000 },
        "tokenizer.scores": { type: "f32", length: 30_000 },
        "general.quantized": true,
      });
      expect(model.tensors.get("blk.0.ffn_up.weight")?.shape).toEqual([3, 2]);
      expect(await model.read("blk.0.ffn_up.weight", { start: 2, count: 1 })).toEqual(Float32Array.of(5, 6));
    });
  test("metadata of every kind reads as gguf-py 0.19 reads it", async () => {
    const fixture = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
    const wanted = JSON.parse(new TextDecoder().decode(fixture("keys.json"))) as object;
    const model = await openModel(fixture("keys.gguf"));
    const own = [...model.metadata].filter(([key]) => key.startsWith("a."));
    expect(own).toHaveLength(16);
    expect(Object.fromEntries(own)).toEqual(wanted);
    expect(await model.read("w", { start: 1, count: 1 })).toEqual(Float32Array.of(3, 4, 5));
  });
  test("headers read as @huggingface/gguf 0.4.6 reads them, versions 1 to 3 and a file of gguf-py's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "swiglu-gguf-"));
    const fixture = new Uint8Array(readFileSync(new URL("fixtures/keys.gguf", import.meta.url)));
    const more = { ...tensors, "blk.0.ffn_down.weight": { ...floats([2, 3], [1, 2, 3, 4, 5, 6]), type: 0 } };
    const files = [...[1, 2, 3].map((version) => gguf(metadata, more, { version })), fixture];
    try {
      for (const [i, bytes] of files.entries()) {
        const file = join(folder, `${i}.gguf`);
        writeFileSync(file, bytes);
        const wanted = await otherReader(file, { allowLocalFile: true });
        const model = await openModel(bytes);
        for (const [key, value] of Object.entries(wanted.metadata)) {
          if (["version", "tensor_count", "kv_count"].includes(key)) continue;
          const own = model.metadata.get(key);
          const plain = Array.isArray(value) ? value.map(unbig) : unbig(value);
          // Long arrays are counted and not kept.
          if (typeof own === "object" && "length" in own && !Array.isArray(own))
            expect(own.length, key).toBe((plain as unknown[]).length);
          else expect(own, key).toEqual(plain);
        }
        expect(model.metadata.size).toBe(Number(wanted.metadata.kv_count));
        expect(model.tensors.size).toBe(wanted.tensorInfos.length);
        const data = Number(wanted.tensorDataOffset);
        for (const { name, shape, dtype, offset } of wanted.tensorInfos) {
          const own = model.tensors.get(name);
          expect(own?.shape).toEqual(shape.map(Number).reverse());
          expect(own?.offset).toBe(data + Number(offset));
          expect(own?.type).toBe(GGMLQuantizationType[dtype]);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  test("big endian is recognised, and its numbers are refused", async () => {
    const model = await openModel(gguf(metadata, tensors, { littleEndian: false }));
    expect(model.metadata.get("llama.block_count")).toBe(2);
    expect(model.remarks).toEqual(["model is big endian: its header is read, its numbers are not"]);
    await expect(model.read("blk.0.ffn_up.weight")).rejects.toThrow("model is big endian");
  });
  test("an unknown type is named, never guessed", async () => {
    const model = await openModel(gguf({}, { a: { shape: [32], type: 97, bytes: new Uint8Array(18) } }));
    expect(model.tensors.get("a")).toMatchObject({ type: "type 97", format: undefined });
    await expect(model.read("a")).rejects.toThrow("a is stored as type 97, which is unknown and not read");
  });
  test("a known type that is not read is named", async () => {
    const model = await openModel(gguf({}, { a: { shape: [256], type: 16, bytes: new Uint8Array(66) } }));
    await expect(model.read("a")).rejects.toThrow("a is stored as IQ2_XXS, which is recognised but not read");
  });
  test("an unknown version is named", () =>
    expect(openModel(gguf({}, {}, { version: 4 }))).rejects.toThrow("GGUF version 4 is unknown"));
});

test("a config.json that cannot be read is remarked on", async () => {
  const model = await openModel({
    "model.safetensors": one,
    "config.json": new TextEncoder().encode("<html>"),
  });
  expect(model.config).toBeUndefined();
  expect(model.remarks[0]).toContain("config.json is left out of account: config.json: its JSON is damaged");
});

describe("what is wrong with a file is said in a sentence", () => {
  const entry = (fields: object): string =>
    JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });
  const data = new Uint8Array(8);
  const wrong: Readonly<Record<string, [Uint8Array, RegExp]>> = {
    "cut short": [one.subarray(0, one.length - 4), /it is cut short/],
    "bytes after the end": [safetensorsOf(entry({}), data, data), /8 bytes after its last tensor/],
    "a huge header": [
      Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127, 123, 125, 0),
      /header is said to have .* bytes, but the file has 11/,
    ],
    "damaged JSON": [safetensorsOf('{"w":', data), /its JSON is damaged/],
    "a key twice": [
      safetensorsOf(`{${entry({}).slice(1, -1)},${entry({}).slice(1)}`, data),
      /w is given twice/,
    ],
    "a hole": [safetensorsOf(entry({ data_offsets: [4, 12] }), data, data), /after a hole/],
    "a wrong size": [safetensorsOf(entry({ shape: [3] }), data), /takes 12 bytes, but has 8/],
    "a negative size": [safetensorsOf(entry({ shape: [-2] }), data), /lacks a proper dtype, shape/],
    "more than 2^53": [safetensorsOf(entry({ shape: [2 ** 30, 2 ** 30] }), data), /more than any file holds/],
    "metadata that is no text": [
      safetensorsOf(`{"__metadata__":{"a":1},${entry({}).slice(1)}`, data),
      /__metadata__.a is no string/,
    ],
  };
  for (const [name, [bytes, message]] of Object.entries(wrong))
    test(name, async () => {
      await expect(openModel(bytes)).rejects.toThrow(message);
      await expect(openModel(bytes)).rejects.toThrow(ModelFileError);
    });
  test("an unknown dtype is named, never guessed", async () => {
    const model = await openModel(safetensorsOf(entry({ dtype: "F128" }), data));
    await expect(model.read("w")).rejects.toThrow("w is stored as F128, which is unknown and not read");
  });
});

describe("a file on the web", () => {
  /** A sparse file of 70 GB: a header, tensors of zeros. */
  const experts = 64;
  const blocks: Record<string, object> = {};
  let at = 0;
  for (let layer = 0; layer < 40; layer++)
    for (const part of ["gate", "up", "down"]) {
      const [shape, bytes] = [[experts, 2048, 2222], experts * 2048 * 2222 * 2];
      blocks[`model.layers.${layer}.mlp.experts.${part}_proj`] = {
        dtype: "BF16",
        shape,
        data_offsets: [at, at + bytes],
      };
      at += bytes;
    }
  const head = safetensorsOf(JSON.stringify(blocks));
  const size = head.length + at;
  const requests: string[] = [];
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(`${request.url} ${request.headers.range}`);
    if (request.url === "/whole/model.safetensors") {
      response.writeHead(200, { "content-length": 1e9 });
      response.write(head);
      return;
    }
    if (request.url !== "/big/model.safetensors") {
      response.writeHead(404).end();
      return;
    }
    const [, from = "0", to = "0"] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const end = Math.min(Number(to) + 1, size);
    response.writeHead(206, { "content-range": `bytes ${from}-${end - 1}/${size}` });
    const bytes = new Uint8Array(end - Number(from));
    if (Number(from) < head.length) bytes.set(head.subarray(Number(from), end));
    response.end(bytes);
  };
  const server = createServer(serve);
  const listening = new Promise<string>((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("70 GB are opened with one request, and an expert's rows with one more", async () => {
    const base = await listening;
    requests.length = 0;
    const model = await openModel(`${base}/big/model.safetensors`);
    expect(size).toBeGreaterThan(69e9);
    expect(model.tensors.size).toBe(120);
    expect(requests).toEqual(["/big/model.safetensors bytes=0-65535", "/big/config.json bytes=0-65535"]);
    const rows = await model.read("model.layers.39.mlp.experts.down_proj", { start: 63, count: 1 });
    expect(rows.length).toBe(2048 * 2222);
    expect(requests.length).toBe(4);
    expect(model.bytesRead).toBeLessThan(20e6);
  });
  test("a folder's address finds the usual names", async () => {
    const model = await openModel(`${await listening}/big/`);
    expect(model.files).toEqual(["model.safetensors"]);
  });
  test("a server without ranges is named, and nothing is downloaded", async () => {
    await expect(openModel(`${await listening}/whole/model.safetensors`)).rejects.toThrow(
      "does not answer requests for ranges of bytes: download the file first",
    );
  });
  test("what is not there is named", async () => {
    await expect(openModel(`${await listening}/none/model.safetensors`)).rejects.toThrow(
      "model.safetensors is missing",
    );
    await expect(openModel(`${await listening}/none/`)).rejects.toThrow(
      "a folder on the web cannot be listed",
    );
  });
});

describe("damaged files", () => {
  const count = slowExtent === "full" ? 100_000 : 4000;
  const originals: readonly Uint8Array[] = [
    one,
    safetensors(
      Object.fromEntries(
        Array.from({ length: 20 }, (_, i) => [`t${i}`, floats([4, 2], new Array(8).fill(i))]),
      ),
    ),
    gguf(
      {
        "general.architecture": { text: "llama" },
        "general.alignment": { u32: 32 },
        "llama.swiglu_clamp_exp": { f32s: [4, 5, 7] },
        tokens: { texts: ["a", "bc", "def"] },
      },
      {
        "blk.0.ffn_up.weight": floats([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
        q: { shape: [2, 32], type: 2, bytes: new Uint8Array(36) },
      },
    ),
    gguf({ a: { u32: 1 } }, { b: floats([8], [1, 2, 3, 4, 5, 6, 7, 8]) }, { version: 1 }),
  ];
  /** Bytes that a header's numbers like least. */
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  function damaged(random: () => number): Uint8Array {
    const original = originals[Math.floor(random() * originals.length)] as Uint8Array;
    const cut = random() < 0.1 ? Math.floor(random() * original.length) : original.length;
    const bytes = original.slice(0, cut);
    const changes = 1 + Math.floor(random() * 4);
    for (let i = 0; i < changes && bytes.length > 0; i++) {
      const at = Math.floor(random() * bytes.length);
      const run = random() < 0.2 ? 8 : 1;
      for (let j = at; j < Math.min(at + run, bytes.length); j++)
        bytes[j] =
          random() < 0.5 ? (extremes[Math.floor(random() * 5)] as number) : Math.floor(random() * 256);
    }
    return bytes;
  }

  test(`${count} of them (npm run test:all: 100000) give a sentence or a model, in 200 MB and 5 s each`, async () => {
    const random = seeded(18);
    let [refused, slowest, memory] = [0, 0, 0];
    const before = process.memoryUsage().rss;
    for (let i = 0; i < count; i++) {
      const bytes = damaged(random);
      const start = performance.now();
      try {
        const model = await openModel(bytes);
        for (const name of model.tensors.keys()) await model.read(name);
      } catch (error) {
        refused++;
        if (!(error instanceof ModelFileError))
          throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
        if (!/\w/.test(error.message) || error.message.length > 600)
          throw new Error(`no sentence: ${error.message}`);
      }
      slowest = Math.max(slowest, performance.now() - start);
      if (i % 500 === 0) memory = Math.max(memory, process.memoryUsage().rss - before);
    }
    expect(refused).toBeGreaterThan(count / 4);
    expect(memory).toBeLessThan(200e6);
    // A hang would be minutes; a machine under load may pause for a moment.
    expect(slowest).toBeLessThan(5000);
  });
});
