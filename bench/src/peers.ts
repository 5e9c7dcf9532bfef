// This library beside what users would pick instead: all cases, all runtimes, one interleaved run, a table and JSON.
// Usage: npm run bench:peers -w bench [-- --rounds 7 --turn 60 --only "forward 2^20" --columns "Node 24, Chromium" --out runs/peers]
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { jsonLines } from "./json.js";
import { nodeVersions } from "./nodes.js";
import { caseName, cases } from "./peers/cases.js";
import { inChromium } from "./peers/chromium.js";
import { onCpu, startContenders } from "./peers/contenders.js";
import { type Measurement, measure } from "./peers/measure.js";
import { inNativeCode, inNode, native } from "./peers/places.js";
import { document, type Run } from "./peers/report.js";
import { cpuSides } from "./peers/site.js";
import { bundleSize, startUp } from "./peers/start-up.js";
import type { Summary } from "./statistics.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    turn: { type: "string", default: "60" },
    only: { type: "string", default: "" },
    columns: { type: "string", default: "" },
    out: { type: "string", default: "runs/peers" },
  },
});
const rounds = Number(values.rounds);
const wanted = cases.filter((task) => caseName(task).includes(values.only));
const loadBefore = loadavg()[0]!;
const nodes = nodeVersions();
const asked = values.columns === "" ? undefined : values.columns.split(/\s*,\s*/);
const isAsked = (label: string): boolean => asked?.includes(label) ?? true;
const chromium = isAsked("Chromium") ? await inChromium(cpuSides) : undefined;
const all = [...nodes.map(inNode), ...(chromium ? [chromium] : []), inNativeCode(nodes.at(-1)!)];
const places = all.filter(({ label }) => isAsked(label));
if (asked && places.length < asked.length)
  throw new Error(`--columns is ${values.columns}; here are ${all.map(({ label }) => label).join(", ")}`);
const runtimes = places.filter(({ label }) => label !== native);
const starts: Record<string, Summary> = {};
for (const place of runtimes) starts[place.label] = await startUp(place);
const size = await bundleSize();
const contenders = await startContenders(onCpu, places);

const measurements: Measurement[] = [];
for (const task of wanted) {
  const started = performance.now();
  measurements.push(...(await measure(task, contenders, { rounds, turn: Number(values.turn) })));
  console.error(`${caseName(task)}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

const versions = Object.fromEntries(
  contenders
    .filter(({ identity }) => identity.role === "peer")
    .map(({ identity, hello }) => [identity.name.split(",")[0]!, hello.version]),
);
const relaxed = contenders
  .filter(({ identity }) => identity.name.includes("relaxed"))
  .map(({ identity }) => identity.column);
const run: Run = {
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]!.model.trim(),
  cores: cpus().length,
  features: `relaxed SIMD in ${[...new Set(relaxed)].join(", ") || "none"}`,
  versions: { ...Object.fromEntries(runtimes.map(({ label, version }) => [label, version])), ...versions },
  columns: places.map(({ label }) => label),
  rounds,
  loadBefore,
  size,
  startUp: starts,
  measurements,
};
for (const contender of contenders) await contender.end();
await chromium?.close();

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = resolve(root, values.out);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(`${out}.json`, jsonLines(run));
writeFileSync(`${out}.md`, document(run));
console.log(document(run));
