// How feed-forward weights are called on disk: which name is gate, up, down or both packed, and what a tensor's name says.
// Source: 522 feed-forward blocks of transformers 5.18, llama.cpp and mlx-lm, read in November 2026.

/** Where a weight goes in a block; `packed` holds gate and up, or is decided by its shape to be up alone. */
export type Slot = "gate" | "up" | "packed" | "down";
/** Which feed-forward of a layer: the only one, an expert that a router chooses, or one that every token takes. */
export type Role = "dense" | "routed" | "shared";

/** The names of one block's parts. */
export interface Scheme {
  readonly parts: Readonly<Partial<Record<Slot, string>>>;
  /** What the block's path must end in, for names that other modules have too. */
  readonly within?: RegExp;
}

const feedForward = /(^|\.)(mlp|ffn|ff|feed_forward|feedforward|mlp1|mlp2|layers\.\d+)$/i;

const separate = (gate: string, up: string, down: string): Scheme => ({ parts: { gate, up, down } });
const packed = (name: string, down: string): Scheme => ({ parts: { packed: name, down } });
const single = (up: string, down: string, within?: RegExp): Scheme =>
  within === undefined ? { parts: { up, down } } : { parts: { up, down }, within };

/** All schemes; where several fit, the first. */
export const schemes: readonly Scheme[] = [
  separate("gate_proj", "up_proj", "down_proj"),
  separate("linear_gate", "up_proj", "down_proj"),
  separate("w1", "w3", "w2"),
  separate("w1", "v1", "w2"),
  // Qwen 1: the other way round than Mixtral's w1 and w3.
  separate("w2", "w1", "c_proj"),
  separate("wi_0", "wi_1", "wo"),
  separate("c_fc_0", "c_fc_1", "c_proj"),
  separate("fc12", "fc11", "fc2"),
  separate("linear", "linear_v", "linear_1"),
  separate("w_in.w_0", "w_in.w_1", "w_out"),
  separate("ffn_gate", "ffn_up", "ffn_down"),
  packed("gate_up_proj", "down_proj"),
  packed("up_gate_proj", "down_proj"),
  packed("weights_in", "weights_out"),
  packed("Wi", "Wo"),
  packed("input_linear", "output_linear"),
  packed("w13_weight", "w2_weight"),
  packed("w13_dn", "w2_md"),
  packed("ff_proj", "ff_out"),
  packed("proj_1", "proj_2"),
  packed("gated_layers", "wo"),
  packed("fc1.proj", "fc2"),
  packed("ffn_gate_up", "ffn_down"),
  single("up_proj", "down_proj"),
  single("ffn_up", "ffn_down"),
  single("fc1", "fc2"),
  single("intermediate.dense", "output.dense"),
  single("intermediate_dense", "output_dense"),
  single("wi", "wo"),
  single("c_fc", "c_proj"),
  single("linear_fc1", "linear_fc2"),
  single("dense_h_to_4h", "dense_4h_to_h"),
  single("lin1", "lin2"),
  single("ffw_layer_1", "ffw_layer_2"),
  single("dense1", "dense2"),
  single("fc_in", "fc_out"),
  single("ffn", "ffn_output"),
  single("gate_proj", "down_proj"),
  single("linear1", "linear2", feedForward),
  single("linear_1", "linear_2", feedForward),
  single("conv_1", "conv_2", feedForward),
  single("in_proj", "out_proj", feedForward),
  single("proj_in", "proj_out", feedForward),
  single("layer1", "layer2", feedForward),
];

const parts: ReadonlySet<string> = new Set(schemes.flatMap((scheme) => Object.values(scheme.parts)));

/** What a parameter is beside the matrix itself: a bias, or a part of how it is quantised. */
const attributes: ReadonlySet<string> = new Set(
  (
    "weight bias scales biases scale qweight qzeros g_idx weight_packed weight_scale weight_scale_inv weight_zero_point " +
    "weight_shape input_scale weight_scale_2 absmax quant_map quant_state blocks"
  ).split(" "),
);

/** What the name of one tensor of a block says. */
export interface Parsed {
  /** The block's path, with its experts' numbers left out; every tensor of one block has the same. */
  readonly site: string;
  readonly part: string;
  readonly attribute: string;
  readonly layer: number | undefined;
  /** The number in the name, for experts that are tensors of their own. */
  readonly expert: number | undefined;
  readonly role: Role;
}

/** Experts of attention (JetMoE) have the names of feed-forward ones. */
const attention = /(^|\.)(self_|cross_)?att(entio)?n(_\w+)?\./;

/** Reads a tensor's name; undefined where it belongs to no feed-forward block. */
export function parseName(name: string): Parsed | undefined {
  if (attention.test(name)) return undefined;
  const components = name.split(".");
  const { part, attribute, rest, suffix } = partOf(components) ?? {};
  if (part === undefined || attribute === undefined || rest === undefined) return undefined;
  const at = rest.findIndex(
    (component, i) => /^experts?$/.test(component) && /^\d+$/.test(rest[i + 1] ?? ""),
  );
  const expert = at < 0 ? undefined : Number(rest[at + 1]);
  const path = at < 0 ? rest : rest.filter((_, i) => i !== at + 1);
  const layer = path.find((component) => /^\d+$/.test(component));
  const role = suffix ?? roleOf(path);
  const site = suffix === undefined ? path.join(".") : `${path.join(".")}:${suffix}`;
  return { site, part, attribute, layer: layer === undefined ? undefined : Number(layer), expert, role };
}

function roleOf(path: readonly string[]): Role {
  if (path.some((component) => /^shared_?(experts?|mlp)$|^share_expert$/.test(component))) return "shared";
  return path.some((component) => /^(experts|switch_mlp|block_sparse_moe|moe)$/.test(component))
    ? "routed"
    : "dense";
}

/** Suffixes of GGUF's names. */
const ggufRoles: Readonly<Record<string, Role>> = { exps: "routed", shexp: "shared", chexps: "routed" };

function partOf(components: readonly string[]) {
  const last = components.at(-1) as string;
  const own = attributes.has(last) && components.length > 1;
  const names = own ? components.slice(0, -1) : components;
  let attribute = own ? last : "weight";
  for (const length of [2, 1]) {
    let part = names.slice(-length).join(".");
    if (names.length < length || part === "") continue;
    // Parameters without a module: gate_up_proj_bias, gate_up_proj_blocks.
    const [, bare, ending] = /^(.*_proj)_(bias|blocks|scales)$/.exec(part) ?? [];
    if (!own && bare !== undefined && ending !== undefined) [part, attribute] = [bare, ending];
    const [, shared, w13] = /^(shared_)(w13_weight|w2_weight)$/.exec(part) ?? [];
    if (shared !== undefined && w13 !== undefined)
      return { part: w13, attribute, rest: names.slice(0, -length), suffix: "shared" as Role };
    const [, gguf, kind] = /^(ffn_(?:gate|up|down|gate_up))_(exps|shexp|chexps)$/.exec(part) ?? [];
    if (gguf !== undefined && kind !== undefined)
      return { part: gguf, attribute, rest: names.slice(0, -length), suffix: ggufRoles[kind] as Role };
    if (parts.has(part)) return { part, attribute, rest: names.slice(0, -length), suffix: undefined };
  }
  return undefined;
}
