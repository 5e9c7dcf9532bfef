// Incidents of 2025 and 2026 that a look at the files catches, each as a small pair of files, by the thread that reported it.
import { fileURLToPath } from "node:url";
import {
  check,
  compareModels,
  engineDeviations,
  type ModelInput,
  openModel,
  type Report,
} from "swiglu/models";
import { describe, expect, test } from "vitest";
import { floats, gguf, type Stored, safetensors, seeded, type Value } from "./files.js";

const [dModel, dFf] = [6, 10];
const random = seeded(6);
const weights = (shape: readonly number[]): Stored =>
  floats(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1),
  );
const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const folder = (config: object, tensors: Readonly<Record<string, Stored>>): ModelInput => ({
  "config.json": json(config),
  "model.safetensors": safetensors(tensors),
});
const against = async (a: ModelInput, b: ModelInput, rows = false) =>
  compareModels(await openModel(a), await openModel(b), { weights: rows });

const parts = { gate_proj: [dFf, dModel], up_proj: [dFf, dModel], down_proj: [dModel, dFf] } as const;
const mlp = (path: string): Record<string, Stored> =>
  Object.fromEntries(
    Object.entries(parts).map(([part, shape]) => [`${path}.${part}.weight`, weights(shape)]),
  );
const ggufMlp = (layer: number, ending = "", experts?: number): Record<string, Stored> =>
  Object.fromEntries(
    Object.entries(parts).map(([part, shape]) => [
      `blk.${layer}.ffn_${part.replace("_proj", ending)}.weight`,
      weights(experts === undefined ? shape : [experts, ...shape]),
    ]),
  );
const layers = Array.from({ length: 42 }, (_, i) => i);

describe("AtomicBot-ai/atomic-llama-cpp-turboquant#67, ggml-org/llama.cpp#26608: limits lost in a conversion", () => {
  // Ling-3.0-flash: routed experts 4 on layers 35 to 41; shared 5 on 34 to 39, then 7.
  const config = {
    model_type: "bailing_moe_v3",
    hidden_act: "silu",
    hidden_size: dModel,
    expert_swiglu_limit_list: layers.map((layer) => (layer >= 35 ? 4 : null)),
    share_expert_swiglu_limit_list: layers.map((layer) => (layer >= 40 ? 7 : layer >= 34 ? 5 : null)),
  };
  const original = folder(
    config,
    Object.assign(
      {},
      ...layers.map((layer) => ({
        ...mlp(`model.layers.${layer}.mlp.experts.0`),
        ...mlp(`model.layers.${layer}.mlp.shared_experts`),
      })),
    ),
  );
  const converted = (keys: Readonly<Record<string, Value>>): ModelInput =>
    gguf(
      { "general.architecture": { text: "bailingmoe3" }, ...keys },
      Object.assign(
        {},
        ...layers.map((layer) => ({ ...ggufMlp(layer, "_exps", 1), ...ggufMlp(layer, "_shexp") })),
      ),
    );

  test("the file without the two keys is caught, layer by layer, with what it costs", async () => {
    const { differences, undecided } = await against(original, converted({}));
    expect(undecided).toEqual([]);
    expect(differences).toHaveLength(3);
    expect(differences[0]).toMatch(
      /^layers 34-39, shared: swigluStep \(limit 5\) in the first model, swiglu in the second; they differ by more than 1 % from/,
    );
    expect(differences[1]).toMatch(
      /^layers 35-41, routed: swigluStep \(limit 4\) in the first model, swiglu in the second/,
    );
    expect(differences[2]).toMatch(/^layers 40-41, shared: swigluStep \(limit 7\) in the first model/);
    const { findings } = await check(converted({}));
    expect(findings[0]).toContain(
      "bailingmoe3.swiglu_clamp_exp and bailingmoe3.swiglu_clamp_shexp are absent",
    );
  });
  test("the file with them agrees: a null and a 0 both mean none", async () => {
    const keys = {
      "bailingmoe3.swiglu_clamp_exp": { f32s: layers.map((layer) => (layer >= 35 ? 4 : 0)) },
      "bailingmoe3.swiglu_clamp_shexp": {
        f32s: layers.map((layer) => (layer >= 40 ? 7 : layer >= 34 ? 5 : 0)),
      },
    };
    expect(await against(original, converted(keys))).toEqual({ differences: [], undecided: [] });
    expect((await check(converted(keys))).findings).toEqual([]);
  });
  test("vllm#40950 and its like: the routed experts' limit alone leaves the shared ones unclamped", async () => {
    const keys = { "bailingmoe3.swiglu_clamp_exp": { f32s: layers.map((layer) => (layer >= 35 ? 4 : 0)) } };
    const { differences } = await against(original, converted(keys));
    expect(differences.every((sentence) => sentence.includes("shared: swigluStep"))).toBe(true);
    expect(differences).toHaveLength(2);
  });
});

describe("limits under the same key mean two formulas", () => {
  const file = (architecture: string, tensors: Readonly<Record<string, Stored>>): ModelInput =>
    gguf(
      { "general.architecture": { text: architecture }, [`${architecture}.swiglu_clamp_exp`]: { f32s: [4] } },
      tensors,
    );
  const formula = async (input: ModelInput): Promise<unknown> => {
    const { blocks } = await check(input);
    return [blocks[0]?.activation.value, blocks[0]?.parameters.value];
  };
  test("before silu for DeepSeek-V4, after it for Step-3.5", async () => {
    expect(await formula(file("deepseek4", ggufMlp(0, "_exps", 2)))).toEqual(["swigluClamped", { limit: 4 }]);
    expect(await formula(file("step35", ggufMlp(0, "_exps", 2)))).toEqual(["swigluStep", { limit: 4 }]);
  });
  test("DeepSeek-V4's shared expert takes the routed ones' limit where it has none of its own", async () => {
    expect(await formula(file("deepseek4", ggufMlp(0, "_shexp")))).toEqual(["swigluClamped", { limit: 4 }]);
    expect(await formula(file("step35", ggufMlp(0, "_shexp")))).toEqual(["swiglu", {}]);
  });
  test("the hole of merged tensors is named", async () => {
    const merged = {
      "blk.0.ffn_gate_up_exps.weight": weights([2, 2 * dFf, dModel]),
      "blk.0.ffn_down_exps.weight": weights([2, dModel, dFf]),
    };
    const { findings, blocks } = await check(file("deepseek4", merged));
    expect(blocks[0]?.layout.value).toBe("gate-first");
    expect(findings[0]).toContain("limits a layer whose gate and up are one tensor (ffn_gate_up_exps)");
  });
});

describe("microsoft/onnxruntime#27220, ROCm/aiter#5271: a limit of 0", () => {
  test("is taken as none, and said", async () => {
    const config = { model_type: "deepseek_v4", hidden_act: "silu", swiglu_limit: 0, hidden_size: dModel };
    const { blocks, findings } = await check(folder(config, mlp("model.layers.0.ffn.shared_experts")));
    expect(blocks[0]?.activation.value).toBe("swiglu");
    expect(findings).toEqual([
      "swiglu_limit is 0, which is taken as no limit: a limit of 0 would make the block's output 0",
    ]);
  });
});

describe("keys that the family's code does not read", () => {
  test("gpt-oss: a limit of 4 in the config changes nothing", async () => {
    const tensors = {
      "model.layers.0.mlp.experts.gate_up_proj": weights([2, dModel, 2 * dFf]),
      "model.layers.0.mlp.experts.down_proj": weights([2, dFf, dModel]),
    };
    const { blocks, findings } = await check(
      folder({ model_type: "gpt_oss", swiglu_limit: 4, hidden_size: dModel }, tensors),
    );
    expect(blocks[0]?.parameters.value).toEqual({ alpha: 1.702, limit: 7, offset: 1 });
    expect(findings).toEqual([
      "config declares swiglu_limit 4, but gpt_oss's code has limit 7 and does not read it",
    ]);
  });
  test("DINOv2: hidden_act gelu beside a SwiGLU block", async () => {
    const tensors = {
      "layer.0.mlp.weights_in.weight": weights([2 * dFf, dModel]),
      "layer.0.mlp.weights_out.weight": weights([dModel, dFf]),
    };
    const { blocks, findings } = await check(
      folder({ model_type: "dinov2", hidden_act: "gelu", use_swiglu_ffn: true }, tensors),
    );
    expect(blocks[0]?.activation.value).toBe("swiglu");
    expect(findings).toEqual(["config declares hidden_act gelu, which dinov2's code does not read here"]);
  });
});

describe("NVIDIA-NeMo/Megatron-Bridge#4661, TensorRT-Model-Connect#177: Gemma's activation", () => {
  test("gelu in Gemma's config is the tanh form, and silu in a conversion is caught", async () => {
    const gemma = folder(
      { model_type: "gemma", hidden_act: "gelu", hidden_size: dModel },
      mlp("model.layers.0.mlp"),
    );
    expect((await check(gemma)).blocks[0]?.activation.value).toBe("gegluTanh");
    const same = gguf({ "general.architecture": { text: "gemma" } }, ggufMlp(0));
    expect((await against(gemma, same)).differences).toEqual([]);
    const silu = gguf({ "general.architecture": { text: "llama" } }, ggufMlp(0));
    expect((await against(gemma, silu)).differences[0]).toMatch(
      /^layer 0, dense: gegluTanh in the first model, swiglu in the second; they differ by more than 1 %/,
    );
  });
  test("erf for tanh is a difference too, if a small one", async () => {
    const config = { model_type: "modernbert", hidden_size: dModel };
    const packed = {
      "layers.0.mlp.Wi.weight": weights([2 * dFf, dModel]),
      "layers.0.mlp.Wo.weight": weights([dModel, dFf]),
    };
    const erf = folder({ ...config, hidden_activation: "gelu" }, packed);
    const tanh = folder({ ...config, hidden_activation: "gelu_pytorch_tanh" }, packed);
    expect((await against(erf, tanh)).differences[0]).toContain(
      "geglu in the first model, gegluTanh in the second",
    );
  });
});

describe("charlie12345/ROCmFPX#49: shapes that fit both ways", () => {
  test("a square pair says that shapes cannot decide", async () => {
    const square = Object.fromEntries(
      Object.keys(parts).map((part) => [`layers.0.mlp.${part}.weight`, weights([8, 8])]),
    );
    const { blocks } = await check(
      folder({ model_type: "brandnew", hidden_act: "silu", hidden_size: 8 }, square),
    );
    expect(blocks[0]?.orientation).toMatchObject({ value: "[out,in]", strength: "default" });
    expect(blocks[0]?.orientation.evidence).toContain("shapes cannot decide: up_proj is square, [8, 8]");
  });
  test("a square gate_up is told by its down, and the axis to split with it", async () => {
    // dModel is 2 dFf: gate_up is [8, 8] either way.
    const outIn = {
      "layers.0.mlp.gate_up_proj.weight": weights([8, 8]),
      "layers.0.mlp.down_proj.weight": weights([8, 4]),
    };
    const inOut = {
      "layers.0.mlp.gate_up_proj.weight": weights([8, 8]),
      "layers.0.mlp.down_proj.weight": weights([4, 8]),
    };
    const orientation = async (tensors: Record<string, Stored>): Promise<unknown> =>
      (await check(folder({ model_type: "phi3", hidden_act: "silu", hidden_size: 8 }, tensors))).blocks[0]
        ?.orientation.value;
    expect([await orientation(outIn), await orientation(inOut)]).toEqual(["[out,in]", "[in,out]"]);
  });
});

describe("thinking-machines-lab/tinker-cookbook#459 and swapped halves: the numbers themselves", () => {
  const [gate, up, down] = [weights([dFf, dModel]), weights([dFf, dModel]), weights([dModel, dFf])];
  const config = { model_type: "phi3", hidden_act: "silu", hidden_size: dModel };
  const packedOf = (first: Stored, second: Stored): ModelInput =>
    folder(config, {
      "layers.0.mlp.gate_up_proj.weight": {
        shape: [2 * dFf, dModel],
        bytes: new Uint8Array([...first.bytes, ...second.bytes]),
      },
      "layers.0.mlp.down_proj.weight": down,
    });
  const separate = gguf(
    { "general.architecture": { text: "llama" } },
    { "blk.0.ffn_gate.weight": gate, "blk.0.ffn_up.weight": up, "blk.0.ffn_down.weight": down },
  );
  test("the right order agrees", async () =>
    expect((await against(packedOf(gate, up), separate, true)).differences).toEqual([]));
  test("halves the other way round are shown", async () =>
    expect((await against(packedOf(up, gate), separate, true)).differences).toEqual([
      "layer 0, dense: gate and up are swapped: rows of the first model's gate are the second's up, and the other way round",
    ]));
  test("a merge that changed gate alone is shown", async () => {
    const changed = {
      ...gate,
      bytes: Uint8Array.from(gate.bytes, (byte, i) => (i % 4 === 1 ? byte ^ 1 : byte)),
    };
    expect((await against(packedOf(gate, up), packedOf(changed, up), true)).differences).toEqual([
      "layer 0, dense: gate differs and up is the same bit for bit: a change meant for both, or for the other, went into one",
    ]);
  });
});

describe("engines that compute something else than the file's model", () => {
  test("jundot/omlx#2571: MLX has no code for Ling-3.0's limits", async () => {
    const config = {
      model_type: "bailing_moe_v3",
      hidden_act: "silu",
      expert_swiglu_limit_list: [null, 4],
      hidden_size: dModel,
    };
    const report = await check(
      folder(config, { ...mlp("model.layers.0.mlp.experts.0"), ...mlp("model.layers.1.mlp.experts.0") }),
    );
    expect(engineDeviations(report, "mlx-lm")).toEqual([
      "layer 1: mlx-lm has no code for this family's limits (d78bf58): only gpt_oss, step3p5 and phi3small have",
    ]);
  });
  test("huggingface/candle#3745: quantised Gemma 3 ran silu", async () => {
    const report = await check(gguf({ "general.architecture": { text: "gemma3" } }, ggufMlp(0)));
    expect(engineDeviations(report, "candle")[0]).toContain("runs silu in quantised Gemma 3");
    expect(engineDeviations(report, "llama.cpp")).toEqual([]);
  });
  test("vllm#40950: DeepSeek-V4's shared experts were left unclamped, and only they", async () => {
    const report = await check(
      folder(
        { model_type: "deepseek_v4", hidden_act: "silu", swiglu_limit: 10, hidden_size: dModel },
        { ...mlp("model.layers.0.ffn.shared_experts"), ...mlp("model.layers.0.ffn.experts.0") },
      ),
    );
    expect(engineDeviations(report, "vllm")).toEqual([
      "layer 0: vllm left DeepSeek-V4's shared experts unclamped (vllm#40950): use a version with its fix",
    ]);
  });
  test("vllm#41574, #56839: another gelu in Gemma 4's experts", async () => {
    const experts = {
      "model.layers.0.experts.gate_up_proj": weights([2, 2 * dFf, dModel]),
      "model.layers.0.experts.down_proj": weights([2, dModel, dFf]),
    };
    const report = await check(folder({ model_type: "gemma4_text", hidden_size: dModel }, experts));
    expect(report.blocks[0]?.activation.value).toBe("gegluTanh");
    expect(engineDeviations(report, "vllm")[0]).toContain("another form of gelu in Gemma 4's experts");
  });
  test("onnxruntime#28738: gpt-oss's own form is what older versions compute anyway; others are named", async () => {
    const graph = (activation: string, limit: number): Report => ({
      format: "onnx",
      family: "",
      findings: [],
      blocks: [
        {
          role: "routed",
          layer: 3,
          activation: { value: activation },
          parameters: { value: { alpha: 1.702, limit, offset: 1 } },
          layout: { value: "interleaved" },
        } as unknown as Report["blocks"][0],
      ],
    });
    expect(engineDeviations(graph("swigluOai", 7), "onnxruntime")).toEqual([]);
    expect(engineDeviations(graph("swigluOai", 4), "onnxruntime")).toEqual([
      expect.stringMatching(/^layer 3: onnxruntime before 1.28 computes gpt-oss's form in MoE on CUDA/),
    ]);
  });
  test("erf models run the tanh form in llama.cpp", async () => {
    const packed = {
      "blk.0.ffn_up.weight": weights([2 * dFf, dModel]),
      "blk.0.ffn_down.weight": weights([dModel, dFf]),
    };
    const report = await check(gguf({ "general.architecture": { text: "modern-bert" } }, packed));
    expect(report.blocks[0]?.activation.value).toBe("geglu");
    expect(engineDeviations(report, "llama.cpp")[0]).toContain("runs the tanh form of gelu for every gelu");
  });
});

describe("onnxruntime-genai's builder exports a dense clamped block without its clamps", () => {
  test("the config's limit against the graph", async () => {
    const config = { model_type: "deepseek_v4", hidden_act: "silu", swiglu_limit: 10, hidden_size: dModel };
    const original = folder(config, mlp("model.layers.0.ffn.shared_experts"));
    const dense = folder(
      { ...config, model_type: "glm5_next" },
      Object.assign({}, ...[0, 1].map((i) => mlp(`model.layers.${i}.mlp`))),
    );
    const graph = (name: string): string =>
      fileURLToPath(new URL(`fixtures/onnx/${name}.onnx`, import.meta.url));
    expect((await check(original)).blocks[0]?.parameters.value).toEqual({ limit: 10 });
    expect((await against(dense, graph("swiglu"))).differences).toEqual([
      expect.stringMatching(
        /^layers 0-1, dense: swigluClamped \(limit 10\) in the first model, swiglu in the second/,
      ),
    ]);
  });
});

describe("forms without an entry until now", () => {
  const formula = async (config: object, path = "model.layers.0.mlp"): Promise<unknown> => {
    const { blocks } = await check(folder({ hidden_size: dModel, ...config }, mlp(path)));
    return [blocks[0]?.activation.value, blocks[0]?.parameters.value];
  };
  test("Kimi K3 with up not capped, and with both caps", async () => {
    const kimi = { model_type: "kimi_k3", hidden_act: "situ", activation_situ_beta: 4 };
    expect(await formula({ ...kimi, activation_situ_linear_beta: null })).toEqual([
      "situGlu",
      { gateLimit: 4, upLimit: Infinity },
    ]);
    expect(await formula({ ...kimi, activation_situ_linear_beta: 25 })).toEqual([
      "situGlu",
      { gateLimit: 4, upLimit: 25 },
    ]);
  });
  test("Kimi K3 as GGUF: the caps are keys", async () => {
    const file = gguf(
      {
        "general.architecture": { text: "kimi-k3" },
        "kimi-k3.activation.situ_beta": { f32: 4 },
        "kimi-k3.activation.situ_linear_beta": { f32: 20 },
      },
      ggufMlp(0),
    );
    const { blocks, findings } = await check(file);
    expect(blocks[0]?.parameters).toMatchObject({
      value: { gateLimit: 4, upLimit: 20 },
      strength: "metadata",
    });
    expect(findings).toEqual([]);
    const bare = await check(gguf({ "general.architecture": { text: "kimi-k3" } }, ggufMlp(0)));
    expect(bare.findings).toHaveLength(2);
    expect(bare.findings[0]).toContain("kimi-k3.activation.situ_beta is absent");
  });
  test("MiniMax-M3 without a limit, and with an offset that its code does not read", async () => {
    const minimax = { model_type: "minimax_m3_vl_text", swiglu_alpha: 1.702 };
    expect(await formula({ ...minimax, swiglu_limit: null })).toEqual([
      "swigluOai",
      { alpha: 1.702, limit: Infinity, offset: 1 },
    ]);
    const { findings } = await check(
      folder({ ...minimax, swiglu_beta: 0, hidden_size: dModel }, mlp("model.layers.0.mlp")),
    );
    expect(findings).toEqual([
      "config declares swiglu_beta 0, but minimax_m3_vl_text's code has offset 1 and does not read it",
    ]);
  });
  test.each([
    ["gelu_10", "gelu10"],
    ["relu6", "relu6"],
    ["leaky_relu", "leakyRelu"],
    ["laplace", "laplace"],
    ["relu2", "reglu2"],
  ])("hidden_act %s is %s", async (name, entry) => {
    expect(await formula({ model_type: "llama", hidden_act: name })).toEqual([entry, {}]);
  });
});

describe("swapped halves across formats, layouts and quantisation", () => {
  const wide = 32;
  const matrix = (): number[][] =>
    Array.from({ length: wide }, () => Array.from({ length: wide }, () => 2 * random() - 1));
  /** Q8_0: a half of the scale, then 32 whole numbers. */
  const q8 = (matrices: number[][][]): Stored => {
    const bytes = matrices.flat().flatMap((row) => {
      // The scale is 1/128, a power of two, as a half: 0x2000.
      return [
        0x00,
        0x20,
        ...row.map((value) => Math.max(-127, Math.min(127, Math.round(128 * value))) & 255),
      ];
    });
    return { shape: [matrices.length, wide, wide], type: 8, bytes: Uint8Array.from(bytes) };
  };
  const [gate, up, down] = [
    [matrix(), matrix()],
    [matrix(), matrix()],
    [matrix(), matrix()],
  ];
  const transposed = (rows: number[][]): number[][] =>
    rows.map((_, i) => rows.map((row) => row[i] as number));
  // gpt-oss: [experts, in, out], gate and up in turn.
  const packed = gate.map((rows, e) =>
    transposed(rows).map((row, i) =>
      row.flatMap((value, o) => [value, (up[e] as number[][])[o]?.[i] as number]),
    ),
  );
  const original = folder(
    { model_type: "gpt_oss", hidden_size: wide },
    {
      "model.layers.0.mlp.experts.gate_up_proj": floats([2, wide, 2 * wide], packed.flat(2)),
      "model.layers.0.mlp.experts.down_proj": floats([2, wide, wide], down.map(transposed).flat(2)),
    },
  );
  const converted = (first: number[][][], second: number[][][]): ModelInput =>
    gguf(
      { "general.architecture": { text: "gpt-oss" } },
      {
        "blk.0.ffn_gate_exps.weight": q8(first),
        "blk.0.ffn_up_exps.weight": q8(second),
        "blk.0.ffn_down_exps.weight": q8(down),
      },
    );
  test("interleaved [in,out] experts against GGUF's Q8_0: the right order agrees, the other is shown", async () => {
    expect((await against(original, converted(gate, up), true)).differences).toEqual([]);
    expect((await against(original, converted(up, gate), true)).differences).toEqual([
      "layer 0, routed: gate and up are swapped: rows of the first model's gate are the second's up, and the other way round",
    ]);
  });
});

test("a list of limits that ends before the layers do is said", async () => {
  const config = {
    model_type: "step3p5",
    hidden_act: "silu",
    swiglu_limits_shared: [4],
    hidden_size: dModel,
  };
  const { findings } = await check(
    folder(config, { ...mlp("model.layers.0.mlp"), ...mlp("model.layers.1.mlp") }),
  );
  expect(findings).toEqual([
    "swiglu_limits_shared has 1 entries and none for layer 1, which is taken as no limit",
  ]);
});

describe("lablup/mlxcel#620: names in the file, not in the index or the loader", () => {
  test("separate tensors are seen as such, whatever the index says", async () => {
    const index = { weight_map: { "layers.0.mlp.gate_up_proj.weight": "model.safetensors" } };
    const report: Report = await check({
      "model.safetensors": safetensors(mlp("layers.0.mlp")),
      "model.safetensors.index.json": json(index),
      "config.json": json({ model_type: "phi3", hidden_act: "silu" }),
    });
    expect(report.blocks[0]?.layout.value).toBe("separate");
    expect(report.findings).toEqual([
      "model.safetensors.index.json is stale: 1 tensors that it lists are in no file (layers.0.mlp.gate_up_proj.weight)",
      "model.safetensors.index.json is stale: 3 tensors are not listed (layers.0.mlp.gate_proj.weight)",
    ]);
  });
});
