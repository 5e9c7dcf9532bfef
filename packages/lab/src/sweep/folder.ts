// The folder of a sweep, runs/<name>/: config.json, records/<variant>-<seed>.json, .onnx and .checkpoint, and the results.
// Every file is written atomically, so that a file that exists is whole, whatever was killed when.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Config, canonicalJson, folderName } from "../config/config.js";
import { messageOf, StopError, UserError } from "../errors.js";
import { isRunRecord, type RunRecord, runKey } from "../records/record.js";
import type { Run } from "../records/run.js";
import { isTemporary, writeAtomically } from "./atomic.js";

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
    if (existing === undefined) await writeAtomically(file, prettyJson(config));
  } catch (thrown) {
    if (thrown instanceof StopError) throw thrown;
    throw new UserError(
      `${folder} cannot be written (${messageOf(thrown)}): choose another folder with --out.`,
    );
  }
  return folder;
}

/** The records of the runs that are finished, in the order of the configuration (seed by seed). */
export function readRecords(folder: string, config: Config): RunRecord[] {
  return runsOf(config).flatMap((run) => readRecord(folder, run) ?? []);
}

/** The record of a run; undefined while there is none. */
export function readRecord(folder: string, run: Run): RunRecord | undefined {
  const file = recordPath(folder, run, "json");
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const record = parse(text);
  if (!isRunRecord(record) || record.variant !== run.variant || record.seed !== run.seed) {
    throw new UserError(`${file} is not the record of a run: delete it to have that run trained again.`);
  }
  return record;
}

/** Every run of a configuration, seed by seed, so that an interrupted sweep has compared all variants on some seeds. */
export function runsOf(config: Config): Run[] {
  return config.seeds.flatMap((seed) => config.variants.map(({ name }) => ({ variant: name, seed })));
}

/** Records a run, once: a record that is there stays. */
export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  const file = recordPath(folder, record, "json");
  if (!existsSync(file)) await writeAtomically(file, prettyJson(record));
}

export async function writeModel(folder: string, run: Run, model: Uint8Array): Promise<void> {
  await writeAtomically(recordPath(folder, run, "onnx"), model);
}

/** The model of a finished run; undefined when it is not kept. */
export function readModel(folder: string, variant: string, seed: number): Uint8Array | undefined {
  try {
    return readFileSync(recordPath(folder, { variant, seed }, "onnx"));
  } catch {
    return undefined;
  }
}

/** Where a run that is not finished keeps what it goes on from. */
export const checkpointPath = (folder: string, run: Run): string => recordPath(folder, run, "checkpoint");

/** Where it stands who has a run in hand. */
export const claimPath = (folder: string, run: Run): string => recordPath(folder, run, "claim");

/** Deletes what recorded runs need no more: checkpoints, claims, and all models but one. What is in hand stays. */
export function tidy(folder: string, records: readonly RunRecord[], kept: Run | null): void {
  for (const record of records) {
    const isKept = kept?.variant === record.variant && kept.seed === record.seed;
    for (const file of [checkpointPath(folder, record), claimPath(folder, record)])
      rmSync(file, { force: true });
    if (!isKept) rmSync(recordPath(folder, record, "onnx"), { force: true });
  }
}

/** Deletes what killed processes left half written. For a sweep whose runs are all recorded: nobody writes any more. */
export function removeTemporaries(folder: string): void {
  const records = join(folder, "records");
  for (const name of readdirSync(records).filter(isTemporary)) rmSync(join(records, name), { force: true });
}

/** Writes one of the results of a sweep into its folder, atomically, and returns the path. */
export async function writeResult(
  folder: string,
  name: string,
  content: string | Uint8Array,
): Promise<string> {
  const file = join(folder, name);
  await writeAtomically(file, content);
  return file;
}

export const prettyJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function recordPath(folder: string, { variant, seed }: Run, type: RecordFile): string {
  return join(folder, "records", `${encodeURIComponent(runKey(variant, seed))}.${type}`);
}

type RecordFile = "json" | "onnx" | "checkpoint" | "claim";

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
