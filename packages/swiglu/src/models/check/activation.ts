// Which activation a block has by its config: the key that names it, the family's own ways, limits for each layer and role.
import { activations } from "../../catalogue/catalogue.js";
import { limitsOf } from "../../catalogue/limits.js";
import type { Site } from "../blocks/sites.js";
import { isObject, type JsonObject } from "../readers/json.js";
import { aliases, extras, type FormRule, formRules, isAmong, type ParameterRule } from "./clamps.js";
import { activationRules, familySource } from "./families.js";
import { type Field, field, unknown } from "./field.js";

/** What a block computes. */
export interface Formula {
  /** A name of the catalogue; a unary one means `a(gate) * up` where the block has a gate. */
  readonly activation: Field<string>;
  readonly parameters: Field<Readonly<Record<string, number>>>;
  /** What is computed beside activation, gate and up. */
  readonly extras: readonly string[];
  /** What is odd, a sentence each. */
  readonly findings: readonly string[];
}

/** Names of configs, and ours for them. Source: transformers 5.18.0, ACT2CLS. */
const unary: Readonly<Record<string, string>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "geluTanh",
  gelu_fast: "geluTanh",
  gelu_accurate: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  gelu_python_tanh: "geluTanh",
  quick_gelu: "quickGelu",
  relu: "relu",
  relu2: "relu2",
  tanh: "tanh",
  sigmoid: "sigmoid",
  mish: "mish",
  linear: "identity",
  hardswish: "hardSwish",
  xielu: "xielu",
  gelu_10: "gelu10",
  laplace: "laplace",
  leaky_relu: "leakyRelu",
  relu6: "relu6",
};
const gatedForms: Readonly<Record<string, string>> = {
  silu: "swiglu",
  gelu: "geglu",
  geluTanh: "gegluTanh",
  quickGelu: "gegluQuick",
  relu: "reglu",
  relu2: "reglu2",
  sigmoid: "glu",
  identity: "bilinear",
};

/** The catalogue's name for one of a config; undefined where it has none. */
export function catalogueName(name: string, gated: boolean): string | undefined {
  const own = Object.hasOwn(unary, name) ? (unary[name] as string) : undefined;
  return own === undefined || !gated ? own : (gatedForms[own] ?? own);
}

/** A limit that means "none" in some family or engine: absent, 0, or beyond every number. */
export const isNoLimit = (limit: unknown): boolean =>
  limit === undefined ||
  limit === null ||
  (typeof limit === "number" && (!(limit > 1e-6) || limit === Number.POSITIVE_INFINITY));

/** A value of a config by its key, with dots into nested objects. */
function valueAt(config: JsonObject | undefined, key: string): unknown {
  let value: unknown = config;
  for (const part of key.split("."))
    value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value;
}

/** What a block of a Hugging Face model computes. */
export function formulaOf(
  site: Site,
  config: JsonObject | undefined,
  family: string,
  gated: boolean,
): Formula {
  const around = extras
    .filter(
      (extra) => isAmong(extra, family) && (extra.key === undefined || valueAt(config, extra.key) != null),
    )
    .map(({ what }) => what);
  const rule = formRules.find(
    (candidate) => isAmong(candidate, family) && (candidate.roles?.includes(site.role) ?? true),
  );
  if (rule !== undefined && gated) return { extras: around, ...formOf(rule, site, config, family) };
  const named = namedActivation(site, config, family, gated);
  return {
    ...named,
    parameters: namedParameters(named.activation.value),
    extras: around,
  };
}

/** The parameters of an activation that a name alone gives. xielu's are tensors or keys of their own. */
export const namedParameters = (activation: string): Field<Readonly<Record<string, number>>> =>
  activation === "xielu"
    ? unknown("xielu's parameters are trained numbers of each layer, which are not read")
    : field({}, "family", "the catalogue's own");

const none: Readonly<Record<string, number>> = {};

/** A form with parameters: each from its key, or the value that the family's code has. */
function formOf(
  rule: FormRule,
  site: Site,
  config: JsonObject | undefined,
  family: string,
): Omit<Formula, "extras"> {
  const parameters: Record<string, number> = {};
  const [evidence, findings]: [string[], string[]] = [[], []];
  let strength: "metadata" | "family" = "family";
  for (const [name, source] of Object.entries(rule.parameters)) {
    const given = source.key === undefined ? undefined : forLayer(valueAt(config, source.key), site.layer);
    const declared = source.key !== undefined && valueAt(config, source.key) !== undefined;
    // A null is no limit; for anything else it says nothing.
    const value = declared && (given !== null || isLimit(rule.form, name)) ? given : source.value;
    findings.push(...ignoredKey(source, config, family, name), ...shortList(source.key, config, site.layer));
    if (source.key !== undefined && declared) strength = "metadata";
    evidence.push(
      declared
        ? `${source.key} is ${JSON.stringify(given ?? null)}`
        : `${name} is ${source.value ?? "none"} in ${family}'s code`,
    );
    const usable = isLimit(rule.form, name) ? !isNoLimit(value) : value !== undefined;
    if (typeof value === "number" && usable) parameters[name] = value;
    else if (typeof value === "number" && isLimit(rule.form, name) && value !== Number.POSITIVE_INFINITY)
      findings.push(
        `${source.key ?? name} is ${value}, which is taken as no limit: a limit of 0 would make the block's output 0`,
      );
  }
  const why = evidence.join(", ");
  const unlimited = Object.keys(rule.parameters).filter(
    (name) => parameters[name] === undefined && isLimit(rule.form, name),
  );
  if ((rule.form === "swigluClamped" || rule.form === "swigluStep") && unlimited.length > 0)
    return {
      activation: field("swiglu", strength, `${why}: no limit, so ${rule.form} is swiglu`),
      parameters: field(none, strength, why),
      findings,
    };
  // A form with more parameters than its limits keeps its name without them.
  for (const name of unlimited) parameters[name] = Number.POSITIVE_INFINITY;
  return {
    activation: field(rule.form, "family", `${family} computes ${rule.form} (${familySource})`),
    parameters: field(parameters, strength, why),
    findings,
  };
}

/** Whether a parameter of a form only bounds something, so that Infinity means none. */
const isLimit = (form: FormRule["form"], name: string): boolean => limitsOf(activations[form]).has(name);

/** A list that ends before the layer does. */
function shortList(
  key: string | undefined,
  config: JsonObject | undefined,
  layer: number | undefined,
): string[] {
  const list = key === undefined ? undefined : valueAt(config, key);
  return Array.isArray(list) && (layer ?? 0) >= list.length
    ? [`${key} has ${list.length} entries and none for layer ${layer}, which is taken as no limit`]
    : [];
}

/** A declared key that the family's code does not read, where it says something else. */
function ignoredKey(
  source: ParameterRule,
  config: JsonObject | undefined,
  family: string,
  name: string,
): string[] {
  if (source.ignored === undefined) return [];
  const declared = valueAt(config, source.ignored);
  return typeof declared === "number" && declared !== source.value
    ? [
        `config declares ${source.ignored} ${declared}, but ${family}'s code has ${name} ${source.value} and does not read it`,
      ]
    : [];
}

/** A layer's entry of a list (which may be longer than the layers), or a value for all. */
export const forLayer = (value: unknown, layer: number | undefined): unknown =>
  Array.isArray(value) ? value[layer ?? 0] : value;

/** Keys that name an activation in families that no rule knows. */
const usualKeys = [
  "hidden_act",
  "hidden_activation",
  "activation_function",
  "activation",
  "mlp_hidden_act",
  "ffn_act_fn",
];

function namedActivation(
  site: Site,
  config: JsonObject | undefined,
  family: string,
  gated: boolean,
): Pick<Formula, "activation" | "findings"> {
  const rule = activationRules(family).find(({ where }) => fits(where, site, gated));
  const limits = Object.keys(config ?? {}).filter(
    (key) => /swiglu|clamp.*limit|act.*limit/i.test(key) && !isNoLimit(config?.[key]),
  );
  if (rule === undefined) {
    const key = usualKeys.find((candidate) => typeof config?.[candidate] === "string");
    if (key === undefined)
      return {
        activation: unknown(
          `no rule knows the family ${family || "(none given)"}, and no key names an activation`,
        ),
        findings: [],
      };
    if (limits.length > 0)
      return {
        activation: unknown(
          `${key} is ${String(config?.[key])}, but ${limits.join(", ")} may change it, and no rule knows the family ${family}`,
        ),
        findings: [],
      };
    return {
      activation: resolved(String(config?.[key]), gated, `config.json: ${key}`, "metadata", family),
      findings: [],
    };
  }
  const { key, name } = rule;
  if (key === undefined) {
    const usual = ["hidden_act", "activation_function"];
    const declared = usual.find((candidate) => typeof config?.[candidate] === "string") ?? "hidden_act";
    const other = catalogueName(String(config?.[declared]), gated);
    const fixed = resolved(name, gated, `${family}'s code has it fixed`, "family", family);
    return {
      activation: fixed,
      findings:
        other === undefined || other === fixed.value
          ? []
          : [
              `config declares ${declared} ${String(config?.[declared])}, which ${family}'s code does not read here`,
            ],
    };
  }
  const given = valueAt(config, key);
  const value = key === "gelu_activation" && typeof given === "boolean" ? (given ? "gelu" : "relu") : given;
  if (typeof value === "string")
    return { activation: resolved(value, gated, `config.json: ${key}`, "metadata", family), findings: [] };
  return {
    activation: resolved(name, gated, `${key} is not given; the default of ${family}`, "default", family),
    findings: [],
  };
}

function fits(where: string, site: Site, gated: boolean): boolean {
  if (where === "any") return true;
  if (where === "gated" || where === "ungated") return gated === (where === "gated");
  if (where === "routed") return site.role === "routed";
  if (where === "encoder") return /(^|\.)encoder\./.test(site.path);
  return Object.values(site.scheme.parts).includes(where);
}

function resolved(
  name: string,
  gated: boolean,
  source: string,
  strength: "metadata" | "family" | "default",
  family: string,
): Field<string> {
  const alias = aliases.find((candidate) => candidate.name === name && isAmong(candidate, family));
  const meant = alias?.means ?? name;
  const own = catalogueName(meant, gated);
  const evidence = `${source} is ${name}${alias === undefined ? "" : `, which ${family}'s code takes as ${meant}`}`;
  if (own === undefined || !Object.hasOwn(activations, own))
    return unknown(`${evidence}, which the catalogue does not have`);
  return field(own, strength, evidence);
}
