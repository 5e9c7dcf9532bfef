// Who trains which run, where several sweeps share a folder: a file per run in hand, made by one of them only. It counts
// while its owner lives: the owner's process exists, and touches the file every few seconds.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";
import type { Run } from "../records/run.js";
import { codeOf, messageOf, UserError } from "../system/errors.js";
import { parseJson } from "../system/files.js";
import { explainWrite } from "./atomic.js";
import { claimPath } from "./folder.js";

/** Milliseconds between two signs of life, and after how many without one a claim is given up. */
const HEARTBEAT = 5_000;
const PATIENCE = 30_000;

/** What a claim says of its owner; the token tells apart two processes that had the same number. */
const ownerSchema = z.object({
  host: z.string(),
  pid: z
    .int()
    .positive()
    .max(2 ** 31 - 1),
  token: z.string(),
});

type Owner = z.infer<typeof ownerSchema>;

/** A claim: of somebody who works on the run, of nobody any more (with its content), or no longer there. */
type Found =
  | { readonly state: "counts" }
  | { readonly state: "abandoned"; readonly text: string }
  | { readonly state: "released" };

/** The claims that this process holds in a folder. */
export class Claims {
  private readonly owner: Owner = {
    host: hostname(),
    pid: process.pid,
    token: randomBytes(8).toString("hex"),
  };
  private readonly text = JSON.stringify(this.owner);
  private readonly held = new Set<string>();
  private readonly heartbeat = setInterval(() => this.touch(), HEARTBEAT).unref();

  /** When claims of a time to come were touched, and since when they are known as that. */
  private readonly ahead = new Map<string, { readonly touched: number; readonly seen: number }>();

  /** @param patience milliseconds without a sign of life after which a claim is given up */
  constructor(
    private readonly folder: string,
    private readonly patience = PATIENCE,
  ) {}

  /** Whether the run is this process's now: false while another one has it in hand. */
  take(run: Run): boolean {
    const file = claimPath(this.folder, run);
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        writeFileSync(file, this.text, { flag: "wx" });
        this.held.add(file);
        return true;
      } catch (thrown) {
        if (codeOf(thrown) !== "EEXIST") {
          rmSync(file, { force: true });
          throw explainWrite(file, thrown);
        }
      }
      const found = this.look(file);
      if (found.state === "counts") return false;
      // One that was released just now is not evicted: what stands there by then is somebody else's, and may still be empty.
      if (found.state === "abandoned") evict(file, found.text);
    }
    return false;
  }

  release(run: Run): void {
    const file = claimPath(this.folder, run);
    if (this.held.delete(file)) this.remove(file);
  }

  /** Releases everything. */
  close(): void {
    clearInterval(this.heartbeat);
    for (const file of this.held) this.remove(file);
    this.held.clear();
  }

  /** Removes a claim, unless this process was asleep for so long that another one has taken it over. */
  private remove(file: string): void {
    if (existsSync(file) && readFileSync(file, "utf8") === this.text) rmSync(file, { force: true });
  }

  /** What there is to a claim that stood in the way. */
  private look(file: string): Found {
    try {
      const text = readFileSync(file, "utf8");
      return this.isSilent(file) || this.isGone(text) ? { state: "abandoned", text } : { state: "counts" };
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return { state: "released" };
      throw new UserError(`${file} cannot be read: ${messageOf(thrown)}. Delete it, and the run is free.`);
    }
  }

  /** Whether a claim was not touched for too long; one that was touched in time to come, by the clock here, is watched. */
  private isSilent(file: string): boolean {
    const touched = touchedAt(file);
    if (touched <= Date.now()) return Date.now() - touched > this.patience;
    const before = this.ahead.get(file);
    const now = performance.now();
    if (before?.touched === touched) return now - before.seen > this.patience;
    this.ahead.set(file, { touched, seen: now });
    return false;
  }

  /** Whether a claim is of a process of this machine that has ended. */
  private isGone(claim: string): boolean {
    const owner = ownerSchema.safeParse(parseJson(Buffer.from(claim))).data;
    // Nobody's, or its owner is about to write it: it counts for a while.
    if (owner === undefined || owner.host !== this.owner.host) return false;
    if (owner.pid === process.pid) return owner.token !== this.owner.token;
    try {
      process.kill(owner.pid, 0);
      return false;
    } catch (thrown) {
      return codeOf(thrown) === "ESRCH";
    }
  }

  private touch(): void {
    const now = new Date();
    for (const file of this.held) {
      try {
        utimesSync(file, now, now);
      } catch {
        // The folder is out of reach, or gone: writing the record will say so.
      }
    }
  }
}

/** Removes an abandoned claim, one process at a time, so that none removes what another has just put in its place. */
function evict(file: string, abandoned: string): void {
  const lock = `${file}.tmp`;
  try {
    writeFileSync(lock, "", { flag: "wx" });
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw explainWrite(lock, thrown);
    if (Math.abs(Date.now() - touchedAt(lock)) > PATIENCE) rmSync(lock, { force: true }); // its process was killed at this very point
    return;
  }
  try {
    if (readFileSync(file, "utf8") === abandoned) rmSync(file);
  } catch (thrown) {
    if (codeOf(thrown) !== "ENOENT") throw thrown;
  } finally {
    rmSync(lock, { force: true });
  }
}

/** When a file was touched; now, where it is not there. */
const touchedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
