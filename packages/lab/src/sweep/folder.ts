// The folder of a sweep, runs/<name>/: config.json, records/<variant>-<seed>.json and .onnx, and the results.
// Every file is written atomically, so that a file that exists is whole, whatever was killed when.
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { type Config, canonicalJson, folderName } from "../config/config.js";
import { messageOf, UserError } from "../errors.js";
import { isRunRecord, type RunRecord, runKey } from "./record.js";

/**
 * The folder of a configuration under `out`, made when it is not there.
 *
 * @returns its path
 * @throws UserError when it cannot be written, or belongs to another configuration
 */
export async function openFolder(out: string, config: Config): Promise<string> {
  const folder = join(out, folderName(config));
  const file = join(folder, "config.json");
  const existing = readIfThere(file);
  if (existing !== undefined && canonicalText(existing) !== canonicalJson(config)) {
    throw new UserError(
      `${file} is not the configuration of this sweep: move the folder away, or choose another --out.`,
    );
  }
  try {
    const records = join(folder, "records");
    mkdirSync(records, { recursive: true });
    accessSync(records, constants.W_OK);
    if (existing === undefined) await writeFileAtomic(file, prettyJson(config));
  } catch (thrown) {
    throw new UserError(
      `${folder} cannot be written (${messageOf(thrown)}): choose another folder with --out.`,
    );
  }
  return folder;
}

/** The records of the runs that are finished, in the order of the configuration (seed by seed). */
export function readRecords(folder: string, config: Config): RunRecord[] {
  const records: RunRecord[] = [];
  for (const { variant, seed } of runsOf(config)) {
    const file = recordPath(folder, variant, seed, "json");
    const text = readIfThere(file);
    if (text === undefined) continue;
    const record = parse(text);
    if (!isRunRecord(record) || record.variant !== variant || record.seed !== seed) {
      throw new UserError(`${file} is not the record of a run: delete it to have that run trained again.`);
    }
    records.push(record);
  }
  return records;
}

/** Every run of a configuration, seed by seed, so that an interrupted sweep has compared all variants on some seeds. */
export function runsOf(config: Config): { variant: string; seed: number }[] {
  return config.seeds.flatMap((seed) => config.variants.map(({ name }) => ({ variant: name, seed })));
}

export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  await writeFileAtomic(recordPath(folder, record.variant, record.seed, "json"), prettyJson(record));
}

export async function writeModel(
  folder: string,
  { variant, seed }: RunRecord,
  model: Uint8Array,
): Promise<void> {
  await writeFileAtomic(recordPath(folder, variant, seed, "onnx"), Buffer.from(model));
}

/** The model of a finished run; undefined when it is not kept. */
export function readModel(folder: string, variant: string, seed: number): Uint8Array | undefined {
  try {
    return readFileSync(recordPath(folder, variant, seed, "onnx"));
  } catch {
    return undefined;
  }
}

/** Deletes the models of all runs but one, and what a killed run left half written. */
export function keepOnlyModel(folder: string, kept: { variant: string; seed: number } | null): void {
  const keep = kept === null ? "" : recordName(kept.variant, kept.seed, "onnx");
  for (const name of readdirSync(join(folder, "records"))) {
    const unfinished = /\.(json|onnx)\.\d+$/.test(name);
    if (unfinished || (name.endsWith(".onnx") && name !== keep))
      rmSync(join(folder, "records", name), { force: true });
  }
}

/** Writes one of the results of a sweep into its folder, atomically, and returns the path. */
export async function writeResult(
  folder: string,
  name: string,
  content: string | Uint8Array,
): Promise<string> {
  const file = join(folder, name);
  await writeFileAtomic(file, typeof content === "string" ? content : Buffer.from(content));
  return file;
}

export const prettyJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const recordName = (variant: string, seed: number, type: string): string =>
  `${encodeURIComponent(runKey(variant, seed))}.${type}`;

const recordPath = (folder: string, variant: string, seed: number, type: "json" | "onnx"): string =>
  join(folder, "records", recordName(variant, seed, type));

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw new UserError(`${file} cannot be read: ${messageOf(thrown)}.`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const canonicalText = (text: string): string => canonicalJson(parse(text) ?? null);
