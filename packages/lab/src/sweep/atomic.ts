// Writes files so that one that exists is whole, whatever was killed when and however full the disk is.
// (write-file-atomic does not look at how much of a file was written: on a disk that fills up it leaves half a file.)
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { codeOf, messageOf, StopError } from "../system/errors.js";

/** How operating systems say that a disk, a quota or the largest allowed file is full. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Writes a file: to a temporary one beside it, to the disk, then under its name.
 *
 * @throws StopError when there is no room, or the system refuses: what was there before is as it was
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
    throw explainWrite(file, thrown);
  }
}

/** The error of a failed write: a StopError, for it concerns every run here; what the system did not say is as it came. */
export function explainWrite(file: string, thrown: unknown): unknown {
  const code = codeOf(thrown);
  if (code === undefined) return thrown;
  const kept =
    "start again with the same options; finished runs are kept, and those in hand go on from their checkpoints.";
  return new StopError(
    FULL.has(code)
      ? `${file} cannot be written, for the disk is full (${code}): free some space and ${kept}`
      : `${file} cannot be written: ${messageOf(thrown)}. Put that right and ${kept}`,
  );
}

/** Whether a name is that of a file which `writeAtomically` had not finished. */
export const isTemporary = (name: string): boolean => /\.([0-9a-f]{12}|claim)\.tmp$/.test(name);
