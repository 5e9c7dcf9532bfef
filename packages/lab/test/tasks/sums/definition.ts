// A task that the lab does not have, as it would be added: sums as text, of which the result is learned.
import type { TaskDefinition } from "../../../src/tasks/common/definition.js";
import { type Metric, tokenLoss } from "../../../src/tasks/common/score.js";
import { contextOf, SIGNS, type SumsConfig } from "./config.js";

const bitsPerDigit: Metric = {
  ...tokenLoss,
  name: "bits per digit",
  unit: "bits per digit",
  axis: "bits",
  of: (score) => score.bitsPerDigit ?? Number.NaN,
};

export const sums: TaskDefinition<SumsConfig> = {
  kind: "sums",
  examples: "sums",
  data: "nothing, they are made",
  network: "adding transformer",
  beyond: ", subtraction above all",
  defaults: { steps: 50, batch: 8, width: 16, depth: 1, heads: 2, digits: 1 },
  settings: { digits: { largest: 2, help: "sums: digits of each number" } },
  dataSizes: {},
  metrics: [tokenLoss, bitsPerDigit],
  figures: { bitsPerDigit: 1000 },
  headline: bitsPerDigit,
  ends: ({ digits }) => ({ vocabulary: SIGNS.length, context: contextOf(digits) }),
  extent: ({ digits }) => ({ tokens: contextOf(digits), rows: 2 * SIGNS.length, perToken: SIGNS.length }),
  misfit: () => undefined,
  reads: ({ digits }) => `sums of ${digits} digits`,
  method: (_, size, heldBack) => ({
    network: `A transformer adds two numbers ${size}.`,
    split: `Sums are divided by chance: ${heldBack}.`,
  }),
  lossesOnly: (config) => config,
  load: async () => (await import("./task.js")).sumsModule,
};
