// Blocks of model files as this library's weights: real names and shapes scaled down, against float64 loops over what was written.
import {
  activationByName,
  type Backend,
  errorBound,
  evaluate,
  float32,
  gradient,
  reference,
  type SeparateWeights,
  wasm,
} from "swiglu";
import { type Model, type ModelInput, type OpenedBlock, openBlock, openModel } from "swiglu/models";
import { describe, expect, test } from "vitest";
import { expectClose } from "../conformance/expect.js";
import { floats, gguf, type Stored, safetensors, seeded } from "./files.js";

const [dModel, dFf] = [6, 10];
const random = seeded(2026);
const numbers = (count: number): number[] =>
  Array.from({ length: count }, () => Math.fround(2 * random() - 1));

/** A block as matrices by output and input: the way PyTorch's linear layers keep them. */
interface Block {
  readonly gate: number[][];
  readonly up: number[][];
  readonly down: number[][];
  readonly gateBias?: number[];
  readonly upBias?: number[];
  readonly downBias?: number[];
}
const matrix = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, () => numbers(columns));
const block = (biases = false): Block => ({
  gate: matrix(dFf, dModel),
  up: matrix(dFf, dModel),
  down: matrix(dModel, dFf),
  ...(biases ? { gateBias: numbers(dFf), upBias: numbers(dFf), downBias: numbers(dModel) } : {}),
});
const transpose = (rows: number[][]): number[][] =>
  (rows[0] as number[]).map((_, column) => rows.map((row) => row[column] as number));
/** Rows taken in turn from two matrices. */
const interleave = <T>(a: readonly T[], b: readonly T[]): T[] => a.flatMap((row, i) => [row, b[i] as T]);
const stored = (rows: number[][]): Stored => floats([rows.length, (rows[0] as number[]).length], rows.flat());
const stack = (matrices: number[][][]): Stored => {
  const [first] = matrices as [number[][]];
  return floats([matrices.length, first.length, (first[0] as number[]).length], matrices.flat(2));
};
const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const folder = (config: object, tensors: Readonly<Record<string, Stored>>): ModelInput => ({
  "config.json": json(config),
  "model.safetensors": safetensors(tensors),
});

const dot = (a: readonly number[], b: readonly number[], bias = 0): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), bias);

/** The block in float64, from the matrices that were written. */
function exact(
  { gate, up, down, gateBias, upBias, downBias }: Block,
  name: string,
  parameters: Readonly<Record<string, number>>,
  x: readonly number[],
): number[] {
  const activation = activationByName(name);
  const hidden = gate.map((row, i) =>
    evaluate(
      activation,
      { gate: dot(row, x, gateBias?.[i]), up: dot(up[i] as number[], x, upBias?.[i]) } as never,
      parameters as never,
    ),
  );
  return down.map((row, i) => dot(row, hidden, downBias?.[i]));
}

async function expectSame(
  opened: OpenedBlock,
  written: Block,
  name: string,
  parameters: Readonly<Record<string, number>> = {},
): Promise<void> {
  expect(opened.activation.name).toBe(name);
  expect(opened.parameters).toEqual(parameters);
  expect([opened.dModel, opened.dFf]).toEqual([dModel, dFf]);
  if (!opened.gated) throw new Error("the block is gated");
  const x = numbers(dModel).map((value) => 8 * value);
  const wanted = exact(written, name, parameters, x);
  for (const backend of [await reference(), await wasm()] as Backend[]) {
    const ffn = await backend.gatedFfn(opened);
    const got = await ffn.forward(Float32Array.from(x), 1);
    wanted.forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 4);
    });
    ffn.dispose();
    backend.dispose();
  }
}

const read = async (input: ModelInput, choice: Parameters<typeof openBlock>[1]): Promise<OpenedBlock> =>
  openBlock(await openModel(input), choice);

describe("worked examples, real names and shapes scaled down", () => {
  test("Llama: gate_proj, up_proj, down_proj, [out,in]", async () => {
    const layers = [block(), block()];
    const tensors = Object.fromEntries(
      layers.flatMap(({ gate, up, down }, i) => {
        const mlp = `model.layers.${i}.mlp`;
        return [
          [`${mlp}.gate_proj.weight`, stored(gate)],
          [`${mlp}.up_proj.weight`, stored(up)],
          [`${mlp}.down_proj.weight`, stored(down)],
        ];
      }),
    );
    const config = { model_type: "llama", hidden_act: "silu", hidden_size: dModel, intermediate_size: dFf };
    await expectSame(await read(folder(config, tensors), { layer: 1 }), layers[1] as Block, "swiglu");
    await expectSame(await read(folder(config, tensors), { layer: 0 }), layers[0] as Block, "swiglu");
  });

  test("Phi-3: gate_up_proj packed gate first", async () => {
    const written = block();
    const tensors = {
      "model.layers.0.mlp.gate_up_proj.weight": stored([...written.gate, ...written.up]),
      "model.layers.0.mlp.down_proj.weight": stored(written.down),
    };
    const config = { model_type: "phi3", hidden_act: "silu", hidden_size: dModel };
    const opened = await read(folder(config, tensors), { layer: 0 });
    expect(opened.report.layout.value).toBe("gate-first");
    await expectSame(opened, written, "swiglu");
  });

  test("gpt-oss: experts in one tensor, [in,out], gate and up interleaved, biases, its own clamp", async () => {
    const experts = [block(true), block(true), block(true)];
    const packed = experts.map(({ gate, up }) => transpose(interleave(gate, up)));
    const mlp = "model.layers.0.mlp.experts";
    const tensors = {
      [`${mlp}.gate_up_proj`]: stack(packed),
      [`${mlp}.gate_up_proj_bias`]: stored(
        experts.map(({ gateBias = [], upBias = [] }) => interleave(gateBias, upBias)),
      ),
      [`${mlp}.down_proj`]: stack(experts.map(({ down }) => transpose(down))),
      [`${mlp}.down_proj_bias`]: stored(experts.map(({ downBias = [] }) => downBias)),
    };
    const config = { model_type: "gpt_oss", hidden_act: "silu", swiglu_limit: 7, hidden_size: dModel };
    for (const [expert, written] of experts.entries()) {
      const opened = await read(folder(config, tensors), { layer: 0, expert });
      expect(opened.report.experts.value).toBe(3);
      await expectSame(opened, written, "swigluOai", { alpha: 1.702, limit: 7, offset: 1 });
    }
    await expect(read(folder(config, tensors), { layer: 0, expert: 3 })).rejects.toThrow(
      "has 3 experts, and none of number 3",
    );
  });

  test("gpt-oss as it is published: MXFP4 blocks [experts, 2 dFf, dModel / 32, 16] and scales", async () => {
    const [wide, experts] = [32, 2];
    const levels = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
    const random4 = (): number => Math.floor(16 * random());
    const values = (nibble: number, power: number): number =>
      (nibble & 8 ? -1 : 1) * (levels[nibble & 7] as number) * 2 ** (power - 127);
    const part = (rows: number) => {
      const blocks = Uint8Array.from({ length: experts * rows * 16 }, () => random4() | (random4() << 4));
      const scales = Uint8Array.from({ length: experts * rows }, () => 125 + Math.floor(4 * random()));
      const at = (expert: number, row: number, column: number): number => {
        const group = expert * rows + row;
        const byte = blocks[16 * group + (column >> 1)] as number;
        return values(column & 1 ? byte >> 4 : byte & 15, scales[group] as number);
      };
      return { blocks, scales, at };
    };
    const [packed, down] = [part(2 * wide), part(wide)];
    const mlp = "model.layers.0.mlp.experts";
    const tensors = {
      [`${mlp}.gate_up_proj_blocks`]: {
        shape: [experts, 2 * wide, 1, 16],
        dtype: "U8",
        bytes: packed.blocks,
      },
      [`${mlp}.gate_up_proj_scales`]: { shape: [experts, 2 * wide, 1], dtype: "U8", bytes: packed.scales },
      [`${mlp}.down_proj_blocks`]: { shape: [experts, wide, 1, 16], dtype: "U8", bytes: down.blocks },
      [`${mlp}.down_proj_scales`]: { shape: [experts, wide, 1], dtype: "U8", bytes: down.scales },
    };
    const opened = await read(folder({ model_type: "gpt_oss", hidden_size: wide }, tensors), {
      layer: 0,
      expert: 1,
    });
    expect(opened.report.stored.value).toBe("MXFP4");
    const {
      gate,
      up,
      down: read2,
    } = opened.weights as SeparateWeights as unknown as Record<string, Float32Array>;
    for (let o = 0; o < wide; o++)
      for (let i = 0; i < wide; i++) {
        expect(gate?.[i * wide + o]).toBe(packed.at(1, 2 * o, i));
        expect(up?.[i * wide + o]).toBe(packed.at(1, 2 * o + 1, i));
        expect(read2?.[i * wide + o]).toBe(down.at(1, o, i));
      }
  });

  test("Gemma: the tanh form of gelu, though config says gelu", async () => {
    const written = block();
    const tensors = {
      "model.layers.0.mlp.gate_proj.weight": stored(written.gate),
      "model.layers.0.mlp.up_proj.weight": stored(written.up),
      "model.layers.0.mlp.down_proj.weight": stored(written.down),
    };
    const config = { model_type: "gemma", hidden_act: "gelu", hidden_size: dModel };
    const opened = await read(folder(config, tensors), { layer: 0 });
    expect(opened.report.activation.evidence).toContain("which gemma's code takes as gelu_pytorch_tanh");
    await expectSame(opened, written, "gegluTanh");
  });

  test("Mixtral: experts that are tensors of their own, w1, w3, w2", async () => {
    const experts = [block(), block()];
    const tensors = Object.fromEntries(
      experts.flatMap(({ gate, up, down }, i) =>
        Object.entries({ w1: gate, w3: up, w2: down }).map(([part, rows]) => [
          `model.layers.3.block_sparse_moe.experts.${i}.${part}.weight`,
          stored(rows),
        ]),
      ),
    );
    const config = { model_type: "mixtral", hidden_act: "silu", hidden_size: dModel };
    await expectSame(
      await read(folder(config, tensors), { layer: 3, expert: 1 }),
      experts[1] as Block,
      "swiglu",
    );
  });

  test("DeepSeek-V3: 8-bit floats with a scale for each block of rows and columns", async () => {
    // E4M3 of 1, 1.5, -2 and 0.25, in blocks of 4 by 4.
    const values = new Map([
      [0x38, 1],
      [0x3c, 1.5],
      [0xc0, -2],
      [0x28, 0.25],
    ]);
    const codes = [...values.keys()];
    const parts = Object.entries({
      gate_proj: [dFf, dModel],
      up_proj: [dFf, dModel],
      down_proj: [dModel, dFf],
    }).map(([part, shape]) => {
      const [rows, columns] = shape as [number, number];
      const bytes = Uint8Array.from(
        { length: rows * columns },
        () => codes[Math.floor(4 * random())] as number,
      );
      const across = Math.ceil(columns / 4);
      const scales = numbers(Math.ceil(rows / 4) * across);
      const rowsOf = Array.from({ length: rows }, (_, row) =>
        Array.from({ length: columns }, (_, column) =>
          Math.fround(
            (values.get(bytes[row * columns + column] as number) as number) *
              (scales[Math.floor(row / 4) * across + Math.floor(column / 4)] as number),
          ),
        ),
      );
      const tensors = {
        [`model.layers.0.mlp.${part}.weight`]: { shape, dtype: "F8_E4M3", bytes },
        [`model.layers.0.mlp.${part}.weight_scale_inv`]: floats([Math.ceil(rows / 4), across], scales),
      };
      return { rowsOf, tensors };
    });
    const [gate, up, down] = parts.map(({ rowsOf }) => rowsOf) as [number[][], number[][], number[][]];
    const config = {
      model_type: "deepseek_v3",
      hidden_act: "silu",
      hidden_size: dModel,
      quantization_config: { quant_method: "fp8", weight_block_size: [4, 4] },
    };
    const opened = await read(folder(config, Object.assign({}, ...parts.map(({ tensors }) => tensors))), {
      layer: 0,
    });
    expect(opened.report.stored.value).toBe("F8_E4M3 with block scales");
    await expectSame(opened, { gate, up, down }, "swiglu");
  });

  for (const scaling of ["one scale", "a scale for each row"] as const)
    test(`8-bit floats with ${scaling}, as FBGEMM and compressed-tensors keep them`, async () => {
      // E4M3: 1, -2, 0.5, 3.
      const values = new Map([
        [0x38, 1],
        [0xc0, -2],
        [0x30, 0.5],
        [0x44, 3],
      ]);
      const codes = [...values.keys()];
      const parts = Object.entries({
        gate_proj: [dFf, dModel],
        up_proj: [dFf, dModel],
        down_proj: [dModel, dFf],
      }).map(([part, shape]) => {
        const [rows, columns] = shape as [number, number];
        const bytes = Uint8Array.from(
          { length: rows * columns },
          (_, i) => codes[(7 * i + rows) % 4] as number,
        );
        const scales = numbers(scaling === "one scale" ? 1 : rows).map((value) => Math.fround(value / 8));
        const rowsOf = Array.from({ length: rows }, (_, row) =>
          Array.from({ length: columns }, (_, column) =>
            Math.fround(
              (values.get(bytes[row * columns + column] as number) as number) *
                (scales[scaling === "one scale" ? 0 : row] as number),
            ),
          ),
        );
        const tensors = {
          [`model.layers.0.mlp.${part}.weight`]: { shape, dtype: "F8_E4M3", bytes },
          [`model.layers.0.mlp.${part}.weight_scale`]: floats(
            scaling === "one scale" ? [] : [rows, 1],
            scales,
          ),
        };
        return { rowsOf, tensors };
      });
      const [gate, up, down] = parts.map(({ rowsOf }) => rowsOf) as [number[][], number[][], number[][]];
      const config = { model_type: "llama", hidden_act: "silu", hidden_size: dModel };
      const files = folder(config, Object.assign({}, ...parts.map(({ tensors }) => tensors)));
      const opened = await read(files, { layer: 0 });
      expect(opened.report.stored.value).toBe(`F8_E4M3 with ${scaling}`);
      await expectSame(opened, { gate, up, down }, "swiglu");
    });

  test("a converted model: GGUF's ffn_gate, ffn_up, ffn_down, and limits of each layer", async () => {
    const written = block();
    const file = gguf(
      {
        "general.architecture": { text: "step35" },
        "step35.swiglu_clamp_exp": { f32s: [0, 4] },
        "step35.swiglu_clamp_shexp": { f32s: [0, 5] },
      },
      {
        "blk.1.ffn_gate.weight": stored(written.gate),
        "blk.1.ffn_up.weight": stored(written.up),
        "blk.1.ffn_down.weight": stored(written.down),
        "blk.1.ffn_gate_exps.weight": stack([written.gate]),
        "blk.1.ffn_up_exps.weight": stack([written.up]),
        "blk.1.ffn_down_exps.weight": stack([written.down]),
      },
    );
    await expectSame(await read(file, { layer: 1 }), written, "swigluStep", { limit: 5 });
    await expectSame(await read(file, { layer: 1, expert: 0 }), written, "swigluStep", { limit: 4 });
  });

  test("MLX: affine, 2 to 8 bits in groups, beside scales and offsets", async () => {
    const [rows, width, size] = [8, 64, 32];
    for (const bits of [2, 3, 4, 5, 6, 8]) {
      const parts = ["gate_proj", "up_proj", "down_proj"].map((part) => {
        const [out, inner] = part === "down_proj" ? [width, width] : [rows * 8, width];
        const quants = Array.from({ length: out * inner }, () => Math.floor(random() * 2 ** bits));
        // Bits one after the other, lowest first, in words of 32.
        const stream = quants.flatMap((q) => Array.from({ length: bits }, (_, bit) => (q >> bit) & 1));
        const bytes = Uint8Array.from({ length: stream.length / 8 }, (_, i) =>
          stream.slice(8 * i, 8 * i + 8).reduce((sum, bit, at) => sum | (bit << at), 0),
        );
        const scales = numbers((out * inner) / size);
        const offsets = numbers((out * inner) / size);
        const value = (o: number, i: number): number => {
          const group = Math.floor((o * inner + i) / size);
          return Math.fround(
            Math.fround((scales[group] as number) * (quants[o * inner + i] as number)) +
              (offsets[group] as number),
          );
        };
        const tensors: [string, Stored][] = [
          ["weight", { shape: [out, (inner * bits) / 32], dtype: "U32", bytes }],
          ["scales", floats([out, inner / size], scales)],
          ["biases", floats([out, inner / size], offsets)],
        ];
        return { part, tensors, value, out, inner };
      });
      const tensors = Object.fromEntries(
        parts.flatMap(({ part, tensors: own }) =>
          own.map(([name, tensor]) => [`model.layers.0.mlp.${part}.${name}`, tensor]),
        ),
      );
      const config = { model_type: "llama", hidden_act: "silu", quantization: { group_size: size, bits } };
      const opened = await read(folder(config, tensors), { layer: 0 });
      expect(opened.report.stored.value).toBe(`MLX affine, ${bits} bits in groups of 32`);
      for (const [i, slot] of (["gate", "up", "down"] as const).entries()) {
        const { value, out, inner } = parts[i] as (typeof parts)[number];
        const got = (opened.weights as unknown as Record<string, Float32Array>)[slot] as Float32Array;
        const wrong = Array.from({ length: out * inner }, (_, at) => at).filter(
          (at) =>
            !Object.is(
              got[(at % inner) * out + Math.floor(at / inner)],
              value(Math.floor(at / inner), at % inner),
            ),
        );
        expect(wrong).toEqual([]);
      }
    }
  });
});

describe("GGUF Q4_K on wasm()", () => {
  test("agrees with the dequantised float64 block within 4 units of 2^-23 of the sums of magnitudes", async () => {
    const [wide, hidden, rows] = [512, 256, 3];
    const half = (value: number): [number, number] => {
      // Small normal halves by hand: a power of two times 1 to 2.
      const exponent = Math.floor(Math.log2(value));
      const bits = ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
      return [bits & 255, bits >> 8];
    };
    const q4K = (out: number, inner: number): Stored => {
      const bytes = Uint8Array.from({ length: (out * inner * 144) / 256 }, () => Math.floor(256 * random()));
      for (let b = 0; b < bytes.length; b += 144)
        bytes.set([...half(2e-4 * (1 + random())), ...half(1.5e-3 * (1 + random()))], b);
      return { shape: [out, inner], type: 12, bytes };
    };
    const model: Model = await openModel(
      gguf(
        { "general.architecture": { text: "llama" } },
        {
          "blk.0.ffn_gate.weight": q4K(hidden, wide),
          "blk.0.ffn_up.weight": q4K(hidden, wide),
          "blk.0.ffn_down.weight": q4K(wide, hidden),
        },
      ),
    );
    const [gate, up, down] = await Promise.all(
      ["gate", "up", "down"].map((part) => model.read(`blk.0.ffn_${part}.weight`)),
    );
    const opened = await openBlock(model, { layer: 0 });
    if (!opened.gated) throw new Error("the block is gated");
    const backend = await wasm();
    const ffn = await backend.gatedFfn(opened);
    const x = Float32Array.from(numbers(rows * wide));
    const got = await ffn.forward(x, rows);
    const { activation } = opened;
    const rounding = 4 * float32.epsilon;
    const elementwise = errorBound(activation.expression, ["gate", "up", "beta"]);
    for (let r = 0; r < rows; r++) {
      const project = (weights: Float32Array, o: number) => {
        let [sum, magnitudes] = [0, 0];
        for (let i = 0; i < wide; i++) {
          const term = (x[r * wide + i] as number) * (weights[o * wide + i] as number);
          sum += term;
          magnitudes += Math.abs(term);
        }
        return { sum, magnitudes };
      };
      const units = Array.from({ length: hidden }, (_, o) => {
        const [g, u] = [project(gate as Float32Array, o), project(up as Float32Array, o)];
        const at = { gate: g.sum, up: u.sum } as never;
        const slope = gradient(activation, at) as unknown as { gate: number; up: number };
        const carried = Math.abs(slope.gate) * g.magnitudes + Math.abs(slope.up) * u.magnitudes;
        return {
          value: evaluate(activation, at),
          error: rounding * carried + elementwise([g.sum, u.sum, 1]),
        };
      });
      expect(Math.max(...units.map(({ value }) => Math.abs(value)))).toBeGreaterThan(0.01);
      for (let o = 0; o < wide; o++) {
        let [sum, bound] = [0, 2 ** -126];
        units.forEach(({ value, error }, i) => {
          const weight = (down as Float32Array)[o * hidden + i] as number;
          sum += value * weight;
          bound += Math.abs(weight) * error + rounding * Math.abs(value * weight);
        });
        expectClose(got[r * wide + o] as number, sum, bound, () => `row ${r}, output ${o}`);
      }
    }
    ffn.dispose();
    backend.dispose();
  });
});

describe("what cannot be opened is said in a sentence", () => {
  const written = block();
  const names = { gate_proj: written.gate, up_proj: written.up, down_proj: written.down };
  const tensors = Object.fromEntries(
    Object.entries(names).map(([part, rows]) => [`model.layers.0.mlp.${part}.weight`, stored(rows)]),
  );
  const open = (
    config: object,
    choice: Partial<Parameters<typeof openBlock>[1]> = {},
  ): Promise<OpenedBlock> =>
    read(folder({ hidden_size: dModel, ...config }, tensors), { layer: 0, ...choice });

  test("an unknown family without a name for the activation", async () => {
    await expect(open({ model_type: "brandnew" })).rejects.toThrow(
      "layer 0 (model.layers.N.mlp): its activation is unknown: no rule knows the family brandnew, and no key names an activation. Pass activation to say it",
    );
    const opened = await open({ model_type: "brandnew" }, { activation: activationByName("geglu") });
    await expectSame(opened, written, "geglu");
  });
  test("more than an activation of gate and up", async () => {
    const bitnet = { model_type: "bitnet", hidden_act: "relu2" };
    await expect(open(bitnet)).rejects.toThrow(
      "computes more than an activation of gate and up: an RMSNorm before down",
    );
    expect((await open(bitnet, { partial: true })).activation.name).toBe("reglu2");
  });
  test("a layer, role or expert that is not there", async () => {
    const llama = { model_type: "llama", hidden_act: "silu" };
    await expect(open(llama, { layer: 7 })).rejects.toThrow(
      "no feed-forward block in layer 7; it has 1 layers with one",
    );
    await expect(open(llama, { expert: 1 })).rejects.toThrow("layer 0 has no routed block, only dense");
  });
  test("numbers stored in a way that is not read", async () => {
    const packed = Object.fromEntries(
      Object.keys(names).map((part) => [
        `model.layers.0.mlp.${part}.qweight`,
        { shape: [1, dFf], dtype: "I32", bytes: new Uint8Array(4 * dFf) },
      ]),
    );
    const input = folder({ model_type: "llama", hidden_act: "silu" }, packed);
    await expect(read(input, { layer: 0 })).rejects.toThrow(/GPTQ or AWQ/);
  });
});
