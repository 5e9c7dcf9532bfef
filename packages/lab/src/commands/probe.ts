// swiglu-lab probe: what activations are said to be good for, measured in their formulas and in training.
import { join } from "node:path";
import { activationFromJson } from "swiglu";
import { allActivations } from "../config/variants.js";
import { probedBatch, probeRuns, watchedRecords } from "../probe/run.js";
import { probeSections, type Section, shapeSection } from "../probe/sections.js";
import { shapeOf } from "../probe/shape.js";
import type { ProbeResults } from "../probe/types.js";
import { probeWords } from "../probe/words.js";
import { openFolder, writeResult } from "../sweep/folder.js";
import { environment } from "../system/environment.js";
import { liveView } from "../terminal/live.js";
import { print } from "../terminal/output.js";
import { heading, wrap } from "../terminal/style.js";
import { table } from "../terminal/table.js";
import { count } from "../words/format.js";
import { type CompareOptions, planOf, prepare } from "./plan.js";
import { untilInterrupted } from "./signals.js";

export interface ProbeOptions
  extends Omit<CompareOptions, "preset" | "tune" | "tuneSeeds" | "jobs" | "checkpointInterval" | "queue"> {
  /** Only what the formulas say. */
  readonly shapes?: true;
}

/**
 * Runs the probe.
 *
 * @param given the names of the options that the user gave
 * @returns the exit code: 0; 1 when every run diverged; 128 + the signal's number when interrupted
 */
export async function probe(
  options: ProbeOptions,
  given: readonly (keyof CompareOptions)[],
): Promise<number> {
  if (options.shapes) {
    const all = [...allActivations(options.activation).values()];
    printSection(shapeSection(all.map(shapeOf)));
    return 0;
  }
  const prepared = await prepare({ ...options, jobs: 1, checkpointInterval: 30 }, given);
  const { task, opening, configAt } = planOf(prepared);
  const config = configAt();
  const folder = await openFolder(join(options.out, "probe"), config);
  const kept = watchedRecords(folder, config);
  const total = config.variants.length * config.seeds.length;
  print(opening);
  print(`${kept.length} of ${count(total, "run")} are in ${folder}.`);
  const view = liveView(config, kept);
  const { result: runs, code } = await untilInterrupted((aborted) =>
    probeRuns(config, folder, task, view, aborted)
      .catch((thrown: unknown) => {
        if (!aborted.aborted) throw thrown;
        return undefined;
      })
      .finally(view.end),
  );
  if (runs === undefined) {
    print(
      `\nInterrupted: the runs that were whole are kept in ${folder}. Start again with the same options to do the rest.`,
    );
    return code;
  }
  const results: ProbeResults = {
    config,
    environment: environment(),
    examples: probedBatch(task).examples,
    shapes: config.variants.map(({ activation }) => shapeOf(activationFromJson(activation))),
    runs,
  };
  for (const section of probeSections(results)) printSection(section);
  const { shown, limits } = probeWords(results);
  print(`${heading("\nWhat this shows")}\n${shown.map(wrap).join("\n")}`);
  print(`${heading("\nWhat it cannot show")}\n${limits.map(wrap).join("\n")}`);
  const { probePage } = await import("../probe/page.js"); // what draws takes long to load
  const json = await writeResult(folder, "probe.json", probeJson(results));
  print(`\nIn numbers: ${json}\nReport: ${await writeResult(folder, "probe.html", probePage(results))}`);
  return runs.every(({ diverged }) => diverged) ? 1 : 0;
}

const printSection = ({ title, text, cells }: Section): void =>
  print(`${heading(`\n${title}`)}\n${wrap(text)}\n${table(cells.head, cells.rows)}`);

/** JSON with a line for each run and each shape, numbers to six digits. */
function probeJson({ shapes, runs, ...rest }: ProbeResults): string {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === "number" && !Number.isInteger(inner) ? Number(inner.toPrecision(6)) : inner,
    );
  const lines = (items: readonly unknown[]): string => `[\n${items.map(text).join(",\n")}\n]`;
  const head = Object.entries(rest).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
  return `{\n${[...head, `"shapes": ${lines(shapes)}`, `"runs": ${lines(runs)}`].join(",\n")}\n}\n`;
}
