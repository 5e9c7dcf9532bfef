// Runs a minute of a sweep on MNIST: at home in one and two processes, and through a queue with one and two workers, taking
// turns round by round.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { measurement, wholeNumber } from "./options.js";
import { markdownTable, ratios, summarise } from "./statistics.js";

const { runs, steps, rounds } = measurement(
  "bench:sweep",
  "A minute of a sweep at home, and through a queue with one and two workers; needs redis-server, which REDIS_SERVER names",
)
  .option("--runs <n>", "runs of the sweep", wholeNumber, 12)
  .option("--steps <n>", "training steps of a run", wholeNumber, 200)
  .option("--rounds <n>", "rounds, in each of which every way has a turn", wholeNumber, 3)
  .parse()
  .opts<{ runs: number; steps: number; rounds: number }>();
const cli = join(dirname(fileURLToPath(import.meta.resolve("swiglu-lab"))), "cli.js");
const scratch = mkdtempSync(join(tmpdir(), "swiglu-bench-sweep-"));
const sweep = ["compare", "--variants", "swiglu", "--seeds", `${runs}`, "--steps", `${steps}`];
const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [cli, ...args], { cwd: scratch, stdio: ["ignore", "pipe", "inherit"] });

/** Resolves with the time at which the output of a process has a text. */
function until(child: ChildProcess, text: string): Promise<number> {
  let output = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (chunk) => {
      output += chunk;
      if (output.includes(text)) resolve(performance.now());
    });
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`ended with ${code} before "${text}": ${output}`)));
  });
}

/** Milliseconds from the first record of a sweep to its last. */
async function timeSweep(name: string, ...options: string[]): Promise<number> {
  const child = start(...sweep, "--out", name, ...options);
  const width = `${runs}`.length;
  const [first, last] = await Promise.all([
    until(child, `[${"1".padStart(width)}/${runs}]`),
    until(child, `[${runs}/${runs}]`),
  ]);
  await once(child, "close");
  rmSync(join(scratch, name), { recursive: true });
  return last - first;
}

const listener = createServer().listen(0, "127.0.0.1");
await once(listener, "listening");
const address = listener.address();
const port = typeof address === "object" ? address?.port : undefined;
listener.close();
const redis = spawn(
  process.env.REDIS_SERVER ?? "redis-server",
  ["--bind", "127.0.0.1", "--port", `${port}`, "--save", ""],
  { cwd: scratch, stdio: ["ignore", "pipe", "inherit"] },
);
await until(redis, "Ready to accept connections");
const queue = `redis://127.0.0.1:${port}`;

async function timeQueue(workers: number): Promise<number> {
  const all = Array.from({ length: workers }, (_, i) =>
    start("worker", queue, "--jobs", "1", "--work", `worker${i}`),
  );
  await Promise.all(all.map((worker) => until(worker, "Taking runs")));
  const time = await timeSweep("queue", "--queue", queue);
  await Promise.all(all.map((worker) => worker.kill("SIGTERM") && once(worker, "close")));
  return time;
}

const sides = {
  "at home, 1 process": () => timeSweep("home", "--jobs", "1"),
  "at home, 2 processes": () => timeSweep("home", "--jobs", "2"),
  "queue, 1 worker": () => timeQueue(1),
  "queue, 2 workers": () => timeQueue(2),
};
const load = loadavg()[0]!.toFixed(1);
const times = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, time] of Object.entries(sides)) {
    const took = await time();
    times.set(name, [...(times.get(name) ?? []), took]);
    process.stderr.write(`round ${round + 1}, ${name}: ${(took / 1000).toFixed(1)} s\n`);
  }
}
redis.kill();
rmSync(scratch, { recursive: true });

const reference = times.get("at home, 1 process")!;
console.log(
  `${runs} runs of ${steps} steps on MNIST, from the first record to the last, median of ${rounds} rounds; ` +
    `${cpus().length} cores of ${cpus()[0]?.model.trim()}, load average ${load} when it began.\n`,
);
console.log(
  markdownTable(
    ["", "runs a minute", "times one process at home (least ... most)"],
    [...times].map(([name, all]) => {
      const ratio = ratios(reference, all);
      const speed = ((runs - 1) / summarise(all).median) * 60_000;
      return [
        name,
        speed.toFixed(1),
        `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} ... ${ratio.max.toFixed(2)})`,
      ];
    }),
  ),
);
