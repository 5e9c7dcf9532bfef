// What GGUF's architectures compute. No key of a GGUF file names the activation: the architecture does, and the keys of its clamps.
// Data, with its source and date.

/** Where the rules were read, and when. */
export const ggufSource =
  "llama.cpp's graphs and converters and the original models, read on 28 November 2026";

/** Activations by name as in configs, and the architectures of each; gated where there is a gate. */
const table = `
silu: afmoe arctic axk2 baichuan bailingmoe bailingmoe2 bailingmoe3 chameleon chatglm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek32 deepseek4 dots1 ernie4_5 ernie4_5-moe eurobert exaone exaone-moe exaone4 falcon-h1 glm-dsa glm4 glm4moe glm5-next granite granite-swa granitehybrid granitemoe hrm-text hunyuan-dense hunyuan-moe hy_v3 hy_v4 internlm2 jais jamba kimi-linear laguna lfm2 lfm2moe llama llama4 maple mellum mimo2 minicpm minicpm3 minimax-m2 mistral3 mistral4 muse-glimmer nomic-bert olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi3 phimoe plamo plamo2 qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe qwen3next qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm step35 xverse
gelu_pytorch_tanh: gemma gemma2 gemma3 gemma3n gemma4 grok bloom gpt2 gptj phi2 starcoder starcoder2 codeshell
gelu: bert falcon gptneox mpt jina-bert-v2 jina-bert-v3 modern-bert nomic-bert-moe
relu2: arcee bitnet jais2 nemotron nemotron_h
xielu: apertus`;

let names: Map<string, string> | undefined;

/** The activation's name of an architecture; T5's depends on whether there is a gate. */
export function ggufActivation(architecture: string, gated: boolean): string | undefined {
  if (architecture === "t5" || architecture === "t5encoder") return gated ? "gelu_pytorch_tanh" : "relu";
  if (names === undefined) {
    names = new Map();
    for (const line of table.trim().split("\n")) {
      const [name = "", list = ""] = line.split(": ");
      for (const member of list.split(" ")) names.set(member, name);
    }
  }
  return names.get(architecture);
}

/** Architectures that clamp gate and up before silu; others with the same keys clamp silu's result. */
export const clampBefore: ReadonlySet<string> = new Set([
  "deepseek4",
  "maple",
  "hy_v4",
  "dflash",
  "glm5-next",
]);
/** Architectures whose models have limits: a file without the keys has lost them, or was made from a model without. */
export const usuallyClamped: ReadonlySet<string> = new Set([
  "deepseek4",
  "maple",
  "hy_v4",
  "glm5-next",
  "step35",
  "bailingmoe3",
]);
/** Architectures whose shared experts take the routed experts' limits where they have none of their own. */
export const sharedFallsBack: ReadonlySet<string> = new Set(["deepseek4", "glm5-next"]);
/** Architectures with a form of the catalogue: its parameters as the engine has them, and the keys of those that files carry. */
export const fixedForms: Readonly<
  Record<
    string,
    {
      readonly form: "swigluOai" | "situGlu";
      readonly parameters: Readonly<Record<string, number>>;
      /** By parameter, after the architecture's name. */
      readonly keys?: Readonly<Record<string, string>>;
    }
  >
> = {
  "gpt-oss": { form: "swigluOai", parameters: { alpha: 1.702, limit: 7, offset: 1 } },
  "minimax-m3": { form: "swigluOai", parameters: { alpha: 1.702, limit: 7, offset: 1 } },
  "kimi-k3": {
    form: "situGlu",
    parameters: { gateLimit: 4, upLimit: 25 },
    keys: { gateLimit: "activation.situ_beta", upLimit: "activation.situ_linear_beta" },
  },
};
/** What surrounds the activation in some architectures. */
export const ggufExtras: Readonly<Record<string, string>> = {
  bitnet: "an RMSNorm before down (ffn_sub_norm)",
  "falcon-h1": "multipliers of gate and down",
  gemma3n: "statistics of each row taken from the gate on some layers (activation_sparsity_scale)",
};
