// `check`: for each layer and role of a model, which activation it has, in which layout, and what says so.

import { findSites, type Site } from "../blocks/sites.js";
import type { ModelInput } from "../files/open.js";
import type { WebOptions } from "../files/web.js";
import { graphBlocks } from "../graph/judge.js";
import type { GraphMatrices } from "../graph/place.js";
import { type Model, openModel } from "../model.js";
import { isObject, type JsonObject } from "../readers/json.js";
import { formulaOf } from "./activation.js";
import type { BlockReport, Report } from "./block-report.js";
import { formRules, isAmong } from "./clamps.js";
import { activationRules } from "./families.js";
import { unknown } from "./field.js";
import { ggufFormula } from "./gguf-activation.js";
import { fixedForms, ggufActivation } from "./gguf-families.js";
import { type BlockShape, shapeOf } from "./shape.js";

/** A block with what is needed to read it: where its matrices are, unless it was found in a graph. */
export interface Judged {
  readonly place?: { readonly site: Site; readonly shape: BlockShape };
  /** The same for a block of a graph. */
  readonly matrices?: GraphMatrices;
  readonly report: BlockReport;
  readonly findings: readonly string[];
}

/**
 * Says for each layer and role of a model file which activation it has, its parameters, layout and orientation, each with its
 * evidence and how strong that is; "unknown" rather than a guess. Reads headers and config only. Throws a ModelFileError for a
 * file that cannot be read.
 *
 * @example
 * const text = (value) => new TextEncoder().encode(JSON.stringify(value));
 * const entry = (shape, from) => ({ dtype: "F32", shape, data_offsets: [from, from + 4 * shape[0] * shape[1]] });
 * const mlp = "model.layers.0.mlp.";
 * const header = text({
 *   [`${mlp}gate_proj.weight`]: entry([3, 2], 0),
 *   [`${mlp}up_proj.weight`]: entry([3, 2], 24),
 *   [`${mlp}down_proj.weight`]: entry([2, 3], 48),
 * });
 * const file = new Uint8Array(8 + header.length + 72);
 * new DataView(file.buffer).setUint32(0, header.length, true);
 * file.set(header, 8);
 * const config = text({ model_type: "llama", hidden_act: "silu", hidden_size: 2 });
 * const { blocks } = await check({ "model.safetensors": file, "config.json": config });
 * blocks[0].activation; // { value: "swiglu", evidence: "config.json: hidden_act is silu", strength: "metadata" }
 * blocks[0].layout.value; // "separate"
 */
export async function check(input: ModelInput, options?: WebOptions): Promise<Report> {
  const model = await openModel(input, options);
  try {
    return checkModel(model);
  } finally {
    await model.close();
  }
}

/** The same for a model that is open already. */
export function checkModel(model: Model): Report {
  const judged = judgeAll(model);
  const findings = [...model.remarks, ...judged.flatMap((block) => block.findings)];
  return {
    format: model.format,
    family: familyOf(model),
    blocks: judged.map(({ report }) => report),
    findings: [...new Set(findings)],
  };
}

/** Judges every block of a model. */
export const judgeAll = (model: Model): readonly Judged[] =>
  model.graph === undefined
    ? findSites(model.tensors).map((site) => judge(model, site))
    : graphBlocks(model.graph);

function familyOf(model: Model): string {
  const family =
    model.format === "gguf" ? model.metadata.get("general.architecture") : model.config?.model_type;
  return typeof family === "string" ? family : "";
}

function judge(model: Model, site: Site): Judged {
  const gguf = model.format === "gguf";
  const config = gguf ? undefined : configFor(model.config, site.path);
  const name = gguf ? familyOf(model) : knownFamily(config, model.config, site.path);
  const known = gguf ? knowsArchitecture(name) : knowsFamily(name);
  const shape = shapeOf(model, site, { name, known }, gguf ? undefined : widthOf(config));
  const gated = shape.layout.value !== "ungated";
  const formula = gguf ? ggufFormula(model, site, name, gated) : formulaOf(site, config, name, gated);
  const { parameters, extras, findings } = formula;
  // Without knowing whether there is a gate, a name says half of it.
  const halfKnown = shape.layout.value === "unknown" && site.scheme.parts.gate === undefined;
  const activation = halfKnown ? unknown<string>(shape.layout.evidence) : formula.activation;
  const { layout, orientation, dModel, dFf, experts, biases, stored } = shape;
  const { stack, layer, role } = site;
  return {
    place: { site, shape },
    report: {
      stack,
      layer,
      role,
      activation,
      parameters,
      layout,
      orientation,
      dModel,
      dFf,
      experts,
      biases,
      stored,
      extras,
    },
    findings,
  };
}

const knowsArchitecture = (name: string): boolean =>
  ggufActivation(name, true) !== undefined || Object.hasOwn(fixedForms, name);
const knowsFamily = (name: string): boolean =>
  activationRules(name).length > 0 || formRules.some((rule) => isAmong(rule, name));

/** Parts of a config that describe one tower, by what the tensors' paths of that tower hold. */
const towers: readonly (readonly [RegExp, readonly string[]])[] = [
  [/vision|visual|image|vit\b/, ["vision_config"]],
  [/audio|speech/, ["audio_config", "speech_config"]],
  [/./, ["text_config", "llm_config", "language_config", "thinker_config"]],
];

/** The part of the config that describes the tower a path lies in. */
function configFor(config: JsonObject | undefined, path: string): JsonObject | undefined {
  const keys = towers.find(([pattern]) => pattern.test(path))?.[1] ?? [];
  const own = keys.map((key) => config?.[key]).find(isObject);
  return own ?? config;
}

/** The family that rules know: the tower's own name, or the model's with an ending. */
function knownFamily(config: JsonObject | undefined, root: JsonObject | undefined, path: string): string {
  const names = [config?.model_type, root?.model_type].filter(
    (name): name is string => typeof name === "string",
  );
  const endings = /vision|visual/.test(path)
    ? ["_vision", "_vision_model", ""]
    : ["", "_text", "_text_model"];
  const candidates = names.flatMap((name) => endings.map((ending) => `${name}${ending}`));
  return candidates.find(knowsFamily) ?? names[0] ?? "";
}

/** Keys of the model's width. */
const widths = ["hidden_size", "d_model", "n_embd", "dim", "embed_dim", "hidden_dim"];

function widthOf(config: JsonObject | undefined): { width: number; source: string } | undefined {
  const key = widths.find((candidate) => typeof config?.[candidate] === "number");
  return key === undefined
    ? undefined
    : { width: config?.[key] as number, source: `${key} is ${String(config?.[key])}` };
}
