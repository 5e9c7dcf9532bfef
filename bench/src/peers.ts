// This library beside what users would pick instead: all cases, all runtimes, one interleaved run, a table and JSON.
// Usage: npm run bench:peers -w bench [-- --rounds 9 --turn 60 --only "forward 2^20" --out runs/peers]
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { jsonLines } from "./json.js";
import { nodeVersions } from "./nodes.js";
import { caseName, cases } from "./peers/cases.js";
import { startContenders } from "./peers/contenders.js";
import { type Measurement, measure } from "./peers/measure.js";
import { document, type Run } from "./peers/report.js";
import { bundleSize, startUp } from "./peers/start-up.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    turn: { type: "string", default: "60" },
    only: { type: "string", default: "" },
    out: { type: "string", default: "runs/peers" },
  },
});
const rounds = Number(values.rounds);
const wanted = cases.filter((task) => caseName(task).includes(values.only));
const loadBefore = loadavg()[0]!;
const nodes = nodeVersions();
const starts = Object.fromEntries(nodes.map((node) => [node.label, startUp(node)]));
const size = await bundleSize();
const contenders = await startContenders(nodes);

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
  versions: { ...Object.fromEntries(nodes.map(({ label, version }) => [label, version])), ...versions },
  columns: [...nodes.map(({ label }) => label), "native"],
  rounds,
  loadBefore,
  size,
  startUp: starts,
  measurements,
};
for (const contender of contenders) await contender.end();

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = resolve(root, values.out);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(`${out}.json`, jsonLines(run));
writeFileSync(`${out}.md`, document(run));
console.log(document(run));
