// Writes files so that one that exists is whole, whatever was killed when and however full the disk is.
// (write-file-atomic does not look at how much of a file was written: on a disk that fills up it leaves half a file.)
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { messageOf, StopError } from "../errors.js";

/** How operating systems say that a disk, a quota or the largest allowed file is full. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Writes a file: to a temporary one beside it, to the disk, then under its name.
 *
 * @throws StopError when there is no room: what was there before is as it was
 */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw explainFull(file, thrown);
  }
}

/** The error of a failed write: a StopError where that is the reason, and otherwise as it came. */
export function explainFull(file: string, thrown: unknown): unknown {
  if (!(thrown instanceof Error && "code" in thrown && FULL.has(String(thrown.code)))) return thrown;
  return new StopError(
    `${file} cannot be written, for the disk is full (${messageOf(thrown)}): free some space and start again with the ` +
      "same options; finished runs are kept, and those in hand go on from their checkpoints.",
  );
}

/** Whether a name is that of a file which `writeAtomically` had not finished. */
export const isTemporary = (name: string): boolean => name.endsWith(".tmp");
