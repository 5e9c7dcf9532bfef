// One training step of the lab's model (forward, backward, AdamW) on images, text or pairs of sentences (--task): onnx-grad on ONNX Runtime against PyTorch.
// All sides are alive at once and take turns, round after round, so that a noisy machine disturbs them alike.
import { cpus } from "node:os";
import { Option } from "commander";
import { env } from "onnxruntime-node";
import { measurement, wholeNumber } from "./options.js";
import { summarise, table } from "./statistics.js";
import type { Contender, StepConfig } from "./step/contender.js";
import { onnxGrad } from "./step/onnx-grad.js";
import { pyTorch } from "./step/pytorch.js";

const sizes = {
  images: { width: 64, depth: 2, heads: 4, hidden: 171, batch: 128, rounds: 25, steps: 4 },
  language: { width: 128, depth: 4, heads: 4, hidden: 341, batch: 16, rounds: 15, steps: 2 },
  translation: { width: 64, depth: 3, heads: 4, hidden: 170, batch: 16, rounds: 15, steps: 2 },
};
const ends = {
  images: { imageSize: 28, patch: 7, classes: 10 },
  language: { vocabulary: 2048, context: 128 },
  translation: { vocabulary: 4096, context: 128 },
};
/** Lengths of the sources and targets of a batch: on average 30 and 34 tokens, about those of the verses. */
const pairsOf = (batch: number): [number, number][] =>
  Array.from({ length: batch }, (_, i) => [12 + ((11 * i) % 41), 14 + ((13 * i) % 43)]);
type Size = keyof (typeof sizes)["images"];
const descriptions: Record<Size, string> = {
  width: "width of the network, dModel",
  depth: "blocks",
  heads: "attention heads",
  hidden: "hidden width of SwiGLU, dFf",
  batch: "images or sequences in a step",
  rounds: "rounds, in each of which every side has a turn",
  steps: "steps in a turn",
};
const command = measurement(
  "bench:step",
  "A training step of the lab's model in onnx-grad and in PyTorch, of a Python that PYTHON names",
).addOption(new Option("--task <name>", "what is learned").choices(Object.keys(sizes)).default("images"));
for (const [name, description] of Object.entries(descriptions)) {
  const all = Object.entries(sizes).map(([task, size]) => [task, size[name as Size]] as const);
  const standard = all.every(([, size]) => size === all[0]![1])
    ? `${all[0]![1]}`
    : all.map(([task, size]) => `${task}: ${size}`).join("; ");
  command.option(`--${name} <n>`, `${description} (default: ${standard})`, wholeNumber);
}
const { task, ...given } = command
  .parse()
  .opts<Partial<Record<Size, number>> & { task: keyof typeof sizes }>();
const { rounds, steps, ...shape } = { ...sizes[task], ...given };
const training = { learningRate: 1e-3, weightDecay: 0.05, clipNorm: 1 };
const isTranslation = task === "translation";
const config: StepConfig = {
  ...ends[task],
  ...shape,
  ...training,
  ...(isTranslation && { pairs: pairsOf(shape.batch) }),
};

const pyTorches = [
  await pyTorch(config, { threads: 1, blasThreads: 1, wait: "passive" }),
  await pyTorch(config, { threads: 2, blasThreads: 1, wait: "passive" }),
  await pyTorch(config, { threads: 2, blasThreads: 2, wait: "passive" }),
  await pyTorch(config, { threads: 2, blasThreads: 2, wait: "default" }),
];
const ours = [await onnxGrad(config, 1), await onnxGrad(config, 2)];
const padded = isTranslation ? [await onnxGrad(config, 1, true)] : [];
const contenders: Contender[] = [...ours, ...padded, ...pyTorches.flatMap((side) => side.contenders)];

for (const { name, first } of contenders) {
  const expected = ours[0]!.first;
  const off = Math.max(
    Math.abs(first.loss / expected.loss - 1),
    Math.abs(first.gradientNorm / expected.gradientNorm - 1),
  );
  if (!(off < 1e-4))
    throw new Error(
      `${name} trains another model: its first step gives ${JSON.stringify(first)}, not ${JSON.stringify(expected)}`,
    );
}

const times = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
for (const contender of contenders) await contender.run(steps); // warm up
for (let round = 0; round < rounds; round++) {
  for (const contender of contenders) times.get(contender)!.push(...(await contender.run(steps)));
}
for (const contender of contenders) await contender.close();

const rows = contenders.map((contender) => ({ ...contender, ...summarise(times.get(contender)!) }));
const best = (some: typeof rows): (typeof rows)[number] =>
  some.reduce((a, b) => (b.median < a.median ? b : a));
const [mine, theirs] = [rows.slice(0, ours.length), rows.slice(ours.length + padded.length)];
const onOneCore = { ours: mine[0]!, theirs: best(theirs.filter((row) => row.cores === 1)) };
const onTwoCores = { ours: best(mine), theirs: best(theirs) };
const verdict = (pair: typeof onOneCore): string =>
  `${(pair.theirs.median / pair.ours.median).toFixed(2)}x as fast as ${pair.theirs.name}`;

const versions = `Node ${process.versions.node}; onnxruntime-node ${env.versions.node}; PyTorch ${pyTorches[0]!.version}`;
console.log(`One training step: ${JSON.stringify(config)}`);
console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores; ${versions}`);
console.log(
  `${rounds} rounds of ${steps} steps each, taking turns; all agree on the first step's loss and gradient\n`,
);
console.log(table(rows));
const bars = task === "images" ? ["1.3x", "1.5x"] : ["1.2x", "1.2x"];
console.log(`\n1 thread: ${verdict(onOneCore)} (bar: ${bars[0]})`);
console.log(`2 cores:  ${verdict(onTwoCores)} (bar: ${bars[1]}), PyTorch's best of all settings`);
if (isTranslation) console.log(`Padding:  ${verdict({ ours: mine[0]!, theirs: rows[ours.length]! })}`);
