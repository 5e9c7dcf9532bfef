// Fingerprints of what the library generates: a change of shape must leave them as they are (npm run check:frozen).
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const digest = (data: Uint8Array | string): string =>
  createHash("sha256").update(data).digest("hex").slice(0, 16);

/** Everything generated under one heading, each once, in whatever order it came. */
export class Fingerprints {
  private readonly found = new Set<string>();

  add(data: Uint8Array | string): void {
    this.found.add(digest(data));
  }

  /** Compares with the committed file of that name; `--update` writes it. */
  async check(name: string): Promise<void> {
    expect(this.found.size).toBeGreaterThan(0);
    const text = `${[...this.found].sort().join("\n")}\n`;
    await expect(text).toMatchFileSnapshot(fileURLToPath(new URL(`${name}.txt`, import.meta.url)));
  }
}
