// A run as a document: a table for each case and place, what was aimed at, and what the figures mean on this adapter.
import { type Case, caseName, flops } from "../peers/cases.js";
import type { Measurement } from "../peers/measure.js";
import type { Adapter } from "../peers/serve.js";
import { markdownTable, ratios, type Summary, summarise } from "../statistics.js";
import { copies, unfused } from "./contenders.js";
import { bytesMoved } from "./traffic.js";

/** A contender that is left out of a case, or of all. */
export interface Refusal {
  readonly case?: string;
  readonly name: string;
  readonly column: string;
  readonly reason: string;
}

/** Everything that a run found out: what the JSON beside the document holds. */
export interface Run {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
  /** By column: the GPU, and what this library found it able to do. */
  readonly adapters: Readonly<Record<string, Adapter & { readonly features: string }>>;
  readonly rounds: number;
  readonly measurements: readonly Measurement[];
  readonly refusals: readonly Refusal[];
}

/** A goal: at least this share of the copy's traffic. */
const goal = 0.9;

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const range = ({ median, min, max }: Summary): string => `${digits(median)} (${digits(min)}..${digits(max)})`;
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** Bytes that a contender moves in a case; unknown for those whose kernels are their own. */
export function trafficOf({ case: task, identity: { name, role } }: Measurement): number | undefined {
  if (name === unfused) return bytesMoved(task, "unfused");
  if (role === "peer") return undefined;
  return bytesMoved(task, "fused", name.endsWith("f16") ? 2 : 4);
}

/** The traffic of a contender as a share of the copy's, round by round. */
export function shareOfCopy(row: Measurement, copy: Measurement | undefined): Summary | undefined {
  const [moved, copied] = [trafficOf(row), copy && trafficOf(copy)];
  if (moved === undefined || copy === undefined || copied === undefined) return undefined;
  return summarise(row.rounds.map((time, i) => ((copy.rounds[i]! / time) * moved) / copied));
}

/** How many times as long the first took as the second in the best round of each: what neighbours on the machine disturb least. */
const atBest = (row: Measurement, reference: Measurement): number =>
  summarise(row.rounds).min / summarise(reference.rounds).min;

interface Rows {
  readonly task: Case;
  readonly column: string;
  readonly rows: readonly Measurement[];
}

const named = ({ rows }: Rows, name: string): Measurement | undefined =>
  rows.find(({ identity }) => identity.name === name);
/** The measurement that others are compared with. */
const oursOf = ({ rows }: Rows): Measurement | undefined =>
  rows.find(({ identity }) => identity.role === "ours");

const titles: { readonly [K in Case["kind"]]: (size: string) => string } = {
  forward: (size) => `\`silu(gate) * up\`, ${size} elements`,
  backward: (size) => `Gradients of \`silu(gate) * up\` in gate and up, ${size} elements`,
  ffnForward: (size) => `SwiGLU block, forward, ${size} (rows x dModel x dFf)`,
  ffnStep: (size) => `SwiGLU block, forward and gradients of x and all weights, ${size}`,
};

function caseTable(group: Rows, refusals: readonly Refusal[]): string {
  const { task, column, rows } = group;
  const ours = oursOf(group);
  const copy = named(group, copies.buffer);
  const block = "rows" in task;
  const body = rows.map((row) => {
    const { identity, rounds, device } = row;
    const { median } = summarise(rounds);
    const moved = trafficOf(row);
    const share = shareOfCopy(row, copy);
    const sameDevice = device && ours?.device ? digits(ratios(device, ours.device).median) : "";
    return [
      identity.name,
      range(summarise(rounds)),
      ours === row ? "**1**" : ours ? digits(ratios(rounds, ours.rounds).median) : "",
      ours === row ? "**1**" : ours ? digits(atBest(row, ours)) : "",
      device ? digits(summarise(device).median) : "",
      ours === row ? "**1**" : sameDevice,
      moved === undefined ? "" : digits(moved / 1e6),
      moved === undefined ? "" : digits(moved / median / 1e6),
      share === undefined ? "" : percent(share.median),
      ...(block ? [identity.role === "yardstick" ? "" : digits(flops(task) / median / 1e9)] : []),
    ];
  });
  const head = [
    "",
    "ms",
    "time / ours",
    "best / best",
    "ms in the device",
    "that / ours",
    "MB moved",
    "GB/s",
    "of the copy",
  ];
  const left = refusals
    .filter((refusal) => (refusal.case ?? caseName(task)) === caseName(task) && refusal.column === column)
    .map(({ name, reason }) => `${name}: ${reason.split("\n")[0]}`);
  const size = caseName(task).split(" ")[1]!;
  return [
    `### ${column}: ${titles[task.kind](size)}`,
    markdownTable([...head, ...(block ? ["TFLOP/s"] : [])], body),
    ...(left.length > 0 ? [`Left out: ${left.join("; ")}.`] : []),
  ].join("\n\n");
}

/** What the fused kernels gain over the unfused sequence, and how near they come to a copy. */
function goals(groups: readonly Rows[], run: Run): string {
  const rows = groups.flatMap((group): string[][] => {
    const { task, column } = group;
    if ("rows" in task) return [];
    const [ours, pieces] = [oursOf(group), named(group, unfused)];
    const share = ours && shareOfCopy(ours, named(group, copies.buffer));
    if (ours === undefined) return [];
    const bytes = bytesMoved(task, "unfused")! / bytesMoved(task)!;
    const reached = run.adapters[column]?.software
      ? "software"
      : share && share.median >= goal
        ? "yes"
        : "**no**";
    return [
      [
        `${column}, ${caseName(task)}`,
        digits(bytes),
        pieces ? range(ratios(pieces.rounds, ours.rounds)) : "",
        pieces ? digits(atBest(pieces, ours)) : "",
        pieces?.device && ours.device ? range(ratios(pieces.device, ours.device)) : "",
        share ? percent(share.median) : "",
        reached,
      ],
    ];
  });
  const head = [
    "",
    "bytes, unfused / fused",
    "time, unfused / fused",
    "best / best",
    "in the device",
    "of the copy",
    `at least ${percent(goal)}`,
  ];
  return rows.length === 0 ? "No elementwise case was measured." : markdownTable(head, rows);
}

const softwareWords =
  "**No GPU was there.** The adapter is software that runs the shaders on the CPU's cores, which it shares with everything else on the machine. Only ratios within one table say something, and they are about shaders on a CPU, not about a GPU: here arithmetic sets the time, not memory. A kernel that does more of it for an element (this library's look at every number, so that NaN, denormals and overflow come out right) takes longer than a bare one that moves the same bytes; tiles made for a GPU's workgroup memory are but loops; and no kernel comes near a copy, which is a plain `memcpy`. GB/s, TFLOP/s and the share of the copy are printed because the same program prints them on a GPU, where they are what counts. Whether this library reaches its goal there, nobody has measured yet: see the end.";

export function document(run: Run): string {
  const { measurements, adapters } = run;
  const groups = Object.keys(adapters).flatMap((column) => {
    const rows = measurements.filter(({ identity }) => identity.column === column);
    const tasks = [...new Map(rows.map((row) => [caseName(row.case), row.case])).values()];
    return tasks.map((task) => ({
      task,
      column,
      rows: rows.filter((row) => caseName(row.case) === caseName(task)),
    }));
  });
  const found = Object.entries(adapters).map(
    ([column, { name, software, features }]) =>
      `- ${column}: ${name}${software ? " (software)" : ""}; features in use: ${features || "none"}`,
  );
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`);
  return `${[
    "# WebGPU benchmark",
    `Generated by \`npm run bench:webgpu -w bench -- --out docs/benchmarks-webgpu\` on ${run.date}; the numbers of every round are in the JSON file of the same name. ${versions.join(", ")}; ${run.cores} cores of ${run.cpu} (load average ${run.loadBefore.toFixed(1)} when it began). Adapters:`,
    found.join("\n"),
    ...(Object.values(adapters).some(({ software }) => software) ? [softwareWords] : []),
    "## Fused against unfused",
    `One kernel of this library against the kernels of a framework that fuses nothing (forward: sigmoid, two products; backward: four products, the sigmoid's slope, a sum), written by the same emitter from the pieces' own definitions. Bytes count every operand that a kernel reads, and every result that it writes, once.`,
    goals(groups, run),
    "## How it is measured",
    `Every contender is a process of its own (in Chromium, a worker in a page of its own) that stays alive; all take turns, ${run.rounds} rounds, each after warming up. A turn begins calls one after another, up to 64, and waits once, on \`queue.onSubmittedWorkDone\` (onnxruntime-node has no such thing and reads back one number); its time divided by the calls is "ms", with (min..max) over the rounds. "ms in the device" is the sum of the timestamps (\`timestamp-query\`) around every compute pass of a call, taken in calls apart: what remains when the host's share is left out. Where it is empty, there is no such clock: a copy is no pass, and onnxruntime-node keeps its device to itself. Ratios are medians of the ratios in the same round; "best / best" compares the best round of each, which other work on the machine disturbs least. Before anything is timed, the results of all are compared.`,
    `Operands and results stay on the GPU everywhere. "MB moved" is what the case needs at least (a block's hidden layer once out and in), not what a kernel may fetch again; peers' kernels are their own, so theirs is left empty. The yardstick "of the copy" is \`copyBufferToBuffer\` of as many bytes. Gradients of TensorFlow.js are written by hand, and elementwise ones also taken with tf.grads, as its users do. Nobody else computes the gradient in beta, so ours leave it out too.`,
    "## Tables",
    ...groups.map((group) => caseTable(group, run.refusals)),
    runItYourself,
  ].join("\n\n")}\n`;
}

const runItYourself = `## Run it on your GPU

    npm ci && npm run build && npm run get:webgpu
    npm run bench:webgpu -w bench

measures 2^20 and 2^24 elements and blocks of 1x1024x2816, 128x512x1376 and 512x1024x2816 on a GPU, in Node and, where Chromium is found (or \`CHROMIUM\` names it), there; a few minutes. It writes \`runs/webgpu.md\` and \`.json\` after every case; \`--out\` takes another name. \`--where node\` or \`--where chromium\` keeps to one of them, \`--size "2^24, 128x512x1376"\` takes other sizes, \`--only forward\` the cases whose name contains that, \`--rounds\` and \`--turn\` (milliseconds) say how long. In Node, Dawn takes the best adapter of the system's Vulkan drivers; software is the last resort, and the document says which one it was. \`CHROMIUM_FLAGS\` adds to Chromium's command line where it does not find the GPU by itself.

For a machine without a network, pack everything that it takes in Node, Node itself included, on one of the same kind (such as Linux, x64):

    npm run bench:webgpu -w bench -- --pack runs/webgpu-bench.tar.xz

and there, with the GPU's Vulkan driver and the loader (\`libvulkan.so.1\`) installed:

    tar -xJf webgpu-bench.tar.xz && ./node bench/dist/webgpu.js --where node --out webgpu`;
