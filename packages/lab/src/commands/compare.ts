// swiglu-lab compare: from options to a sweep, and from its records to tables, results.json, report.html and best.onnx.
import { availableParallelism } from "node:os";
import { type Config, makeConfig } from "../config/config.js";
import { complete, type TaskOptions } from "../config/defaults.js";
import { parseSeeds } from "../config/seeds.js";
import { examplesOf, type TaskKind } from "../config/task.js";
import { allActivations, resolveVariants } from "../config/variants.js";
import { describeScore, metricOf } from "../metrics/metric.js";
import type { Variant } from "../model/index.js";
import { redisName } from "../queue/address.js";
import { writeResults } from "../report/results.js";
import { networkOf } from "../report/taskWords.js";
import { type Summary, summarise } from "../statistics/summary.js";
import { describe, type Findings } from "../statistics/words.js";
import { openFolder, readRecords } from "../sweep/folder.js";
import type { RunRecord } from "../sweep/record.js";
import { runSweep, type SweepOptions } from "../sweep/sweep.js";
import { loadTask, type Task } from "../tasks/task.js";
import { count } from "../terminal/format.js";
import { liveView } from "../terminal/live.js";
import { heading, wrap } from "../terminal/style.js";
import { parameterTable, rankingTable, runTable } from "../terminal/tables.js";
import { untilSignal } from "./signals.js";

export interface CompareOptions extends TaskOptions {
  readonly task: TaskKind;
  readonly threads: number;
  readonly variants: readonly string[];
  readonly activation: readonly string[];
  readonly seeds: string;
  readonly data?: string;
  readonly out: string;
  readonly jobs?: number;
  readonly checkpointInterval: number;
  /** The address of a Redis whose workers do the runs. */
  readonly queue?: string;
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
  const { threads, jobs, checkpointInterval, queue } = options;
  if (queue !== undefined) redisName(queue); // before anything is read or written
  const settings = complete(options.task, taskOptions(options));
  const task = loadTask(settings, options.data);
  const config = makeConfig({ ...settings, variants, seeds, threads }, task.config);
  const folder = await openFolder(options.out, config);
  const slots = jobs ?? Math.max(1, Math.floor(availableParallelism() / threads));
  const kept = readRecords(folder, config);
  const processes = `${slots} ${slots === 1 ? "process" : "processes"} of ${count(threads, "thread")}`;
  const place =
    queue === undefined
      ? `Training in ${processes}`
      : `In the queue for swiglu-lab worker at ${redisName(queue)}`;
  introduce(config, task, folder, kept.length, place);
  const sweep = { dataPath: task.path, slots, checkpointInterval, queue };
  const { result: records, signal } = await untilSignal((aborted) =>
    train(config, folder, kept, sweep, aborted),
  );
  if (signal !== 0) {
    print(
      `\nInterrupted: ${records.length} of ${count(variants.length * seeds.length, "run")} are kept in ${folder}` +
        (queue === undefined
          ? ", and checkpoints of those in hand. "
          : "; workers go on with those in the queue. ") +
        "Start again with the same options to do the rest.",
    );
    return 128 + signal;
  }
  const summary = summarise(config, records);
  const findings = describe(summary, config);
  const { best, report } = await writeResults(folder, { config, task, records, summary, findings });
  printResults(config, records, summary, findings);
  if (best !== null) {
    print(
      `\nBest model by validation: ${best.variant}, seed ${best.seed} (${describeScore(best.validation)}), saved as ${folder}/${best.file}; ` +
        `loaded again, ${best.checked}.`,
    );
  }
  print(`Report: ${report}`);
  return summary.missing > 0 || best === null ? 1 : 0;
}

/** Of all options, those that a task gives defaults to. */
function taskOptions(options: CompareOptions): TaskOptions {
  const { steps, batch, width, depth, heads, learningRate, patch, vocabulary, context, beam, translated } =
    options;
  const named = {
    steps,
    batch,
    width,
    depth,
    heads,
    learningRate,
    patch,
    vocabulary,
    context,
    beam,
    translated,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

/** The variants that are named, and the user's own activations where they are not among them. */
function chooseVariants({ variants, activation }: CompareOptions): Variant[] {
  const activations = allActivations(activation);
  const own = [...activations.keys()].slice(activations.size - activation.length);
  const isNamed = (name: string): boolean => variants.includes(name) || variants.includes(`${name}-trained`);
  return resolveVariants([...variants, ...own.filter((name) => !isNamed(name))], activations);
}

/** Has done what is missing, here or by the workers of a queue, under a live view; all records in the folder. */
async function train(
  config: Config,
  folder: string,
  kept: readonly RunRecord[],
  { queue, ...sweep }: SweepOptions & { readonly queue: string | undefined },
  aborted: AbortSignal,
): Promise<RunRecord[]> {
  const view = liveView(process.stdout, config, kept);
  try {
    const isDone = kept.length === config.variants.length * config.seeds.length;
    if (queue === undefined || isDone) return await runSweep(config, folder, sweep, view, aborted);
    const { runQueued } = await import("../queue/dispatch.js");
    return await runQueued(config, folder, queue, view, aborted);
  } finally {
    view.end();
  }
}

function printResults(
  { task }: Config,
  records: readonly RunRecord[],
  summary: Summary,
  findings: Findings,
): void {
  const intervals = summary.ranking.some(({ test }) => test?.metric.half != null);
  print(`${heading("\nRuns")}\n${runTable(records, task)}`);
  print(
    heading(`\nRanking, by mean test ${metricOf(task).name}`) +
      (intervals ? " (with 95 % intervals over seeds)" : ""),
  );
  print(rankingTable(summary, task));
  print(`${heading("\nWhat this shows")}\n${findings.shown.map(wrap).join("\n")}`);
  print(`${heading("\nWhat it cannot show")}\n${findings.limits.map(wrap).join("\n")}`);
}

function introduce(config: Config, task: Task, folder: string, kept: number, place: string): void {
  const { variants, seeds, width, depth, heads, steps, batch, learningRate } = config;
  const runs = variants.length * seeds.length;
  print(
    heading(
      `${count(variants.length, "variant")} x ${count(seeds.length, "seed")} = ${count(runs, "run")} on ${config.data.name}`,
    ),
  );
  const [head, ...rest] = networkOf[config.task];
  const reads =
    config.task === "images"
      ? `patches of ${config.patch} x ${config.patch}`
      : `${count(config.context, "token")} of context`;
  print(wrap(task.introduction));
  print(
    wrap(
      `${head?.toUpperCase()}${rest.join("")}: ${reads}, width ${width}, ${count(depth, "block")}, ${count(heads, "head")}. ` +
        `${count(steps, "step")} of ${batch} ${examplesOf[config.task]}, learning rate ${learningRate}. ` +
        "All variants of a seed see the same batches and start from the same weights outside the feed-forward blocks.",
    ),
  );
  print(`${heading("\nFeed-forward parameters, matched within 1 %")}\n${parameterTable(config)}\n`);
  if (kept === runs) {
    print(`All ${runs} runs are kept from before in ${folder}: nothing is left to train.`);
    return;
  }
  const before = kept > 0 ? `, where ${kept} of ${runs} runs are kept from before` : "";
  print(`${place}; records go to ${folder}${before}.`);
}
