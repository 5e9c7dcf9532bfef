// From the folder of a finished sweep to what the repository keeps of it.
import { dirname, join } from "node:path";
import { folderName } from "../config/config.js";
import { presetNames, presets } from "../config/presets.js";
import type { Config } from "../config/types.js";
import type { CurvePoint, RunRecord } from "../records/record.js";
import type { Results } from "../report/types.js";
import { blocksOf } from "../statistics/scores.js";
import type { Tuning } from "../statistics/tuning.js";
import { readRecords } from "../sweep/folder.js";
import { UserError } from "../system/errors.js";
import { parseJson, readIfThere } from "../system/files.js";
import { definitionOf } from "../tasks/registry.js";
import { differencesFrom } from "./differences.js";
import type { Cost, Evidence } from "./types.js";

/** Whose translations are shown, side by side: those of the primary questions. */
const TRANSLATORS: readonly string[] = ["swish", "glu", "swiglu"];

/**
 * Reads a finished sweep.
 *
 * @param preset which table it is the evidence of
 * @param folder that of the comparison; those of its tuning lie beside it, where `compare` put them
 * @throws UserError for a folder without results, a sweep of another task or data, and results that are not of the records there
 */
export function collect(preset: string, folder: string): Evidence {
  const name = presetNames.find((each) => each === preset);
  if (name === undefined) {
    throw new UserError(
      `there is no preset ${JSON.stringify(preset)}: expected one of ${presetNames.join(", ")}.`,
    );
  }
  const { config, tuning = null, analysis, environment } = readResults(join(folder, "results.json"));
  const { options, data } = presets[name];
  if (config.task !== options.task || config.data.sha256 !== data.sha256) {
    throw new UserError(
      `${folder} is of ${config.task} on ${config.data.name} (SHA-256 ${config.data.sha256.slice(0, 12)}), but ${name} is of ` +
        `${options.task} on ${data.name} (${data.sha256.slice(0, 12)}): name the folder of that.`,
    );
  }
  if (analysis === null || analysis === undefined) {
    throw new UserError(
      `${folder} has no analysis, which takes two variants and three seeds: give that sweep more.`,
    );
  }
  const records = readRecords(folder, config);
  const names = config.variants.map((variant) => variant.name);
  if (`${blocksOf(names, config.seeds, records).seeds}` !== `${analysis.seeds}`) {
    throw new UserError(
      `${folder} has records of other seeds than its results.json: start compare again with the same options.`,
    );
  }
  const first = analysis.seeds[0];
  return {
    preset: name,
    differences: differencesFrom(name, config, tuning),
    config,
    tuning,
    analysis,
    environment,
    cost: {
      compared: costOf(records),
      tuned: tuning && costOf(tuningConfigs(config, tuning).flatMap((each) => tuningRecords(folder, each))),
    },
    records: records.map((record) => kept(record, record.seed === first)),
  };
}

/** The JSON of docs/evidence: a line for each run, so that it reads well and stays small. */
export function evidenceJson({ records, ...rest }: Evidence): string {
  const head = JSON.stringify(rest, null, 1).replace(/\n}$/, "");
  return `${head},\n "records": [\n${records.map((record) => `  ${JSON.stringify(record)}`).join(",\n")}\n ]\n}\n`;
}

function readResults(file: string): Pick<Results, "config" | "tuning" | "analysis" | "environment"> {
  const content = readIfThere(file);
  const results = content && parseJson(content);
  if (typeof results === "object" && results !== null && "config" in results && "environment" in results)
    return results as Results; // as compare wrote it
  throw new UserError(
    `${file} cannot be read (${content === undefined ? "it is not there" : "it is not what compare writes"}): name the folder of a sweep that compare has finished.`,
  );
}

/** The sweeps that tuned: one for each rate, of all variants, without translations beyond the first. */
function tuningConfigs(config: Config, { rates, seeds }: Tuning): Config[] {
  const shortened = { ...config, ...definitionOf(config).lossesOnly(config) };
  return rates.map((learningRate) => ({
    ...shortened,
    seeds,
    variants: config.variants.map((variant) => ({ ...variant, learningRate })),
  }));
}

function tuningRecords(folder: string, config: Config): RunRecord[] {
  const beside = join(dirname(folder), folderName(config));
  const records = readRecords(beside, config);
  const missing = config.seeds.length * config.variants.length - records.length;
  if (missing === 0) return records;
  throw new UserError(
    `${beside} lacks ${missing} of the runs that tuned: keep the folders of the tuning beside that of the comparison.`,
  );
}

const costOf = (records: readonly RunRecord[]): Cost => ({
  runs: records.length,
  cpuSeconds: records.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  seconds: records.reduce((sum, { seconds }) => sum + seconds, 0),
});

/** A record without its bulk. */
function kept(record: RunRecord, isFirstSeed: boolean): RunRecord {
  const short = (curve: readonly CurvePoint[]): CurvePoint[] =>
    curve.map(({ step, loss }) => ({ step, loss: Number(loss.toPrecision(6)) }));
  const curves = { curve: short(record.curve), validationCurve: short(record.validationCurve) };
  if (record.status === "diverged") return { ...record, ...curves };
  const { samples, validationLosses: _, ...rest } = record;
  const isShown = samples !== undefined && isFirstSeed && TRANSLATORS.includes(record.variant);
  return { ...rest, ...curves, testLosses: "", ...(isShown && { samples }) };
}
