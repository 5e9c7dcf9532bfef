// The shape of a variant's model, from the configuration alone.
import type { ModelShape } from "../model/index.js";
import type { Config, VariantConfig } from "./config.js";

export function shapeOf(config: Config, { hidden }: VariantConfig): ModelShape {
  const { width, depth, heads } = config;
  const blocks = { width, depth, heads, hidden };
  if (config.task !== "images") return { ...blocks, vocabulary: config.vocabulary, context: config.context };
  const { imageSize, classes } = config.data;
  return { ...blocks, imageSize, classes, patch: config.patch };
}
