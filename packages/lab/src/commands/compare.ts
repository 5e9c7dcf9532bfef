// swiglu-lab compare: from options to a sweep, and from its records to tables, results.json, report.html and best.onnx.
import { availableParallelism } from "node:os";
import { type Config, type Hyperparameters, makeConfig } from "../config/config.js";
import { parseSeeds } from "../config/seeds.js";
import { allActivations, resolveVariants } from "../config/variants.js";
import { holdBack } from "../data/batches.js";
import { type ImageSet, loadImageSet } from "../data/imageSet.js";
import { writeResults } from "../report/results.js";
import { summarise } from "../statistics/summary.js";
import { describe } from "../statistics/words.js";
import { openFolder, readRecords } from "../sweep/folder.js";
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
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * Runs the comparison.
 *
 * @returns the exit code: 0; 1 when a run failed or none finished; 128 + the signal's number when interrupted
 */
export async function compare(options: CompareOptions): Promise<number> {
  const seeds = parseSeeds(options.seeds);
  const activations = allActivations(options.activation);
  const own = [...activations.keys()].slice(activations.size - options.activation.length);
  const isNamed = (name: string): boolean =>
    options.variants.some((variant) => variant === name || variant === `${name}-trained`);
  const variants = resolveVariants(
    [...options.variants, ...own.filter((name) => !isNamed(name))],
    activations,
  );
  const data = loadImageSet(options.data);
  const config = makeConfig({ ...options, variants, seeds }, data);
  const folder = await openFolder(options.out, config);
  const kept = readRecords(folder, config).length;
  const slots = options.jobs ?? Math.max(1, Math.floor(availableParallelism() / options.threads));
  introduce(config, data, folder, kept, slots);

  const interruption = new AbortController();
  let signalNumber = 0;
  const interrupt = (_: NodeJS.Signals, number: number): void => {
    signalNumber = number;
    interruption.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const total = config.variants.length * seeds.length;
  const view = liveView(process.stdout, { total, kept, stepsPerRun: config.steps, slots });
  let records: Awaited<ReturnType<typeof runSweep>>;
  try {
    records = await runSweep(config, data.directory, folder, slots, view, interruption.signal);
  } finally {
    view.end();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
  if (signalNumber !== 0) {
    print(
      `\nInterrupted: ${records.length} of ${count(total, "run")} are kept in ${folder}. ` +
        "Start again with the same options to do the rest.",
    );
    return 128 + signalNumber;
  }

  const summary = summarise(config, records);
  const findings = describe(summary, config, holdBack(data.train.count).train.length);
  const { best, report } = await writeResults(folder, { config, data, records, summary, findings });
  print(`${heading("\nRuns")}\n${runTable(records)}`);
  print(
    `${heading("\nRanking, by mean test accuracy")}${seeds.length >= 3 ? " (means with 95 % intervals over seeds)" : ""}`,
  );
  print(rankingTable(summary));
  print(`${heading("\nWhat this shows")}\n${findings.shown.map(wrap).join("\n")}`);
  print(`${heading("\nWhat it cannot show")}\n${findings.limits.map(wrap).join("\n")}`);
  if (best !== null) {
    print(
      `\nBest model by validation: ${best.variant}, seed ${best.seed} (${percent(best.validationAccuracy)}), saved as ${folder}/${best.file}; ` +
        `loaded again, it has the same test accuracy, ${percent(best.testAccuracy)}.`,
    );
  }
  print(`Report: ${report}`);
  return summary.missing > 0 || best === null ? 1 : 0;
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
  const processes = `${count(slots, slots === 1 ? "process" : "processe")} of ${count(threads, "thread")}`;
  print(
    `Training in ${processes}; records go to ${folder}${kept > 0 ? `, where ${kept} of ${runs} runs are kept from before` : ""}.`,
  );
}
