// What engines compute for a file, where that is not what the file's model computes. A table of its own, since engines change.
// Sources: the engines' code, read in August and November 2026; the versions are named.

import { layerRange } from "./against.js";
import type { BlockReport, Report } from "./block-report.js";

export const engines = ["llama.cpp", "ik_llama.cpp", "mlx-lm", "candle", "onnxruntime", "vllm"] as const;
export type Engine = (typeof engines)[number];

/** One way in which an engine differs, for some families. */
interface Deviation {
  readonly engine: Engine;
  readonly format: Report["format"];
  /** Architectures or model types; undefined: all. */
  readonly families?: string;
  /** Whether it concerns a block. */
  readonly when: (block: BlockReport) => boolean;
  readonly says: string;
}

const is =
  (...names: readonly string[]) =>
  ({ activation: { value } }: BlockReport): boolean =>
    names.includes(value);
const clamped = is("swigluClamped", "swigluStep");
/** gpt-oss's own constants and layout. */
const isGptOss = ({ activation, parameters: { value }, layout }: BlockReport): boolean =>
  activation.value === "swigluOai" &&
  layout.value === "interleaved" &&
  value !== "unknown" &&
  value.alpha === 1.702 &&
  value.limit === 7 &&
  value.offset === 1;

/** The formats that each engine reads, as far as this table knows. */
export const readBy: Readonly<Record<Engine, readonly Report["format"][]>> = {
  "llama.cpp": ["gguf"],
  "ik_llama.cpp": ["gguf"],
  "mlx-lm": ["safetensors"],
  candle: ["gguf"],
  onnxruntime: ["onnx"],
  vllm: ["safetensors"],
};

const deviations: readonly Deviation[] = [
  {
    engine: "onnxruntime",
    format: "onnx",
    when: (block) =>
      block.role === "routed" && is("swiglu", "swigluClamped", "swigluOai")(block) && !isGptOss(block),
    says: "before 1.28 computes gpt-oss's form in MoE on CUDA, whatever the file's alpha, beta, limit and fusion (onnxruntime#28738)",
  },
  {
    engine: "onnxruntime",
    format: "onnx",
    when: ({ role, activation, layout }) =>
      role === "routed" && activation.value.startsWith("swiglu") && layout.value !== "interleaved",
    says: "refuses MoE's swiglu on the CPU unless gate and up are interleaved (swiglu_fusion 1; August 2026)",
  },
  {
    engine: "vllm",
    format: "safetensors",
    families: "deepseek_v4",
    when: (block) => block.role === "shared" && is("swigluClamped")(block),
    says: "left DeepSeek-V4's shared experts unclamped (vllm#40950): use a version with its fix",
  },
  {
    engine: "vllm",
    format: "safetensors",
    families: "gemma4 gemma4_text",
    when: (block) => block.role === "routed" && is("gegluTanh")(block),
    says: "computed another form of gelu in Gemma 4's experts (vllm#41574, #56839): use a version with its fix",
  },
  {
    engine: "candle",
    format: "gguf",
    families: "gemma3",
    when: is("gegluTanh"),
    says: "runs silu in quantised Gemma 3 (before candle#3747)",
  },
  {
    engine: "llama.cpp",
    format: "gguf",
    when: is("gelu", "geglu"),
    says: "runs the tanh form of gelu for every gelu (August 2026): up to 4.7e-4 off, largest near -2.7",
  },
  {
    engine: "llama.cpp",
    format: "gguf",
    families: "bitnet",
    when: is("reglu2"),
    says: "computes silu where BitNet has relu2 (v0.5.0, measured)",
  },
  {
    engine: "llama.cpp",
    format: "gguf",
    when: (block) => clamped(block) && block.layout.value !== "separate",
    says: "leaves merged gate and up (ffn_gate_up_exps) unclamped (August 2026)",
  },
  {
    engine: "ik_llama.cpp",
    format: "gguf",
    when: is("gelu", "geglu"),
    says: "runs the tanh form of gelu for every gelu (8337e4c): up to 4.7e-4 off, largest near -2.7",
  },
  {
    engine: "ik_llama.cpp",
    format: "gguf",
    families: "deepseek4",
    when: is("swigluClamped"),
    says: "clamps after silu where DeepSeek-V4 clamps before (8337e4c): relative error 4.5e-5 at a limit of 10",
  },
  {
    engine: "ik_llama.cpp",
    format: "gguf",
    families: "hy_v4 maple glm5-next dflash",
    when: clamped,
    says: "reads limits for step35, bailingmoe3 and deepseek4 only (8337e4c), and clamps nothing here",
  },
  {
    engine: "mlx-lm",
    format: "safetensors",
    families: "deepseek_v4 glm5_next glm5_next_text hy_v4 bailing_moe_v3 maple minimax_m3_vl_text kimi_k3",
    when: is("swigluClamped", "swigluStep", "swigluOai", "situGlu"),
    says: "has no code for this family's limits (d78bf58): only gpt_oss, step3p5 and phi3small have",
  },
  {
    engine: "mlx-lm",
    format: "safetensors",
    families: "gemma",
    when: is("gegluTanh"),
    says: "runs the erf form of gelu where Gemma has the tanh form (d78bf58): up to 4.7e-4 off",
  },
  {
    engine: "mlx-lm",
    format: "safetensors",
    families: "gpt_neox",
    when: is("gelu"),
    says: "runs the tanh form of gelu where GPT-NeoX has the erf form (d78bf58): up to 4.7e-4 off",
  },
  {
    engine: "mlx-lm",
    format: "safetensors",
    families: "gpt_bigcode",
    when: is("geluTanh"),
    says: "runs the erf form of gelu where StarCoder has the tanh form (d78bf58): up to 4.7e-4 off",
  },
];

/**
 * Where an engine, as of the versions that its sentences name, computes something else than the file's model does. An empty
 * list means that no deviation is known, and not that there is none.
 *
 * @example
 * const block = { role: "dense", layer: 0, activation: { value: "geglu" }, layout: { value: "gate-first" } };
 * engineDeviations({ format: "gguf", family: "modern-bert", blocks: [block], findings: [] }, "llama.cpp").length; // 1
 */
export function engineDeviations(report: Report, engine: Engine): string[] {
  return deviations
    .filter((deviation) => deviation.engine === engine && deviation.format === report.format)
    .filter(({ families }) => families === undefined || families.split(" ").includes(report.family))
    .flatMap(({ when, says }) => {
      const layers = report.blocks.filter(when).map(({ layer }) => layer ?? 0);
      return layers.length === 0 ? [] : [`${layerRange(layers)}: ${engine} ${says}`];
    });
}
