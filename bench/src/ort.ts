// ort() beside the graph that one would write by hand for the same runtime: one interleaved run, ratios round by round.
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";
import { casesNamed, measurement, onlyOption, wholeNumber } from "./options.js";
import { type Case, caseName, cases, flops } from "./peers/cases.js";
import { Contender } from "./peers/contenders.js";
import { measure } from "./peers/measure.js";
import { markdownTable, ratios, summarise } from "./statistics.js";

const command = measurement(
  "bench:ort",
  "ort() beside the graph that one would write by hand for ONNX Runtime",
)
  .option("--rounds <n>", "rounds, in each of which every side has a turn", wholeNumber, 31)
  .option("--turn <ms>", "how long a turn is", wholeNumber, 40)
  .addOption(onlyOption("ffnStep"))
  .parse();
const { only, ...schedule } = command.opts<{ rounds: number; turn: number; only: string }>();
const fewRows = [
  { kind: "ffnForward", rows: 4, dModel: 1024, dFf: 2816 },
  { kind: "ffnStep", rows: 4, dModel: 1024, dFf: 2816 },
] as const;
const wanted = casesNamed([...cases, ...fewRows], only, command);

/** Whose time the others' are divided by. */
const byHand = "by hand";
const sides = [
  { name: byHand, script: "./peers/sides/onnxruntime-node.js" },
  { name: "ort()", script: "./ort/side.js", variant: "exact silu" },
  { name: "ort(), math fast", script: "./ort/side.js", variant: "fast silu" },
  { name: "ort(), and the gradient of beta", script: "./ort/side.js", variant: "exact swiglu" },
];

const start = (side: (typeof sides)[number], threads: number): Promise<Contender> => {
  const script = fileURLToPath(new URL(side.script, import.meta.url));
  const options = JSON.stringify({ threads, variant: side.variant });
  const child = new Child(process.execPath, [script, options], `${side.name} cannot be measured`);
  return Contender.start({ name: side.name, column: "native", threads, role: "ours" }, child);
};
const contenders = await Promise.all([1, 2].flatMap((threads) => sides.map((side) => start(side, threads))));

const milliseconds = (time: number): string => time.toPrecision(3);
const speed = (task: Case, time: number): string =>
  "count" in task
    ? `${((time * 1e6) / task.count).toFixed(2)} ns/el`
    : `${(flops(task) / time / 1e6).toFixed(0)} GFLOP/s`;
const rows: string[][] = [];
for (const task of wanted) {
  const measured = await measure(task, contenders, schedule);
  for (const { identity, rounds } of measured) {
    const reference = measured.find(
      ({ identity: other }) => other.name === byHand && other.threads === identity.threads,
    );
    const { median, min, max } = summarise(rounds);
    const ratio = ratios(reference!.rounds, rounds);
    rows.push([
      caseName(task),
      `${identity.threads}`,
      identity.name,
      `${milliseconds(median)} (${milliseconds(min)}..${milliseconds(max)})`,
      speed(task, median),
      `${ratio.median.toFixed(3)} (${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)})`,
      // Others only add time: the fastest rounds are those they disturbed least.
      (summarise(reference!.rounds).min / min).toFixed(3),
    ]);
  }
  console.error(`${caseName(task)} is done`);
}
for (const contender of contenders) await contender.end();

console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`);
console.log(`onnxruntime-node ${contenders[0]?.hello.version}, Node ${process.versions.node}`);
console.log(`${schedule.rounds} rounds, taking turns of ${schedule.turn} ms; medians (min..max)\n`);
const head = ["case", "threads", "", "ms", "speed", "times as fast as by hand", "fastest rounds"];
console.log(markdownTable(head, rows));
