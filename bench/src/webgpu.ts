// The WebGPU backend beside a copy, its own pieces unfused, and what users would pick instead, on whichever adapter is here.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import { jsonLines } from "./json.js";
import { casesNamed, measurement, onlyOption, wholeNumber } from "./options.js";
import { type Case, caseName } from "./peers/cases.js";
import { type Identity, startContenders } from "./peers/contenders.js";
import { type Measurement, measure } from "./peers/measure.js";
import { casesOf, onHardware, onSoftware, type Sizes, sizesNamed } from "./webgpu/cases.js";
import { onGpu } from "./webgpu/contenders.js";
import { inNode } from "./webgpu/places.js";
import { document, type Refusal, type Run } from "./webgpu/report.js";

interface Options {
  readonly where?: "node" | "chromium";
  readonly size?: Sizes;
  readonly only: string;
  readonly rounds: number;
  readonly turn: number;
  readonly out: string;
  readonly add?: true;
  readonly pack?: string;
}
const command = measurement(
  "bench:webgpu",
  "The WebGPU backend beside a copy, its own pieces unfused, and what users would pick instead, on whichever adapter is here",
)
  .addOption(new Option("--where <place>", "only there (default: both)").choices(["node", "chromium"]))
  .addOption(
    new Option(
      "--size <list>",
      'these sizes, such as "2^24, 128x512x1376" (default: small ones on software, those of real models on a GPU)',
    ).argParser(sizesNamed),
  )
  .addOption(onlyOption("forward"))
  .option("--rounds <n>", "rounds, in each of which every side has a turn", wholeNumber, 7)
  .option("--turn <ms>", "how long a turn is", wholeNumber, 60)
  .option("--out <path>", "where to write, without .md and .json", "runs/webgpu")
  .option("--add", "keep the cases of an earlier run in the same files")
  .option("--pack <file.tar.xz>", "measure nothing; pack what a machine without a network needs for it")
  .parse();
const options = command.opts<Options>();
const { where, rounds, turn } = options;
const root = fileURLToPath(new URL("../..", import.meta.url));
if (options.pack !== undefined) {
  const { pack } = await import("./webgpu/pack.js");
  await pack(root, resolve(root, options.pack));
  process.exit();
}
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
const sizes = options.size ?? (software ? onSoftware : onHardware);
const tasks = casesNamed(casesOf(sizes), options.only, command);

const out = resolve(root, options.out);
/** With --add, the cases that an earlier run measured and this one does not. */
const earlier: Run | undefined =
  options.add && existsSync(`${out}.json`) ? JSON.parse(readFileSync(`${out}.json`, "utf8")) : undefined;
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
  rounds,
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
      rounds,
      turn,
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
