// The folder of a sweep, runs/<name>/: config.json, records/<variant>-<seed>.json, .onnx and .checkpoint, and the results.
// Every file is written atomically, so that a file that exists is whole, whatever was killed when.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, folderName } from "../config/config.js";
import { checkConfig } from "../config/schema.js";
import type { Config } from "../config/types.js";
import { checkRecord, type RunRecord, runKey } from "../records/record.js";
import type { Run } from "../records/run.js";
import { messageOf, StopError, UserError } from "../system/errors.js";
import { parseJson, readIfThere } from "../system/files.js";
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
  if (existing !== undefined) refuseOther(file, existing, config);
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

/** The file of a sweep's folder must be of this configuration, whose hash is in the folder's name. */
function refuseOther(file: string, content: Uint8Array, config: Config): void {
  const checked = checkConfig(parseJson(content));
  if ("problem" in checked) {
    throw new UserError(
      `${file} is not the configuration of a sweep (${checked.problem}): delete it, and it is written anew; records stay as they are.`,
    );
  }
  if (canonicalJson(checked.value) !== canonicalJson(config)) {
    throw new UserError(
      `${file} is not the configuration of this sweep: move the folder away, or choose another --out.`,
    );
  }
}

/** The records of the runs that are finished, in the order of the configuration (seed by seed). */
export function readRecords(folder: string, config: Config): RunRecord[] {
  return runsOf(config).flatMap((run) => readRecord(folder, config, run) ?? []);
}

/** The record of a run; undefined while there is none. */
export function readRecord(folder: string, config: Config, run: Run): RunRecord | undefined {
  const file = recordFile(folder, run);
  const content = readIfThere(file);
  if (content === undefined) return undefined;
  const checked = checkRecord(parseJson(content), config, run);
  if ("value" in checked) return checked.value;
  throw new UserError(
    `${file} is not the record of a run: delete it to have that run trained again (${checked.problem}).`,
  );
}

/** Every run of a configuration, seed by seed, so that an interrupted sweep has compared all variants on some seeds. */
export function runsOf(config: Config): Run[] {
  return config.seeds.flatMap((seed) => config.variants.map(({ name }) => ({ variant: name, seed })));
}

/** Records a run, once: a record that is there stays. */
export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  const file = recordFile(folder, record);
  if (!existsSync(file)) await writeAtomically(file, prettyJson(record));
}

export async function writeModel(folder: string, run: Run, model: Uint8Array): Promise<void> {
  await writeAtomically(recordPath(folder, run, "onnx"), model);
}

/** The model of a finished run; undefined when it is not kept. */
export function readModel(folder: string, variant: string, seed: number): Uint8Array | undefined {
  return readIfThere(recordPath(folder, { variant, seed }, "onnx"));
}

/** Where the record of a run is. */
export const recordFile = (folder: string, run: Run): string => recordPath(folder, run, "json");

/** Where a run that is not finished keeps what it goes on from. */
export const checkpointPath = (folder: string, run: Run): string => recordPath(folder, run, "checkpoint");

/** Where it stands who has a run in hand. */
export const claimPath = (folder: string, run: Run): string => recordPath(folder, run, "claim");

/**
 * Deletes what recorded runs need no more: checkpoints, claims, and all models but one. What is in hand stays; and where the
 * model to keep is not there, for its record was changed or its file lost, no other is deleted in its place.
 */
export function tidy(folder: string, records: readonly RunRecord[], kept: Run | null): void {
  const isThere = kept !== null && existsSync(recordPath(folder, kept, "onnx"));
  for (const record of records) {
    const isKept = kept?.variant === record.variant && kept.seed === record.seed;
    for (const file of [checkpointPath(folder, record), claimPath(folder, record)])
      rmSync(file, { force: true });
    if (!isKept && isThere) rmSync(recordPath(folder, record, "onnx"), { force: true });
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
