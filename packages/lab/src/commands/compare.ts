// swiglu-lab compare: from options to a sweep, and from its records to tables, results.json, report.html and best.onnx.
import { availableParallelism } from "node:os";
import { type Config, type Hyperparameters, makeConfig } from "../config/config.js";
import { parseSeeds } from "../config/seeds.js";
import { allActivations, resolveVariants } from "../config/variants.js";
import { holdBack } from "../data/batches.js";
import { type ImageSet, loadImageSet } from "../data/imageSet.js";
import type { Variant } from "../model/index.js";
import { writeResults } from "../report/results.js";
import { type Summary, summarise } from "../statistics/summary.js";
import { describe, type Findings } from "../statistics/words.js";
import { openFolder, readRecords } from "../sweep/folder.js";
import type { RunRecord } from "../sweep/record.js";
import { runSweep } from "../sweep/sweep.js";
import { count, grouped, percent } from "../terminal/format.js";
import { liveView } from "../terminal/live.js";
import { heading, wrap } from "../terminal/style.js";
import { parameterTable, rankingTable, runTable } from "../terminal/tables.js";

export interface CompareOptions extends Hyperparameters {
  readonly variants: readonly string[];
  readonly activation: readonly string[];
  readonly seeds: string;
  readonly data?: string;
  readonly out: string;
  readonly jobs?: number;
  readonly checkpointInterval: number;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * Runs the comparison.
 *
 * @returns the exit code: 0; 1 when a run failed or none finished; 128 + the signal's number when interrupted
 */
export async function compare(options: CompareOptions): Promise<number> {
  const seeds = parseSeeds(options.seeds);
  const variants = chooseVariants(options);
  const data = loadImageSet(options.data);
  const config = makeConfig({ ...options, variants, seeds }, data);
  const folder = await openFolder(options.out, config);
  const slots = options.jobs ?? Math.max(1, Math.floor(availableParallelism() / options.threads));
  const kept = readRecords(folder, config);
  introduce(config, data, folder, kept.length, slots);
  const { records, signal } = await trainInterruptibly(
    config,
    data,
    folder,
    kept,
    slots,
    options.checkpointInterval,
  );
  if (signal !== 0) {
    print(
      `\nInterrupted: ${records.length} of ${count(variants.length * seeds.length, "run")} are kept in ${folder}, and ` +
        "checkpoints of those in hand. Start again with the same options to do the rest.",
    );
    return 128 + signal;
  }
  const summary = summarise(config, records);
  const findings = describe(summary, config, holdBack(data.train.count).train.length);
  const { best, report } = await writeResults(folder, { config, data, records, summary, findings });
  printResults(records, summary, findings);
  if (best !== null) {
    print(
      `\nBest model by validation: ${best.variant}, seed ${best.seed} (${percent(best.validationAccuracy)}), saved as ${folder}/${best.file}; ` +
        `loaded again, it has the same test accuracy, ${percent(best.testAccuracy)}.`,
    );
  }
  print(`Report: ${report}`);
  return summary.missing > 0 || best === null ? 1 : 0;
}

/** The variants that are named, and the user's own activations where they are not among them. */
function chooseVariants({ variants, activation }: CompareOptions): Variant[] {
  const activations = allActivations(activation);
  const own = [...activations.keys()].slice(activations.size - activation.length);
  const isNamed = (name: string): boolean => variants.includes(name) || variants.includes(`${name}-trained`);
  return resolveVariants([...variants, ...own.filter((name) => !isNamed(name))], activations);
}

/** Trains what is missing under a live view; `signal` is the number of the signal that ended it early, or 0. */
async function trainInterruptibly(
  config: Config,
  data: ImageSet,
  folder: string,
  kept: readonly RunRecord[],
  slots: number,
  checkpointInterval: number,
): Promise<{ records: RunRecord[]; signal: number }> {
  const interruption = new AbortController();
  let signal = 0;
  const interrupt = (_: NodeJS.Signals, number: number): void => {
    signal = number;
    interruption.abort();
  };
  const view = liveView(process.stdout, config, kept);
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const sweep = { dataDirectory: data.directory, slots, checkpointInterval };
    const records = await runSweep(config, folder, sweep, view, interruption.signal);
    return { records, signal };
  } finally {
    view.end();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

function printResults(records: readonly RunRecord[], summary: Summary, findings: Findings): void {
  const intervals = summary.ranking.some(({ test }) => test?.accuracy.half != null);
  print(`${heading("\nRuns")}\n${runTable(records)}`);
  print(heading("\nRanking, by mean test accuracy") + (intervals ? " (with 95 % intervals over seeds)" : ""));
  print(rankingTable(summary));
  print(`${heading("\nWhat this shows")}\n${findings.shown.map(wrap).join("\n")}`);
  print(`${heading("\nWhat it cannot show")}\n${findings.limits.map(wrap).join("\n")}`);
}

function introduce(config: Config, data: ImageSet, folder: string, kept: number, slots: number): void {
  const { variants, seeds, width, depth, heads, patch, steps, batch, learningRate, threads } = config;
  const { train, validation } = holdBack(data.train.count);
  const runs = variants.length * seeds.length;
  print(
    heading(
      `${count(variants.length, "variant")} x ${count(seeds.length, "seed")} = ${count(runs, "run")} on ${data.name}`,
    ),
  );
  print(
    wrap(
      `Images of ${data.imageSize} x ${data.imageSize} in ${data.classes} classes: ${grouped(train.length)} to train on, ` +
        `${grouped(validation.length)} held back for validation, ${grouped(data.test.count)} for the test.`,
    ),
  );
  print(
    wrap(
      `Vision transformer: patches of ${patch} x ${patch}, width ${width}, ${count(depth, "block")}, ${count(heads, "head")}. ` +
        `${count(steps, "step")} of ${batch} images, learning rate ${learningRate}. ` +
        "All variants of a seed see the same batches and start from the same weights outside the feed-forward blocks.",
    ),
  );
  print(`${heading("\nFeed-forward parameters, matched within 1 %")}\n${parameterTable(config)}\n`);
  if (kept === runs) {
    print(`All ${runs} runs are kept from before in ${folder}: nothing is left to train.`);
    return;
  }
  const processes = `${slots} ${slots === 1 ? "process" : "processes"} of ${count(threads, "thread")}`;
  const before = kept > 0 ? `, where ${kept} of ${runs} runs are kept from before` : "";
  print(`Training in ${processes}; records go to ${folder}${before}.`);
}
