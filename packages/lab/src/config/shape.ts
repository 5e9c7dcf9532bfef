// The shape of a variant's model, from the configuration alone.
import type { ModelShape } from "../model/index.js";
import { definitionOf } from "../tasks/registry.js";
import type { Config, VariantConfig } from "./types.js";

export function shapeOf(config: Config, { hidden }: VariantConfig): ModelShape {
  const { width, depth, heads } = config;
  return { width, depth, heads, hidden, ...definitionOf(config).ends(config) };
}
