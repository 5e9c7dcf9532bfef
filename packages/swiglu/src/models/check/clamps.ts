// Families whose blocks are more than an activation by name: limits, slopes and soft caps, where each is declared, and what
// surrounds the activation. Data, with its source and date.
import type { Role } from "../blocks/names.js";

/** Where a parameter of a form is declared. */
export interface ParameterRule {
  /** The config's key: a number, or a list with one entry for each layer. */
  readonly key?: string;
  /** Its value where there is no key, or the key is not there. */
  readonly value?: number;
  /** A key that the family's code does not read, though configs have it. */
  readonly ignored?: string;
}

/** A form of the catalogue with its parameters, for some roles of a family. */
export interface FormRule {
  readonly families: string;
  readonly roles?: readonly Role[];
  /** The catalogue's activation. */
  readonly form: "swigluClamped" | "swigluStep" | "swigluOai" | "situGlu";
  readonly parameters: Readonly<Record<string, ParameterRule>>;
}

const oai = (
  limit: ParameterRule,
  alpha: ParameterRule = { value: 1.702 },
  offset: ParameterRule = { value: 1 },
) => ({ alpha, limit, offset });

/** Source: transformers 5.18.0, vLLM, SGLang and the families' own code, read on 28 November 2026. */
export const formRules: readonly FormRule[] = [
  {
    families: "deepseek_v4 glm5_next glm5_next_text glm5_next_vision",
    form: "swigluClamped",
    parameters: { limit: { key: "swiglu_limit", value: 10 } },
  },
  {
    families: "hy_v4",
    roles: ["routed"],
    form: "swigluClamped",
    parameters: { limit: { key: "swiglu_limit", value: 10 } },
  },
  { families: "maple", form: "swigluClamped", parameters: { limit: { value: 7 } } },
  {
    families: "step3p5 step3p7",
    roles: ["routed"],
    form: "swigluStep",
    parameters: { limit: { key: "swiglu_limits" } },
  },
  { families: "step3p5 step3p7", form: "swigluStep", parameters: { limit: { key: "swiglu_limits_shared" } } },
  {
    families: "bailing_moe_v3",
    roles: ["routed"],
    form: "swigluStep",
    parameters: { limit: { key: "expert_swiglu_limit_list" } },
  },
  {
    families: "bailing_moe_v3",
    form: "swigluStep",
    parameters: { limit: { key: "share_expert_swiglu_limit_list" } },
  },
  {
    families: "gpt_oss openai_privacy_filter",
    form: "swigluOai",
    parameters: oai({ value: 7, ignored: "swiglu_limit" }),
  },
  {
    families: "minimax_m3_vl_text",
    form: "swigluOai",
    // transformers has the offset fixed; engines read swiglu_beta (vllm-ascend#10605), and its usual value is the same.
    parameters: oai(
      { key: "swiglu_limit", value: 7 },
      { key: "swiglu_alpha", value: 1.702 },
      { value: 1, ignored: "swiglu_beta" },
    ),
  },
  { families: "phi3small", form: "swigluOai", parameters: oai({ key: "gegelu_limit", value: 20 }) },
  {
    families: "kimi_k3",
    form: "situGlu",
    parameters: {
      gateLimit: { key: "activation_situ_beta", value: 4 },
      upLimit: { key: "activation_situ_linear_beta" },
    },
  },
];

/** What surrounds the activation in some families: they are never called plain. */
export const extras: readonly { readonly families: string; readonly what: string; readonly key?: string }[] =
  [
    { families: "bitnet", what: "an RMSNorm before down (ffn_sub_norm)" },
    { families: "kosmos_2_text_model kosmos_2_5_text_model", what: "a LayerNorm before down" },
    { families: "falcon_h1", what: "multipliers of gate and down (mlp_multipliers)", key: "mlp_multipliers" },
    {
      families: "gemma3n_text",
      what: "statistics of each row taken from the gate on some layers (activation_sparsity_pattern)",
      key: "activation_sparsity_pattern",
    },
    { families: "gemma4_vision gemma4_audio", what: "projections that clamp their input and output" },
    { families: "gemma3n gemma3n_audio gemma4_audio", what: "a scale after the block" },
    { families: "inkling_text", what: "a scale for each block (global_scale, gammas)" },
    { families: "zamba2", what: "low-rank adapters on gate and up" },
    { families: "rwkv", what: "a gate after down: sigmoid(r) * down(relu(k)^2)" },
  ];

/** Layouts of packed tensors that the usual one, gate first, does not fit: families, the part's name, the layout. */
export const layoutRules: readonly {
  readonly families: string;
  readonly part: string;
  readonly layout: "gate-second" | "interleaved";
}[] = [
  { families: "gpt_oss", part: "gate_up_proj", layout: "interleaved" },
  { families: "phi3small", part: "up_proj", layout: "interleaved" },
  { families: "inkling_text", part: "w13_weight", layout: "interleaved" },
  { families: "inkling_text", part: "w13_dn", layout: "interleaved" },
  { families: "moonshine moonshine_streaming", part: "fc1", layout: "gate-second" },
  { families: "phi4_multimodal_audio", part: "gate_up_proj", layout: "gate-second" },
  { families: "clvp_encoder", part: "fc1.proj", layout: "gate-second" },
  { families: "hf_olmo", part: "ff_proj", layout: "gate-second" },
  { families: "gte", part: "up_gate_proj", layout: "gate-second" },
];

/** Families whose weights lie [in, out]: their roles (none: all), and the part's name. */
export const inOutRules: readonly {
  readonly families: string;
  readonly part: string;
  readonly role?: Role;
}[] = [
  {
    families: "gpt_oss openai_privacy_filter aria aria_text llama4_text qwen3_vl_moe_text",
    part: "gate_up_proj",
    role: "routed",
  },
  { families: "gpt2 openai-gpt imagegpt decision_transformer clvp_decoder", part: "c_fc" },
];

/** The names of activations that a family's code takes for another. */
export const aliases: readonly {
  readonly families: string;
  readonly name: string;
  readonly means: string;
}[] = [
  { families: "gemma", name: "gelu", means: "gelu_pytorch_tanh" },
  { families: "openai-gpt", name: "gelu", means: "gelu_new" },
  { families: "t5 mt5 umt5 longt5", name: "gated-gelu", means: "gelu_new" },
  { families: "udop", name: "gated-gelu", means: "gelu" },
];

interface OfFamilies {
  readonly families: string;
}
const members = /* @__PURE__ */ new WeakMap<OfFamilies, ReadonlySet<string>>();

/** Whether a rule's families have this one. */
export function isAmong(rule: OfFamilies, family: string): boolean {
  const known = members.get(rule) ?? new Set(rule.families.split(" "));
  members.set(rule, known);
  return known.has(family);
}
