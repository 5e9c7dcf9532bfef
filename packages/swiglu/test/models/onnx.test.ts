// ONNX graphs: the formula is taken out of them and matched by evaluating it, whatever their nodes are called.
// The files are written by Python's `onnx` (fixtures/make_onnx.py), in the forms that exporters give such blocks.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { check, compareModels, ModelFileError, openBlock, openModel } from "swiglu/models";
import { describe, expect, test } from "vitest";
import { reference } from "../../src/index.js";
import { activationGraph, encodeModel, toModel } from "../../src/onnx-entry.js";
import { slowExtent } from "../conformance/extent.js";
import { floats, gguf, seeded } from "./files.js";

const folder = fileURLToPath(new URL("fixtures/onnx/", import.meta.url));
const path = (name: string): string => `${folder}${name}.onnx`;

/** Activation, parameters, layout and orientation of each file's block. */
const wanted: Readonly<Record<string, readonly [string, object, string, string]>> = {
  swiglu: ["swiglu", {}, "separate", "[in,out]"],
  "swish-operator": ["swiglu", {}, "separate", "[in,out]"],
  operator: ["swiglu", {}, "separate", "[in,out]"],
  external: ["swiglu", {}, "separate", "[in,out]"],
  halves: ["swiglu", {}, "gate-first", "[in,out]"],
  glu: ["glu", {}, "gate-second", "[in,out]"],
  oai: ["swigluOai", { alpha: 1.702, limit: 7, offset: 1 }, "interleaved", "[in,out]"],
  clamped: ["swigluClamped", { limit: 10 }, "separate", "[in,out]"],
  step: ["swigluStep", { limit: 4 }, "separate", "[in,out]"],
  geglu: ["geglu", {}, "separate", "[in,out]"],
  "geglu-tanh": ["gegluTanh", {}, "separate", "[in,out]"],
  "geglu-operator": ["gegluTanh", {}, "separate", "[in,out]"],
  quick: ["gegluQuick", {}, "separate", "[in,out]"],
  "relu2-gated": ["reglu2", {}, "separate", "[in,out]"],
  relu2: ["relu2", {}, "ungated", "[in,out]"],
  gelu: ["gelu", {}, "ungated", "[in,out]"],
  gemm: ["geluTanh", {}, "ungated", "[out,in]"],
  moe: ["swigluOai", { alpha: 1.702, limit: 7, offset: 1 }, "interleaved", "[out,in]"],
  strange: ["unknown", {}, "separate", "[in,out]"],
};

describe("the formula of a graph", () => {
  for (const [name, [activation, parameters, layout, orientation]] of Object.entries(wanted))
    test(`${name}: ${activation}, ${layout}`, async () => {
      const { format, blocks } = await check(path(name));
      expect(format).toBe("onnx");
      expect(blocks).toHaveLength(name === "swiglu" ? 2 : 1);
      for (const block of blocks) {
        expect(block.activation.value).toBe(activation);
        if (activation !== "unknown") expect(block.parameters.value).toEqual(parameters);
        expect([block.layout.value, block.orientation.value]).toEqual([layout, orientation]);
        expect([block.dModel.value, block.dFf.value]).toEqual([6, 10]);
        expect(block.layout.strength).toBe("graph");
      }
    });
  test("gate and up are named, whichever comes first in the product", async () => {
    const { blocks } = await check(path("swiglu"));
    expect(blocks.map(({ layer, layout }) => [layer, layout.evidence])).toEqual(
      [0, 1].map((layer) => [
        layer,
        `gate is the product by model.layers.${layer}.mlp.gate_proj.weight, up by model.layers.${layer}.mlp.up_proj.weight`,
      ]),
    );
    expect(blocks[0]?.stack).toBe("/model/layers/N/mlp");
  });
  test("a formula that no entry computes is said, and not guessed", async () => {
    const { blocks } = await check(path("strange"));
    expect(blocks[0]?.activation).toEqual({
      value: "unknown",
      evidence: "the formula is Sigmoid, Mul, which no entry of the catalogue computes",
      strength: "none",
    });
  });
});

describe("blocks of transformers' models as torch.onnx.export gives them, by both exporters", () => {
  const exported: Readonly<Record<string, string>> = {
    llama: "swiglu {} separate",
    phi3: "swiglu {} gate-first",
    gemma: "gegluTanh {} separate",
    modernbert: "geglu {} gate-first",
    moonshine: "swiglu {} gate-second",
    deepseek_v4: 'swigluClamped {"limit":10} separate',
    nemotron: "relu2 {} ungated",
    gpt2: "geluTanh {} ungated",
    clip_vision_model: "quickGelu {} ungated",
    moshi: "swiglu {} gate-first",
  };
  for (const [family, line] of Object.entries(exported))
    for (const exporter of ["dynamo", "script"])
      test(`${family} (${exporter}): ${line}`, async () => {
        const file = fileURLToPath(new URL(`fixtures/exports/${family}-${exporter}.onnx`, import.meta.url));
        const { blocks } = await check(file);
        const lines = blocks.map(({ activation, parameters, layout }) =>
          [activation.value, JSON.stringify(parameters.value), layout.value].join(" "),
        );
        expect(lines).toEqual([line]);
        expect(blocks[0]?.dModel.value).toBe(8);
      });
});

describe("openBlock on a graph gives what ONNX Runtime makes of the file", () => {
  const exports = fileURLToPath(new URL("fixtures/exports/", import.meta.url));
  const files = readdirSync(exports).filter((name) => name.endsWith(".onnx"));
  test("there are twenty files", () => expect(files).toHaveLength(20));
  for (const name of files)
    test(name, async () => {
      const session = await InferenceSession.create(`${exports}${name}`);
      const [rows, dModel] = [3, 8];
      const random = seeded(5);
      const x = Float32Array.from({ length: rows * dModel }, () => 4 * random() - 2);
      const [input = "", output = ""] = [session.inputNames[0], session.outputNames[0]];
      const result = await session.run({ [input]: new Tensor("float32", x, [1, rows, dModel]) });
      const wanted = result[output]?.data as Float32Array;
      const model = await openModel(`${exports}${name}`);
      const block = await openBlock(model, { layer: 0 });
      const backend = await reference();
      const ffn = block.gated ? await backend.gatedFfn(block) : await backend.ffn(block);
      const got = await ffn.forward(x, rows);
      const largest = Math.max(...wanted.map(Math.abs));
      expect(got.length).toBe(wanted.length);
      got.forEach((value, i) => {
        expect(Math.abs(value - (wanted[i] as number)) / largest).toBeLessThan(2e-6);
      });
      await model.close();
      await session.release();
    });
});

describe("microsoft/onnxruntime#28738, mobius#324: attributes of MoE", () => {
  test("attributes that older runtimes ignore are named", async () => {
    const { blocks, findings } = await check(path("moe"));
    expect([blocks[0]?.layer, blocks[0]?.role, blocks[0]?.experts.value]).toEqual([5, "routed", 3]);
    expect(findings).toEqual([
      "/model/layers.5/moe/MoE: ONNX Runtime before 1.28 ignores alpha, beta, limit and fusion of MoE on CUDA (onnxruntime#28738)",
    ]);
  });
  test("silu with gate and up in one matrix is an exporter's mistake", async () => {
    expect((await check(path("moe-silu"))).findings[0]).toContain(
      "activation_type is silu, but its first matrix holds gate and up",
    );
  });
});

describe("files", () => {
  test("weights are read, inside the file and beside it", async () => {
    for (const name of ["swiglu", "external"]) {
      const model = await openModel(path(name));
      const gate = await model.read("model.layers.0.mlp.gate_proj.weight");
      expect(gate.length).toBe(60);
      expect(gate.every((value) => value !== 0 && Math.abs(value) < 5)).toBe(true);
      await model.close();
    }
  });
  test("data that is missing is remarked on, and the graph judged all the same", async () => {
    const { blocks, findings } = await check({ "external.onnx": readFileSync(path("external")) });
    expect(blocks[0]?.activation.value).toBe("swiglu");
    expect(findings).toEqual(["external.onnx.data, which holds weights, is missing"]);
  });
  test("data that is cut short is an error", async () => {
    const data = readFileSync(`${path("external")}.data`);
    const files = {
      "external.onnx": readFileSync(path("external")),
      "external.onnx.data": data.subarray(0, 300),
    };
    await expect(openModel(files)).rejects.toThrow("external.onnx.data ends after 300 bytes");
  });
  test("experts of a MoE node are judged, and not opened as weights", async () => {
    const model = await openModel(path("moe"));
    await expect(openBlock(model, { layer: 5, expert: 0 })).rejects.toThrow(
      "blocks that are one operator of ONNX Runtime (MoE, MatMulNBitsMlp) are judged, and not opened as weights",
    );
    await model.close();
  });
  test("apple/coremltools#2863: the tanh form lost in a conversion is caught against GGUF", async () => {
    const zeros = (...shape: number[]) => floats(shape, new Float32Array(60));
    const gemma = gguf(
      { "general.architecture": { text: "gemma" } },
      {
        "blk.0.ffn_gate.weight": zeros(10, 6),
        "blk.0.ffn_up.weight": zeros(10, 6),
        "blk.0.ffn_down.weight": zeros(6, 10),
      },
    );
    const compare = async (name: string): Promise<readonly string[]> => {
      const converted = await openModel(path(name));
      const { differences } = await compareModels(await openModel(gemma), converted);
      await converted.close();
      return differences;
    };
    expect(await compare("geglu-tanh")).toEqual([]);
    expect((await compare("geglu"))[0]).toContain(
      "layer 0, dense: gegluTanh in the first model, geglu in the second",
    );
  });
});

describe("MatMulNBitsMlp, ONNX Runtime's fused gate, activation and up", () => {
  const file = (activation: string): Uint8Array => {
    const graph = activationGraph("identity");
    const model = toModel(graph);
    const node = {
      opType: "MatMulNBitsMlp",
      domain: "com.microsoft",
      inputs: [
        "x",
        "",
        "",
        "layers.3.gate_B",
        "layers.3.gate_scales",
        "",
        "layers.3.up_B",
        "layers.3.up_scales",
      ],
      outputs: ["y"],
      attributes: {
        activation: { string: activation },
        N: { int: 64 },
        K: { int: 32 },
        bits: { int: 4 },
        block_size: { int: 32 },
      },
    };
    return encodeModel({ ...model, nodes: [node] } as never);
  };
  test("its activation is an attribute, its gate and up are inputs", async () => {
    const { blocks } = await check({ "m.onnx": file("silu") });
    expect(blocks).toHaveLength(1);
    const { layer, activation, layout, dModel, dFf, stored } = blocks[0] as NonNullable<(typeof blocks)[0]>;
    expect([layer, activation.value, layout.value, dModel.value, dFf.value, stored.value]).toEqual([
      3,
      "swiglu",
      "separate",
      32,
      64,
      "MatMulNBitsMlp, 4 bits",
    ]);
  });
  test("an activation that is not known is said", async () => {
    const { blocks } = await check({ "m.onnx": file("new") });
    expect(blocks[0]?.activation.evidence).toBe(
      "MatMulNBitsMlp: activation is new, which the catalogue does not have",
    );
  });
});

test("weights of 4 GB inside a file are passed over: under 1 MB is read to judge it", async () => {
  type Piece = Uint8Array | { readonly zeros: number };
  const size = (pieces: readonly Piece[]): number =>
    pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.zeros), 0);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
  const number = (id: number, value: number): Piece => Uint8Array.from([8 * id, ...varint(value)]);
  const message = (id: number, ...pieces: readonly Piece[]): Piece[] => [
    Uint8Array.from([8 * id + 2, ...varint(size(pieces))]),
    ...pieces,
  ];
  const text = (id: number, value: string): Piece[] => message(id, new TextEncoder().encode(value));
  const node = (op: string, inputs: readonly string[], output: string): Piece[] =>
    message(1, ...inputs.flatMap((name) => text(1, name)), ...text(2, output), ...text(4, op));
  const [wide, hidden] = [16_384, 20_345];
  const weight = (name: string, rows: number, columns: number): Piece[] =>
    message(
      5,
      number(1, rows),
      number(1, columns),
      number(2, 1),
      ...text(8, name),
      ...message(9, { zeros: 4 * rows * columns }),
    );
  const pieces = [
    number(1, 10),
    ...message(
      7,
      ...weight("gate", wide, hidden),
      ...node("MatMul", ["x", "gate"], "g"),
      ...weight("up", wide, hidden),
      ...node("MatMul", ["x", "up"], "u"),
      ...node("Sigmoid", ["g"], "s"),
      ...node("Mul", ["g", "s"], "a"),
      ...node("Mul", ["u", "a"], "h"),
      ...weight("down", hidden, wide),
      ...node("MatMul", ["h", "down"], "y"),
    ),
  ];
  const total = size(pieces);
  expect(total).toBeGreaterThan(3.9e9);
  let served = 0;
  const fetch = (async (url: URL, { headers }: { headers: Record<string, string> }) => {
    const [, from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(headers.range ?? "") ?? []).map(Number);
    if (!url.pathname.endsWith(".onnx")) return new Response("", { status: 404 });
    const end = Math.min(to + 1, total);
    const body = new Uint8Array(end - from);
    let at = 0;
    for (const piece of pieces) {
      if (piece instanceof Uint8Array)
        for (const [i, byte] of piece.entries())
          if (at + i >= from && at + i < end) body[at + i - from] = byte;
      at += size([piece]);
    }
    served += body.length;
    return new Response(body, {
      status: 206,
      headers: { "content-range": `bytes ${from}-${end - 1}/${total}` },
    });
  }) as unknown as typeof globalThis.fetch;
  const { blocks } = await check("https://example.org/model.onnx", { fetch });
  expect(blocks[0]?.activation.value).toBe("swiglu");
  expect(blocks[0]?.layout.evidence).toBe("gate is the product by gate, up by up");
  expect([blocks[0]?.dModel.value, blocks[0]?.dFf.value]).toEqual([wide, hidden]);
  expect(served).toBeLessThan(1e6);
});

describe("damaged graphs", () => {
  test("a value that is computed from itself ends the search", async () => {
    const bytes = new Uint8Array(readFileSync(path("swiglu")));
    // The sigmoid's input becomes its own output: both names have as many letters.
    const { nodes } = (await openModel(bytes)).graph as NonNullable<
      Awaited<ReturnType<typeof openModel>>["graph"]
    >;
    const { inputs, outputs } = nodes.find(({ op }) => op === "Sigmoid") as (typeof nodes)[number];
    const [from, to] = [inputs[0], outputs[0]].map((name) => new TextEncoder().encode(name)) as [
      Uint8Array,
      Uint8Array,
    ];
    expect(from.length).toBe(to.length);
    const text = new TextDecoder("latin1").decode(bytes);
    const at = text.lastIndexOf(inputs[0] as string, text.indexOf("Sigmoid"));
    bytes.set(to, at);
    const { blocks } = await check(bytes);
    expect(blocks.map(({ layer }) => layer)).toEqual([1]);
  });

  const count = slowExtent === "full" ? 50_000 : 1500;
  const originals = readdirSync(folder)
    .filter((name) => name.endsWith(".onnx"))
    .map((name) => new Uint8Array(readFileSync(folder + name)));
  test(`${count} of them (npm run test:all: 50000) give a sentence or a report, in 5 s each`, async () => {
    const random = seeded(23);
    let [refused, slowest] = [0, 0];
    for (let i = 0; i < count; i++) {
      const original = originals[Math.floor(random() * originals.length)] as Uint8Array;
      const bytes = original.slice(
        0,
        random() < 0.1 ? Math.floor(random() * original.length) : original.length,
      );
      for (let change = 0; change < 1 + Math.floor(random() * 4) && bytes.length > 0; change++)
        bytes[Math.floor(random() * bytes.length)] = random() < 0.3 ? 255 : Math.floor(random() * 256);
      const start = performance.now();
      try {
        await check(bytes);
      } catch (error) {
        refused++;
        if (!(error instanceof ModelFileError))
          throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
      }
      slowest = Math.max(slowest, performance.now() - start);
    }
    expect(refused).toBeGreaterThan(count / 20);
    expect(slowest).toBeLessThan(5000);
  });
});
