// What the report says of the network and of the data.
import type { Config } from "../config/types.js";
import { definitionOf } from "../tasks/registry.js";
import { count, grouped } from "../words/format.js";

/** How the network reads the data, and what is kept out of training. */
export function methodOf(config: Config): { network: string; split: string } {
  const { width, depth, heads, data } = config;
  const size = `(width ${width}, ${count(depth, "block")}, ${count(heads, "head")})`;
  const heldBack = `${grouped(data.examples.validation)} are held back for validation and never trained on`;
  return definitionOf(config).method(config, size, heldBack);
}
