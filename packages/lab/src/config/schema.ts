// What a configuration may be, wherever it comes from: a job of a queue, or the file of a sweep's folder. Every size has a
// bound, so that no configuration keeps a machine busy with what it can never do.
import { activationFromJson } from "swiglu";
import { z } from "zod";
import { messageOf } from "../system/errors.js";
import { definitionOf, tasks } from "../tasks/registry.js";
import type { Config } from "./types.js";

/** The largest of each size that all tasks have; the model and the largest tensor of a step have bounds of their own. */
const LARGEST = {
  steps: 1e8,
  batch: 2 ** 16,
  width: 2 ** 14,
  depth: 2 ** 10,
  heads: 2 ** 10,
  hidden: 2 ** 17,
  threads: 2 ** 8,
} as const;

/** Parameters of a model: 512 MiB, the longest value that Redis holds. */
const MOST_PARAMETERS = 2 ** 27;

/** Elements of one tensor of a step: 4 GiB. */
const MOST_ELEMENTS = 2 ** 30;

const size = (largest: number) => z.int().positive().max(largest);
const examples = size(2 ** 32);
const name = z.string().min(1).max(1000);
const data = z.strictObject({
  name: z.string().max(1000),
  sha256: z.string().min(1).max(64),
  examples: z.strictObject({ train: examples, validation: examples, test: examples }),
});

const variant = z.strictObject({
  name,
  trained: z.boolean(),
  activation: z.unknown().superRefine((json, context) => {
    try {
      activationFromJson(json);
    } catch (thrown) {
      context.addIssue({ code: "custom", message: messageOf(thrown) });
    }
  }),
  hidden: size(LARGEST.hidden),
  feedForwardParameters: size(MOST_PARAMETERS),
  learningRate: z.number().positive(),
});

const seed = z
  .int()
  .nonnegative()
  .max(2 ** 31 - 1);

/** The schemas of sizes with these bounds. */
const sizes = (largest: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(largest).map(([name, bound]) => [name, size(bound)]));

/** The schema of configurations with these schemas of their variants and seeds. */
function schemaOf<V extends z.ZodType, S extends z.ZodType>(variants: V, seeds: S) {
  const common = {
    version: z.string().max(100),
    variants,
    seeds,
    steps: size(LARGEST.steps),
    batch: size(LARGEST.batch),
    width: size(LARGEST.width),
    depth: size(LARGEST.depth),
    heads: size(LARGEST.heads),
    weightDecay: z.number().nonnegative(),
    clipNorm: z.number().positive(),
    threads: size(LARGEST.threads),
  };
  const [first, ...others] = Object.values(tasks).map(({ kind, settings, dataSizes }) =>
    z.strictObject({
      ...common,
      task: z.literal(kind),
      data: data.extend(sizes(dataSizes)),
      ...sizes(Object.fromEntries(Object.entries(settings).map(([name, { largest }]) => [name, largest]))),
    }),
  );
  // The type of a definition makes sure that its settings are those of its configuration; zod cannot see that here.
  return z.discriminatedUnion("task", [first!, ...others]) as unknown as z.ZodType<Config>;
}

/** The schema of a whole sweep. */
const sweepSchema = schemaOf(z.array(variant).min(1), z.array(seed).min(1));

/** The schema of one run. */
const runSchema = schemaOf(z.tuple([variant]), z.tuple([seed]));

/** What a configuration was found to be: itself, or what is wrong with it, as "batch: ...". */
export type Checked<T> = { readonly value: T } | { readonly problem: string };

export const checkConfig = (json: unknown): Checked<Config> => checked(sweepSchema, json);

/** The same for a configuration of one run. */
export const checkRunConfig = (json: unknown): Checked<Config> => checked(runSchema, json);

function checked(schema: z.ZodType<Config>, json: unknown): Checked<Config> {
  const { data: config, error } = schema.safeParse(json);
  if (config === undefined) return { problem: problemOf(error) };
  const problem = misfitOf(config);
  return problem === undefined ? { value: config } : { problem };
}

/** The first thing that a schema found, with its place. */
export function problemOf({ issues: [issue] }: z.ZodError): string {
  const place = issue?.path.join(".") ?? "";
  return `${place === "" ? "" : `${place}: `}${issue?.message}`.slice(0, 500);
}

/** What does not go together in a configuration whose parts are as they should be. */
function misfitOf(config: Config): string | undefined {
  const { variants, batch, width, depth, heads } = config;
  if (width % heads !== 0) return `heads: ${heads} does not divide the width, ${width}`;
  const definition = definitionOf(config);
  const misfit = definition.misfit(config);
  if (misfit !== undefined) return misfit;
  const { tokens, rows, perToken } = definition.extent(config);
  const hidden = Math.max(...variants.map((each) => each.hidden));
  // Attention, and the largest of the feed-forward forms: three projections, one of them from hidden to hidden.
  const parameters = (rows + tokens) * width + depth * (4 * width ** 2 + hidden * (2 * width + hidden));
  if (parameters > MOST_PARAMETERS)
    return `width, depth and hidden: a model of about ${parameters.toExponential(1)} parameters is more than ${MOST_PARAMETERS}`;
  const widest = Math.max(width, hidden, perToken, heads * tokens);
  const elements = batch * tokens * widest;
  if (elements > MOST_ELEMENTS)
    return `batch: a tensor of ${elements.toExponential(1)} elements in each step is more than ${MOST_ELEMENTS}`;
  return undefined;
}
