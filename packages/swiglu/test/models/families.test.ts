// Every feed-forward block of 436 model types: a config, tensors and a GGUF file like its own, and what `check` says of them.
// The table was read from transformers 5.18, llama.cpp and the families' own code in November 2026, not from this library.
import { readFileSync } from "node:fs";
import { type BlockReport, check, type Report } from "swiglu/models";
import { describe, expect, test } from "vitest";
import { floats, gguf, type Stored, safetensors, type Value } from "./files.js";

type Row = [
  family: string,
  architecture: string | null,
  block: string,
  activation: string | null,
  raw: string | null,
  source: string | null,
  layout: string,
  orientation: string,
  experts: boolean,
  parts: string[] | null,
];
const rows = JSON.parse(readFileSync(new URL("fixtures/families.json", import.meta.url), "utf8")) as Row[];
const [dModel, dFf, experts] = [6, 10, 3];

/** How a block lies on disk where that is not how the table's modules keep it: the table's own words, as patterns of names. */
interface Disk {
  readonly path: string;
  readonly gate?: string;
  readonly up?: string;
  readonly packed?: string;
  readonly down: string;
  readonly layout?: string;
  readonly orientation?: string;
  readonly stacked?: boolean;
}
const perExpert: Disk = {
  path: "layers.0.mlp.experts.E",
  gate: "gate_proj",
  up: "up_proj",
  down: "down_proj",
};
const mixtral: Disk = { path: "layers.0.block_sparse_moe.experts.E", gate: "w1", up: "w3", down: "w2" };
const ownExperts =
  "deepseek_v2 deepseek_v3 deepseek_v32 ernie4_5_moe glm4_moe hunyuan_v1_moe olmoe qwen2_moe qwen3_moe qwen3_next " +
  "bailing_moe_v3 bailing_moe kimi_k2 maple";
const routedDisks: Readonly<Record<string, Disk>> = {
  ...Object.fromEntries(ownExperts.split(" ").map((family) => [family, perExpert])),
  ...Object.fromEntries(
    "mixtral minimax minimax_m2 phimoe kimi_k3 arctic".split(" ").map((family) => [family, mixtral]),
  ),
  minimax_m3_vl_text: mixtral,
  deepseek_v4: { path: "layers.0.ffn.experts.E", gate: "w1", up: "w3", down: "w2" },
  lfm2_moe: { path: "layers.0.feed_forward.experts.E", gate: "w1", up: "w3", down: "w2" },
  step3p5: { path: "layers.0.moe", gate: "gate_proj", up: "up_proj", down: "down_proj", stacked: true },
  granitemoe: {
    path: "layers.0.block_sparse_moe",
    packed: "input_linear",
    down: "output_linear",
    stacked: true,
  },
  granitemoe_swa: {
    path: "layers.0.block_sparse_moe",
    packed: "input_linear",
    down: "output_linear",
    stacked: true,
  },
  jetmoe: { path: "layers.0.mlp.experts", packed: "input_linear", down: "output_linear", stacked: true },
  inkling_text: {
    path: "layers.0.mlp.experts",
    packed: "w13_weight",
    down: "w2_weight",
    layout: "interleaved",
    stacked: true,
  },
  qwen3_vl_moe_text: {
    path: "layers.0.mlp.experts",
    packed: "gate_up_proj",
    down: "down_proj",
    orientation: "[in,out]",
    stacked: true,
  },
  "grok-1": { path: "layers.0.moe", gate: "linear", up: "linear_v", down: "linear_1", stacked: true },
};
const denseDisks: Readonly<Record<string, Disk>> = {
  deepseek_v4: { path: "layers.0.ffn.shared_experts", gate: "w1", up: "w3", down: "w2" },
  minimax_m3_vl_text: { path: "layers.0.mlp", gate: "gate_proj", up: "up_proj", down: "down_proj" },
  gte: { path: "encoder.layer.0.mlp", packed: "up_gate_proj", down: "down_proj", layout: "gate-second" },
  hrm_text: { path: "layers.0.mlp", packed: "gate_up_proj", down: "down_proj" },
  nomic_bert: { path: "encoder.layers.0.mlp", gate: "fc12", up: "fc11", down: "fc2" },
  inkling_text: { path: "layers.0.mlp", packed: "w13_dn", down: "w2_md", layout: "interleaved" },
  phi3small: { path: "layers.0.mlp", packed: "up_proj", down: "down_proj" },
  qwen: { path: "transformer.h.0.mlp", gate: "w2", up: "w1", down: "c_proj" },
  internlm2: { path: "layers.0.feed_forward", gate: "w1", up: "w3", down: "w2" },
  exaone: { path: "transformer.h.0.mlp", gate: "c_fc_0", up: "c_fc_1", down: "c_proj" },
  "OLMo 1 original": { path: "transformer.blocks.0", packed: "ff_proj", down: "ff_out" },
  openelm: { path: "transformer.layers.0.ffn", packed: "proj_1", down: "proj_2" },
  plamo2: { path: "layers.0.mlp", packed: "gate_up_proj", down: "down_proj" },
  chatglm: { path: "encoder.layers.0.mlp", packed: "dense_h_to_4h", down: "dense_4h_to_h" },
  baichuan: { path: "layers.0.mlp", gate: "gate_proj", up: "up_proj", down: "down_proj" },
  "nemotron-nas": { path: "layers.0.mlp", gate: "gate_proj", up: "up_proj", down: "down_proj" },
  "jina-bert-v2": { path: "encoder.layer.0.mlp", packed: "gated_layers", down: "wo" },
  cpmant: { path: "encoder.layers.0.ffn.ffn", gate: "w_in.w_0", up: "w_in.w_1", down: "w_out" },
  clvp_encoder: { path: "layers.0.mlp", packed: "fc1.proj", down: "fc2" },
  opt: { path: "decoder.layers.0", up: "fc1", down: "fc2" },
  whisper: { path: "decoder.layers.0", up: "fc1", down: "fc2" },
  bart: { path: "encoder.layers.0", up: "fc1", down: "fc2" },
};
/** Gated blocks of families that also have ungated ones. */
const gatedDisks: Readonly<Record<string, Disk>> = {
  dinov2: { path: "layer.0.mlp", packed: "weights_in", down: "weights_out", layout: "gate-first" },
};

function diskOf([family, , , , , , layout, orientation, routed, parts]: Row): Disk | undefined {
  if (routed && layout !== "separate" && routedDisks[family] === undefined)
    return {
      path: "layers.0.mlp.experts",
      packed: "gate_up_proj",
      down: "down_proj",
      layout,
      orientation: orientation.replace("experts,", ""),
      stacked: true,
    };
  if (routed && routedDisks[family] !== undefined) return routedDisks[family];
  if (denseDisks[family] !== undefined) return denseDisks[family];
  if (layout === "separate" && gatedDisks[family.replace("_with_registers", "")] !== undefined)
    return gatedDisks[family.replace("_with_registers", "")];
  if (parts === null) return undefined;
  const matrices = parts.filter((part) => !/_bias$|_scale$|^weight$/.test(part));
  const tower = /vision/.test(family) ? "vision_tower." : "";
  const path = `${tower}${family.startsWith("moonshine") ? (layout === "ungated" ? "encoder." : "decoder.") : ""}layers.0.mlp`;
  if (matrices.join() === "dense")
    return { path: "encoder.layer.0", up: "intermediate.dense", down: "output.dense" };
  const [first = "", second = "", third = ""] = matrices;
  if (layout === "separate" && third !== "") {
    const [gate, up, down] = [first, second, third];
    return family === "dbrx"
      ? { path: "transformer.blocks.0.ffn.experts.mlp", gate, up, down }
      : { path: routed ? "layers.0.mlp.switch_mlp" : path, gate, up, down, stacked: routed };
  }
  if (layout === "ungated" || layout === "separate")
    return { path: routed ? "layers.0.mlp.experts" : path, up: first, down: second, stacked: routed };
  return { path, packed: first, down: second };
}

const filled = (shape: readonly number[]): Stored =>
  floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));

function tensorsOf(disk: Disk, inOut: boolean): Record<string, Stored> {
  const { path, gate, up, packed, down, stacked = false } = disk;
  const size = (outputs: number, inputs: number): number[] => [
    ...(stacked ? [experts] : []),
    ...(inOut ? [inputs, outputs] : [outputs, inputs]),
  ];
  const bare = stacked && packed === "gate_up_proj" ? "" : ".weight";
  const entries: [string | undefined, number[]][] = [
    [gate, size(dFf, dModel)],
    [up, size(dFf, dModel)],
    [packed, size(2 * dFf, dModel)],
    // DBRX keeps down as it keeps up: all experts' hidden channels by the model's width.
    [down, path.endsWith("experts.mlp") ? size(dFf, dModel) : size(dModel, dFf)],
  ];
  const numbers = path.includes(".E") ? Array.from({ length: experts }, (_, i) => String(i)) : [""];
  return Object.fromEntries(
    numbers.flatMap((number) =>
      entries.flatMap(([part, shape]) =>
        part === undefined
          ? []
          : [[`model.${path.replace(".E", `.${number}`)}.${part}${bare}`, filled(shape)]],
      ),
    ),
  );
}

/** A config as its family writes it. */
function configOf([family, , , , raw, source]: Row): object {
  const key = /^config\.([\w.]+)/.exec(source ?? "")?.[1];
  const type = family === "OLMo 1 original" ? "hf_olmo" : family;
  const config: Record<string, unknown> = { model_type: type, hidden_size: dModel };
  if (key === "ffn_config.ffn_act_fn.name") config.ffn_config = { ffn_act_fn: { name: raw } };
  else if (key === "gelu_activation") config.gelu_activation = true;
  else if (key !== undefined && raw !== null && !key.includes("limit")) config[key] = raw;
  return { ...config, ...limits[type] };
}
const limits: Readonly<Record<string, object>> = {
  step3p5: { swiglu_limits: [4], swiglu_limits_shared: [5] },
  bailing_moe_v3: { hidden_act: "silu", expert_swiglu_limit_list: [4], share_expert_swiglu_limit_list: [5] },
  kimi_k3: { hidden_act: "situ", activation_situ_beta: 4, activation_situ_linear_beta: 25 },
  phi3small: { hidden_act: "gegelu", gegelu_limit: 20 },
};

/** The catalogue's entry for the table's word. */
const entryOf = (activation: string | null): string | undefined =>
  activation === "relu2 (gated form of the unary)" ? "reglu2" : activation?.split(" ")[0];

/** What the table says wrongly of itself, set right with the reason. */
function wantedOf([family, , block, activation, , , layout, orientation]: Row, disk: Disk) {
  // TimesFM's gate_proj is followed by relu and down alone; NemotronH's experts have no gate.
  if (family === "timesfm") return { activation: "relu", layout: "ungated", orientation };
  if (block === "NemotronHExperts")
    return { activation: "relu2", layout: "ungated", orientation: "[out,in]" };
  // The same module as glm5_next_text's, which clamps: the table read the outer config, which has no limit of its own.
  if (block === "Glm5NextTextExperts")
    return { activation: "swigluClamped", layout, orientation: "[out,in]" };
  const separate = disk.gate !== undefined;
  return {
    activation: entryOf(activation) ?? "unknown",
    layout: separate
      ? "separate"
      : (disk.layout ?? (layout === "separate" ? "gate-first" : layout.split(" ")[0])),
    orientation: disk.orientation ?? orientation.replace("experts,", "").split(" ")[0],
  };
}

const blockOf = ({ blocks }: Report): BlockReport | undefined => blocks[0];
const fields = ["activation", "layout", "orientation"] as const;

/** Compares all reports with what is wanted; says what is wrong, and which fields are unknown. */
function compare(
  cases: readonly { name: string; wanted: Record<string, string | undefined>; report: Report }[],
) {
  const [wrong, undecided]: [string[], string[]] = [[], []];
  for (const { name, wanted, report } of cases) {
    const block = blockOf(report);
    for (const field of fields) {
      const value = block?.[field].value ?? "unknown";
      if (value === wanted[field]) continue;
      (value === "unknown" ? undecided : wrong).push(`${name}: ${field} ${value}, expected ${wanted[field]}`);
    }
  }
  return { wrong, undecided };
}

describe("every family's blocks, from a config and tensors like its own", async () => {
  const cases: { name: string; wanted: Record<string, string | undefined>; report: Report }[] = [];
  for (const row of rows) {
    const disk = diskOf(row) ?? { path: "layers.0.mlp", up: "nothing", down: "nothing" };
    const wanted = wantedOf(row, disk);
    const input = {
      "model.safetensors": safetensors(tensorsOf(disk, wanted.orientation === "[in,out]")),
      "config.json": new TextEncoder().encode(JSON.stringify(configOf(row))),
    };
    cases.push({ name: `${row[0]} ${row[2]}`, wanted, report: await check(input) });
  }
  const { wrong, undecided } = compare(cases);
  test(`the table has ${rows.length} blocks`, () => expect(rows.length).toBe(522));
  test("none is wrong", () => expect(wrong).toEqual([]));
  test("at most 5 % of activations, layouts and orientations are unknown", () => {
    expect(undecided.length, undecided.join("\n")).toBeLessThanOrEqual(0.05 * 3 * rows.length);
  });
});

describe("every architecture's blocks, from a GGUF file like its own", async () => {
  const cases: { name: string; wanted: Record<string, string | undefined>; report: Report }[] = [];
  for (const row of rows) {
    const [family, architecture, block, activation, , , layout, , routed] = row;
    if (architecture === null) continue;
    const ungated = layout === "ungated" || block === "NemotronHExperts";
    const packed = !ungated && layout !== "separate" && !routed;
    const ending = routed ? "_exps" : "";
    const size = (outputs: number, inputs: number): Stored =>
      filled(routed ? [experts, outputs, inputs] : [outputs, inputs]);
    const tensors = {
      ...(ungated || packed ? {} : { [`blk.0.ffn_gate${ending}.weight`]: size(dFf, dModel) }),
      [`blk.0.ffn_up${ending}.weight`]: size(packed ? 2 * dFf : dFf, dModel),
      [`blk.0.ffn_down${ending}.weight`]: size(dModel, dFf),
    };
    const metadata: Record<string, Value> = { "general.architecture": { text: architecture } };
    if (/Clamped|Step/.test(activation ?? "")) {
      metadata[`${architecture}.swiglu_clamp_exp`] = { f32s: [7] };
      metadata[`${architecture}.swiglu_clamp_shexp`] = { f32s: [7] };
    }
    const wanted = {
      activation: block === "NemotronHExperts" ? "relu2" : entryOf(activation),
      layout: ungated ? "ungated" : packed ? "gate-first" : "separate",
      orientation: "[out,in]",
    };
    cases.push({
      name: `${family} ${block} (${architecture})`,
      wanted,
      report: await check(gguf(metadata, tensors)),
    });
  }
  const { wrong, undecided } = compare(cases);
  test("there are more than 150 of them", () => expect(cases.length).toBeGreaterThan(150));
  test("none is wrong", () => expect(wrong).toEqual([]));
  test("at most 5 % of activations, layouts and orientations are unknown", () => {
    expect(undecided.length, undecided.join("\n")).toBeLessThanOrEqual(0.05 * 3 * cases.length);
  });
});
