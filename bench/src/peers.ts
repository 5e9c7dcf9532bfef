// This library beside what users would pick instead: all cases, all runtimes, one interleaved run, a table and JSON.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { jsonLines } from "./json.js";
import { nodeVersions } from "./nodes.js";
import { casesNamed, measurement, onlyOption, wholeNumber } from "./options.js";
import { caseName, cases } from "./peers/cases.js";
import { inChromium } from "./peers/chromium.js";
import { onCpu, startContenders } from "./peers/contenders.js";
import { type Measurement, measure } from "./peers/measure.js";
import { inNativeCode, inNode, native } from "./peers/places.js";
import { document, type Run } from "./peers/report.js";
import { cpuSides } from "./peers/site.js";
import { bundleSize, startUp } from "./peers/start-up.js";
import type { Summary } from "./statistics.js";

const command = measurement(
  "bench:peers",
  "This library beside what users would pick instead, in every runtime",
)
  .option("--rounds <n>", "rounds, in each of which every side has a turn", wholeNumber, 7)
  .option("--turn <ms>", "how long a turn is", wholeNumber, 60)
  .addOption(onlyOption('"forward 2^20"'))
  .option("--columns <names>", 'these columns, such as "Node 24, Chromium" (default: all that are here)')
  .option("--out <path>", "where to write, without .md and .json", "runs/peers")
  .parse();
interface Options {
  readonly rounds: number;
  readonly turn: number;
  readonly only: string;
  readonly columns?: string;
  readonly out: string;
}
const options = command.opts<Options>();
const { rounds, turn } = options;
const wanted = casesNamed(cases, options.only, command);
const loadBefore = loadavg()[0]!;
const nodes = nodeVersions();
const asked = options.columns?.split(/\s*,\s*/);
const isAsked = (label: string): boolean => asked?.includes(label) ?? true;
const chromium = isAsked("Chromium") ? await inChromium(cpuSides) : undefined;
const all = [...nodes.map(inNode), ...(chromium ? [chromium] : []), inNativeCode(nodes.at(-1)!)];
const places = all.filter(({ label }) => isAsked(label));
const absent = asked?.filter((label) => !all.some((place) => place.label === label)) ?? [];
if (absent.length > 0) {
  await chromium?.close();
  const here = all.map(({ label }) => label).join(", ");
  command.error(`error: --columns has ${absent.join(", ")}, which is not here; there are ${here}`);
}
const runtimes = places.filter(({ label }) => label !== native);
const starts: Record<string, Summary> = {};
for (const place of runtimes) starts[place.label] = await startUp(place);
const size = await bundleSize();
const contenders = await startContenders(onCpu, places);

const measurements: Measurement[] = [];
for (const task of wanted) {
  const started = performance.now();
  measurements.push(...(await measure(task, contenders, { rounds, turn })));
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
const out = resolve(root, options.out);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(`${out}.json`, jsonLines(run));
writeFileSync(`${out}.md`, document(run));
console.log(document(run));
