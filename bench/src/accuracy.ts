// Checks the WebAssembly kernels of the catalogue against float64: unary functions on all 2^32 float32 values, others on
// seeded points of all sizes; forward and backward, plain and relaxed SIMD. Can be stopped and goes on where it was.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument } from "commander";
import { activationByName, activations } from "swiglu";
import { parts } from "./accuracy/inputs.js";
import { document } from "./accuracy/report.js";
import { merge, type Outcomes, type Progress, type Results } from "./accuracy/results.js";
import type { Request } from "./accuracy/side.js";
import { Child } from "./child.js";
import { jsonLines } from "./json.js";
import { nodeVersions } from "./nodes.js";
import { measurement, wholeNumber } from "./options.js";

const all = Object.keys(activations);
const command = measurement(
  "accuracy",
  "Checks the WebAssembly kernels against float64: functions of one input on all 2^32 float32 values, others on seeded points. " +
    "Can be stopped, and goes on where it was.",
)
  .addArgument(new Argument("[names...]", "activations to check").choices(all).default([], "all"))
  .option("--stride <n>", "only every nth of the 2^32 values", wholeNumber, 1)
  .option("--jobs <n>", "processes", wholeNumber, availableParallelism())
  .option("--out <path>", "where to write, without .md and .json", "docs/accuracy")
  .option("--report", "check nothing; write the document from the results so far")
  .parse();
const options = command.opts<{ stride: number; jobs: number; out: string; report?: true }>();
const root = fileURLToPath(new URL("../..", import.meta.url));
const out = resolve(root, options.out);
const names = options.report ? [] : command.args.length > 0 ? command.args : all;
let results: Results = existsSync(`${out}.json`) ? JSON.parse(readFileSync(`${out}.json`, "utf8")) : {};

const node = nodeVersions().at(-1)!;
const script = fileURLToPath(new URL("./accuracy/side.js", import.meta.url));
const children = Array.from(
  { length: options.jobs },
  () => new Child(node.command, [script], "checking cannot go on"),
);
for (const name of names) await checkFunction(name);
for (const child of children) await child.end();
save();

async function checkFunction(name: string): Promise<void> {
  const stride = activationByName(name).kind === "unary" ? options.stride : 0;
  const code = await children[0]!.ask<string>({ name, stride } satisfies Request);
  const before = results[name];
  const known = before?.code === code && before.stride === stride ? before : fresh(stride, code);
  let progress = known;
  const left = [...known.left];
  const started = Date.now();
  const work = async (child: Child): Promise<void> => {
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      const outcomes = await child.ask<Outcomes>({
        name,
        part,
        stride: Math.max(1, stride),
      } satisfies Request);
      progress = {
        ...progress,
        left: progress.left.filter((other) => other !== part),
        seconds: known.seconds + Math.round((Date.now() - started) / 1000),
        outcomes: merge(progress.outcomes, outcomes),
      };
      results = { ...results, [name]: progress };
      if (progress.left.length % 16 === 0) save();
      if (process.stderr.isTTY)
        process.stderr.write(`\r${name}: ${Math.round(100 * (1 - progress.left.length / parts))} % `);
    }
  };
  await Promise.all(children.map(work));
  console.error(`${process.stderr.isTTY ? "\r" : ""}${name}: done in ${progress.seconds} s`);
  for (const [output, { violations, examples }] of Object.entries(progress.outcomes))
    if (violations > 0)
      console.error(`  ${output}: ${violations} over the bound, e.g. ${JSON.stringify(examples[0])}`);
  save();
}

function fresh(stride: number, code: string): Progress {
  const left = Array.from({ length: parts }, (_, part) => part);
  return { stride, left, parts, code, seconds: 0, outcomes: {} };
}

function save(): void {
  mkdirSync(dirname(out), { recursive: true });
  // In the order of the catalogue.
  results = Object.fromEntries(all.flatMap((name) => (results[name] ? [[name, results[name]]] : [])));
  writeFileSync(`${out}.json`, jsonLines(results));
  writeFileSync(`${out}.md`, document(results, node.version));
}
