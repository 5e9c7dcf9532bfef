// The WebGPU backend beside a copy, its own pieces unfused, and what users would pick instead, on whichever adapter is here.
// Usage: npm run bench:webgpu -w bench [-- --where node --size "2^24, 128x512x1376" --only forward --rounds 7 --out runs/webgpu]
// --add keeps the cases of an earlier run in the same files. With --pack FILE.tar.xz it measures nothing but packs what a machine without a network needs for it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { jsonLines } from "./json.js";
import { type Case, caseName } from "./peers/cases.js";
import { type Identity, startContenders } from "./peers/contenders.js";
import { type Measurement, measure } from "./peers/measure.js";
import { onHardware, onSoftware, sizesNamed, wanted } from "./webgpu/cases.js";
import { onGpu } from "./webgpu/contenders.js";
import { inNode } from "./webgpu/places.js";
import { document, type Refusal, type Run } from "./webgpu/report.js";

const { values } = parseArgs({
  options: {
    where: { type: "string", default: "" },
    size: { type: "string", default: "" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "7" },
    turn: { type: "string", default: "60" },
    out: { type: "string", default: "runs/webgpu" },
    add: { type: "boolean", default: false },
    pack: { type: "string" },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
if (values.pack !== undefined) {
  const { pack } = await import("./webgpu/pack.js");
  await pack(root, resolve(root, values.pack));
  process.exit();
}
const { where } = values;
if (!["", "node", "chromium"].includes(where))
  throw new RangeError(`--where is ${JSON.stringify(where)}, expected node, chromium, or nothing for both`);
const named = values.size === "" ? undefined : sizesNamed(values.size);
const loadBefore = loadavg()[0]!;
const chromium = where === "node" ? undefined : await (await import("./webgpu/browser.js")).inBrowser();
const places = [...(where === "chromium" ? [] : [inNode]), ...(chromium ? [chromium] : [])];
const refusals: Refusal[] = [];
function refuse({ name, column }: Identity, reason: string, task?: Case): void {
  const where = task ? { case: caseName(task) } : {};
  refusals.push({ ...where, name, column, reason });
  console.error(`${[column, name, ...Object.values(where)].join(", ")}: ${reason}`);
}
const contenders = await startContenders(onGpu, places, refuse);

const adapters: Record<string, Run["adapters"][string]> = {};
for (const { identity, hello } of contenders)
  if (hello.adapter) adapters[identity.column] ??= { ...hello.adapter, features: hello.features ?? "" };
for (const [column, { name }] of Object.entries(adapters)) console.error(`${column}: ${name}`);
const software = Object.values(adapters).some((adapter) => adapter.software);
const tasks = wanted(named ?? (software ? onSoftware : onHardware), values.only);

const out = resolve(root, values.out);
/** With --add, the cases that an earlier run measured and this one does not. */
const earlier: Run | undefined =
  values.add && existsSync(`${out}.json`) ? JSON.parse(readFileSync(`${out}.json`, "utf8")) : undefined;
const again = new Set(tasks.flatMap((task) => places.map(({ label }) => `${label}, ${caseName(task)}`)));
const measurements: Measurement[] = (earlier?.measurements ?? []).filter(
  (row) => !again.has(`${row.identity.column}, ${caseName(row.case)}`),
);
refusals.push(...(earlier?.refusals ?? []).filter((row) => !again.has(`${row.column}, ${row.case}`)));
const versions = contenders
  .filter(({ identity }) => identity.role === "peer")
  .map(({ identity, hello }) => [identity.name.split(",")[0]!, hello.version] as const)
  .filter(([name]) => !name.startsWith("swiglu"));
const run: Run = {
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]!.model.trim(),
  cores: cpus().length,
  loadBefore,
  versions: {
    ...Object.fromEntries(places.map(({ label, version }) => [label, version])),
    ...Object.fromEntries(versions),
  },
  adapters: { ...earlier?.adapters, ...adapters },
  rounds: Number(values.rounds),
  measurements,
  refusals,
};
mkdirSync(dirname(out), { recursive: true });
/** After every case, so that a run that is stopped leaves what it has. */
function save(): void {
  writeFileSync(`${out}.json`, jsonLines(run));
  writeFileSync(`${out}.md`, document(run));
}

for (const task of tasks)
  for (const { label } of places) {
    const started = performance.now();
    const here = contenders.filter(({ identity }) => identity.column === label);
    const measured = await measure(task, here, {
      rounds: Number(values.rounds),
      turn: Number(values.turn),
      refused(identity, reason) {
        // What a yardstick or a variant is not meant for is no news.
        if (!/^(no|only) /.test(reason)) refuse(identity, reason, task);
      },
    });
    measurements.push(...measured);
    save();
    console.error(`${label}, ${caseName(task)}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
for (const contender of contenders) await contender.end();
await chromium?.close();
console.log(document(run));
