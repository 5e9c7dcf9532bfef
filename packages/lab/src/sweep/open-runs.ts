// The runs of a sweep that have no record yet, as one of those sees them who share the folder: free, in its own hands,
// or in another's.
import type { Config } from "../config/types.js";
import { type RunRecord, runKey } from "../records/record.js";
import type { Run } from "../records/run.js";
import { Claims } from "./claims.js";
import { readRecord, runsOf } from "./folder.js";

export class OpenRuns {
  /** Not recorded, not in these hands. */
  private readonly open: Map<string, Run>;
  private readonly claims: Claims;

  /**
   * @param done the records that are there already
   * @param onRecorded called with the record of a run that another process has finished meanwhile
   */
  constructor(
    private readonly folder: string,
    private readonly config: Config,
    done: readonly RunRecord[],
    private readonly onRecorded: (record: RunRecord) => void,
  ) {
    this.open = new Map(runsOf(config).map((run) => [runKey(run.variant, run.seed), run]));
    for (const { variant, seed } of done) this.open.delete(runKey(variant, seed));
    this.claims = new Claims(folder);
  }

  /** How many are neither recorded nor in these hands. */
  get count(): number {
    return this.open.size;
  }

  /** Takes the next run that is free; undefined when others have in hand what is left, or nothing is. */
  take(): Run | undefined {
    for (const [key, run] of this.open) {
      if (this.isRecorded(key, run) || !this.claims.take(run)) continue;
      // It may have been recorded between the look and the claim.
      if (this.isRecorded(key, run)) {
        this.claims.release(run);
        continue;
      }
      this.open.delete(key);
      return run;
    }
    return undefined;
  }

  /** A run that was taken is recorded, or failed: others may have it. */
  release(run: Run): void {
    this.claims.release(run);
  }

  close(): void {
    this.claims.close();
  }

  private isRecorded(key: string, run: Run): boolean {
    const record = readRecord(this.folder, this.config, run);
    if (record === undefined) return false;
    this.open.delete(key);
    this.onRecorded(record);
    return true;
  }
}
