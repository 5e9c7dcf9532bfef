// Which activation a block of a GGUF file has: its architecture's, with the limits that the file's keys give for each layer.
import type { Site } from "../blocks/sites.js";
import type { Model } from "../model.js";
import { catalogueName, type Formula, forLayer, isNoLimit, namedParameters } from "./activation.js";
import { field, unknown } from "./field.js";
import {
  clampBefore,
  fixedForms,
  ggufActivation,
  ggufExtras,
  ggufSource,
  sharedFallsBack,
  usuallyClamped,
} from "./gguf-families.js";

/** What a block of a GGUF file computes. */
export function ggufFormula(model: Model, site: Site, architecture: string, gated: boolean): Formula {
  const around = ggufExtras[architecture];
  const common = { extras: around === undefined ? [] : [around] };
  const fixed = gated ? fixedForms[architecture] : undefined;
  if (fixed !== undefined)
    return {
      activation: field(fixed.form, "family", `architecture ${architecture}: ${fixed.form} (${ggufSource})`),
      ...constantsOf(model, architecture, fixed),
      ...common,
    };
  const name = ggufActivation(architecture, gated);
  if (name === undefined)
    return {
      activation: unknown(
        `no rule knows the architecture ${architecture || "(none given)"}, and no key of GGUF names an activation`,
      ),
      parameters: namedParameters(""),
      ...common,
      findings: [],
    };
  const own = catalogueName(name, gated) as string;
  const { key, limit, findings } = limitOf(model, site, architecture, own);
  if (limit === undefined)
    return {
      activation: field(own, "family", `architecture ${architecture} (${ggufSource})`),
      parameters: namedParameters(own),
      ...common,
      findings,
    };
  const form = clampBefore.has(architecture) ? "swigluClamped" : "swigluStep";
  return {
    activation: field(
      form,
      "metadata",
      `${key} on architecture ${architecture}, which clamps ${form === "swigluStep" ? "after" : "before"} silu`,
    ),
    parameters: field({ limit }, "metadata", `${key} is ${limit} on this layer`),
    ...common,
    findings,
  };
}

/** The parameters of a fixed form: constants of the engine, but for those that the file has keys for. */
function constantsOf(
  model: Model,
  architecture: string,
  { parameters, keys = {} }: (typeof fixedForms)[string],
): Pick<Formula, "parameters" | "findings"> {
  const given = Object.entries(keys).map(([name, key]) => [name, `${architecture}.${key}`] as const);
  if (given.length === 0)
    return {
      parameters: field(parameters, "family", "constants of the engine; GGUF has no key for them"),
      findings: [],
    };
  const absent = given.filter(([, key]) => typeof model.metadata.get(key) !== "number");
  const found = given.map(([name, key]) => [name, model.metadata.get(key)] as const);
  const numbers = found.filter((entry): entry is readonly [string, number] => typeof entry[1] === "number");
  const own = numbers.map(([name, value]) => [name, isNoLimit(value) ? Number.POSITIVE_INFINITY : value]);
  return {
    parameters: field(
      { ...parameters, ...Object.fromEntries(own) },
      absent.length === 0 ? "metadata" : "default",
      given.map(([, key]) => `${key} is ${String(model.metadata.get(key) ?? "absent")}`).join(", "),
    ),
    findings: absent.map(
      ([name, key]) =>
        `${key} is absent, which llama.cpp needs; ${name} ${parameters[name]} is the family's own`,
    ),
  };
}

function limitOf(
  model: Model,
  site: Site,
  architecture: string,
  own: string,
): { key: string; limit: number | undefined; findings: string[] } {
  const routed = `${architecture}.swiglu_clamp_exp`;
  const shared = `${architecture}.swiglu_clamp_shexp`;
  const wanted = site.role === "routed" ? routed : shared;
  const key = !model.metadata.has(wanted) && sharedFallsBack.has(architecture) ? routed : wanted;
  const given = model.metadata.get(key);
  const findings: string[] = [];
  if (own !== "swiglu") return { key, limit: undefined, findings };
  if (!model.metadata.has(routed) && !model.metadata.has(shared) && usuallyClamped.has(architecture))
    findings.push(
      `${routed} and ${shared} are absent: models of ${architecture} usually have limits, and without the keys an engine clamps nothing`,
    );
  if (Array.isArray(given) && (site.layer ?? 0) >= given.length)
    findings.push(
      `${key} has ${given.length} entries and none for layer ${site.layer}, which is taken as no limit`,
    );
  const limit = forLayer(given, site.layer);
  if (typeof limit !== "number" || isNoLimit(limit)) return { key, limit: undefined, findings };
  if (site.scheme.parts.packed === "ffn_gate_up")
    findings.push(
      `${key} limits a layer whose gate and up are one tensor (ffn_gate_up_exps): llama.cpp of August 2026 clamps separate ones only`,
    );
  return { key, limit, findings };
}
