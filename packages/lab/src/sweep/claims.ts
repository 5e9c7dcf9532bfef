// Who trains which run, where several sweeps share a folder: a file per run in hand, made by one of them only. It counts
// while its owner lives: the owner's process exists, and touches the file every few seconds.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Run } from "../records/run.js";
import { explainFull } from "./atomic.js";
import { claimPath } from "./folder.js";

/** Milliseconds between two signs of life, and after how many without one a claim is given up. */
const HEARTBEAT = 5_000;
const PATIENCE = 30_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Tells apart two processes that had the same number. */
  readonly token: string;
}

/** The claims that this process holds in a folder. */
export class Claims {
  readonly #owner: Owner = { host: hostname(), pid: process.pid, token: randomBytes(8).toString("hex") };
  readonly #text = JSON.stringify(this.#owner);
  readonly #held = new Set<string>();
  readonly #heartbeat = setInterval(() => this.#touch(), HEARTBEAT).unref();

  constructor(private readonly folder: string) {}

  /** Whether the run is this process's now: false while another one has it in hand. */
  take(run: Run): boolean {
    const file = claimPath(this.folder, run);
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        writeFileSync(file, this.#text, { flag: "wx" });
        this.#held.add(file);
        return true;
      } catch (thrown) {
        if (!hasCode(thrown, "EEXIST")) {
          rmSync(file, { force: true });
          throw explainFull(file, thrown);
        }
      }
      const abandoned = this.#ifAbandoned(file);
      if (abandoned === undefined) return false;
      evict(file, abandoned);
    }
    return false;
  }

  release(run: Run): void {
    const file = claimPath(this.folder, run);
    if (this.#held.delete(file)) this.#remove(file);
  }

  /** Releases everything. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const file of this.#held) this.#remove(file);
    this.#held.clear();
  }

  /** Removes a claim, unless this process was asleep for so long that another one has taken it over. */
  #remove(file: string): void {
    if (existsSync(file) && readFileSync(file, "utf8") === this.#text) rmSync(file, { force: true });
  }

  /** The content of a claim whose owner is gone; undefined for one that counts. */
  #ifAbandoned(file: string): string | undefined {
    try {
      const text = readFileSync(file, "utf8");
      return ageOf(file) > PATIENCE || this.#isGone(text) ? text : undefined;
    } catch (thrown) {
      if (hasCode(thrown, "ENOENT")) return ""; // released just now
      throw thrown;
    }
  }

  /** Whether a claim is of a process of this machine that has ended. */
  #isGone(claim: string): boolean {
    let owner: Partial<Owner>;
    try {
      owner = JSON.parse(claim);
    } catch {
      return false; // its owner is about to write it
    }
    if (owner.host !== this.#owner.host || typeof owner.pid !== "number") return false;
    if (owner.pid === process.pid) return owner.token !== this.#owner.token;
    try {
      process.kill(owner.pid, 0);
      return false;
    } catch (thrown) {
      return hasCode(thrown, "ESRCH");
    }
  }

  #touch(): void {
    const now = new Date();
    for (const file of this.#held) {
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
    if (!hasCode(thrown, "EEXIST")) throw explainFull(lock, thrown);
    if (ageOf(lock) > PATIENCE) rmSync(lock, { force: true }); // its process was killed at this very point
    return;
  }
  try {
    if (readFileSync(file, "utf8") === abandoned) rmSync(file);
  } catch (thrown) {
    if (!hasCode(thrown, "ENOENT")) throw thrown;
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Milliseconds since a file was touched; 0 when it is not there. */
function ageOf(file: string): number {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

const hasCode = (thrown: unknown, code: string): boolean =>
  thrown instanceof Error && "code" in thrown && thrown.code === code;
