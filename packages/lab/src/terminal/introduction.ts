// What a comparison says of itself before it begins: runs, data, network, training, and matched parameters.
import type { Config } from "../config/types.js";
import { definitionOf } from "../tasks/registry.js";
import { capitalised, count } from "../words/format.js";
import { heading, wrap } from "./style.js";
import { parameterTable } from "./tables.js";

/**
 * @param data the data in sentences
 * @param rates the learning rate in words: "learning rate 0.01"
 * @param remarks sentences that follow
 */
export function introduction(
  config: Config,
  data: string,
  rates: string,
  remarks: readonly string[] = [],
): string {
  const { variants, seeds, width, depth, heads, steps, batch } = config;
  const runs = variants.length * seeds.length;
  const { network, examples, reads } = definitionOf(config);
  return [
    heading(
      `${count(variants.length, "variant")} x ${count(seeds.length, "seed")} = ${count(runs, "run")} on ${config.data.name}`,
    ),
    wrap(data),
    wrap(
      `${capitalised(network)}: ${reads(config)}, width ${width}, ${count(depth, "block")}, ${count(heads, "head")}. ` +
        `${count(steps, "step")} of ${batch} ${examples}, ${rates}. ` +
        "All variants of a seed see the same batches and start from the same weights outside the feed-forward blocks.",
    ),
    ...remarks.map(wrap),
    `${heading("\nFeed-forward parameters, matched within 1 %")}\n${parameterTable(config)}\n`,
  ].join("\n");
}
