// Sweeps by way of a real Redis: workers that come, go and are killed, every run recorded once; passwords and TLS; what
// cannot be done is one sentence, and nothing is lost. SWIGLU_QUEUE_RUNS=200 makes the ordeal a long one.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Job, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { slowExtent } from "../../swiglu/test/conformance/extent.js";
import { redisName } from "../src/queue/address.js";
import { jobId, QUEUE, readProgress, readQueuedRun } from "../src/queue/job.js";
import { isRunRecord } from "../src/records/record.js";
import { configOfRun } from "../src/records/run.js";
import { loadTask } from "../src/tasks/load.js";
import { eventually, type Running, run, runCli, startCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";
import { configOf } from "./records.js";
import { freePort, hasRedis, type RedisServer, startRedis, unlessRedis } from "./redis.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-queue-"));
const data = join(scratch, "rows");
const args = ["compare", "--data", data, ...tinyModel];
args.push("--batch", "16");
beforeAll(() => writeImageSet(data));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const recordsIn = (out: string): string => join(scratch, out, readdirSync(join(scratch, out))[0]!, "records");

/** Records without what a clock decides. */
function timeless(out: string) {
  const folder = recordsIn(out);
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const record: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
    if (!isRunRecord(record)) throw new Error(`${name} is no record`);
    return { ...record, seconds: 0, stepsPerSecond: 0, cpuSeconds: 0 };
  });
}

describe("addresses", () => {
  test.each(["localhost:6379", "http://localhost:6379", ""])("%j is refused in one sentence", (url) => {
    expect(() => redisName(url)).toThrow(/not one of Redis: expected redis:\/\//);
  });

  test.each([
    ["redis://me:50%ZZ@localhost", /a % in its user or password .* as %25\.$/],
    ["redis://localhost/zero", /no number of a database/],
    ["redis://localhost?db=zero", /has a \? or a #/],
    ["redis://:pa#ss@localhost", /Redis/],
  ])("%s is refused in a sentence without the password", (url, sentence) => {
    expect(() => redisName(url)).toThrow(sentence);
    expect(() => redisName(url)).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/ZZ|pa#ss/) }),
    );
  });

  test.each([
    ["worker", (url: string) => ["worker", url]],
    ["compare", (url: string) => [...args, "--out", "unreachable", "--queue", url]],
  ])("an unreachable Redis is one sentence to %s, without the password", async (_, command) => {
    const port = await freePort();
    const { code, stdout, stderr } = await runCli(command(`redis://me:secret@127.0.0.1:${port}`), scratch);
    expect(stderr).toMatch(
      /^error: Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED.*\): .*\n$/,
    );
    expect([code, stdout + stderr]).toEqual([1, expect.not.stringContaining("secret")]);
  });

  test("without a queue, its libraries are not even loaded", () => {
    const compare = new URL("../dist/commands/compare.js", import.meta.url).href;
    const script = `await import(${JSON.stringify(compare)});
      const { createRequire } = await import("node:module");
      const loaded = Object.keys(createRequire(process.cwd() + "/").cache);
      console.log(loaded.some((file) => /onnxruntime-common/.test(file)), loaded.some((file) => /ioredis|bullmq/.test(file)));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(output.trim()).toBe("true false");
  });
});

describe("what comes out of the queue is checked", () => {
  const config = configOfRun(configOf(["swiglu", "relu"], [1, 2]), { variant: "swiglu", seed: 2 });
  const spoil = (change: object): unknown => JSON.parse(JSON.stringify({ config: { ...config, ...change } }));

  test("a run is", () => {
    expect(readQueuedRun(spoil({}))).toEqual({ config, variant: "swiglu", seed: 2 });
  });

  test.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /not a run/],
    ["two seeds", spoil({ seeds: [1, 2] }), /config\.seeds/],
    ["half a step", spoil({ steps: 0.5 }), /config\.steps/],
    ["another task", spoil({ task: "chess" }), /config\.task/],
    [
      "no learning rate",
      spoil({ variants: [{ ...config.variants[0], learningRate: 0 }] }),
      /config\.variants\.0\.learningRate/,
    ],
    ["more than there should be", spoil({ command: "rm" }), /Unrecognized key.*command/],
    ["more threads than a machine has", spoil({ threads: 100_000 }), /config\.threads/],
    ["a batch beyond all memory", spoil({ batch: 2 ** 30 }), /config\.batch/],
    [
      "tensors beyond all memory",
      spoil({ batch: 2 ** 16, variants: [{ ...config.variants[0], hidden: 2 ** 13 }] }),
      /config\.batch: a tensor of/,
    ],
    ["a model beyond all memory", spoil({ width: 2 ** 14, depth: 1000 }), /config\.width, depth and hidden/],
    ["a patch that does not fit", spoil({ patch: 5 }), /config\.patch: 5 does not divide/],
    ["heads that do not fit", spoil({ heads: 3 }), /config\.heads: 3 does not divide/],
    [
      "code for an activation",
      spoil({
        variants: [
          { ...config.variants[0], activation: { name: "f", kind: "unary", expression: ["eval", "x"] } },
        ],
      }),
      /config\.variants\.0\.activation: .*eval/,
    ],
  ])("%s is not", (_, json, message) => expect(() => readQueuedRun(json)).toThrow(message));
});

test.each<[string, unknown, object | undefined]>([
  ["none", undefined, undefined],
  ["some", { step: 5, loss: 1, from: 2 }, { step: 5, loss: 1, from: 2 }],
  ["more steps than a run has", { step: 1e15, loss: 1, from: 0 }, undefined],
  ["less than nothing", { step: -5, loss: 1, from: -9 }, undefined],
])("progress that is %s", (_, json, expected) => expect(readProgress(json, 100)).toEqual(expected));

describe.skipIf(!hasRedis)(`with Redis${unlessRedis}`, () => {
  let redis: RedisServer;
  let url: string;
  const running = new Set<Running>();

  beforeAll(async () => {
    redis = await startRedis(scratch, "--requirepass", "secret");
    url = `redis://default:secret@127.0.0.1:${redis.port}`;
  });
  afterAll(() => redis?.stop());
  afterEach(async () => {
    for (const { child, ended } of running) {
      child.kill("SIGKILL");
      await ended;
    }
    running.clear();
    const client = new Redis(url);
    await client.flushall();
    client.disconnect();
  });

  function startWorker(name: string, ...options: string[]): Running {
    const command = [
      "worker",
      url,
      "--data",
      data,
      "--work",
      name,
      "--lock",
      "1",
      "--checkpoint-interval",
      "0.1",
    ];
    const worker = startCli([...command, ...options], scratch);
    running.add(worker);
    return worker;
  }

  async function withQueue<T>(use: (queue: Queue) => Promise<T>): Promise<T> {
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    try {
      return await use(new Queue(QUEUE, { connection }));
    } finally {
      connection.disconnect();
    }
  }

  const RUNS = Number(process.env.SWIGLU_QUEUE_RUNS ?? (slowExtent === "full" ? 12 : 6));

  test(`${RUNS} runs by three workers, of which one is killed whenever a run ends, end as at home, each recorded once`, async () => {
    const sweep = [...args, "--variants", "relu,swiglu", "--seeds", `${RUNS / 2}`, "--steps", "100"];
    const home = runCli([...sweep, "--out", "home"], scratch);
    const workers = ["one", "two", "three"].map((name) => startWorker(name, "--jobs", "1"));
    const asking = startCli([...sweep, "--out", "away", "--queue", url], scratch);
    running.add(asking);
    let killed = 0;
    const killing = (async () => {
      // After every run that ends, so that there is progress between kills however slowly workers start.
      for (let done = 1; done < RUNS; done++) {
        await asking.until(new RegExp(`^\\[ *${done}/`, "m"));
        const victim = killed++ % 3;
        workers[victim]!.child.kill("SIGKILL");
        workers[victim] = startWorker(["one", "two", "three"][victim]!, "--jobs", "1");
      }
    })();
    const { code, stdout, stderr } = await asking.ended;
    await killing;
    expect([code, stderr]).toEqual([0, ""]);
    const ends = stdout.match(/^\[ *\d+\/\d+\] [\w-]+, seed \d+/gm) ?? [];
    expect([ends.length, new Set(ends.map((line) => line.replace(/.*\] /, ""))).size]).toEqual([RUNS, RUNS]);
    expect(killed).toBe(RUNS - 1);
    expect(stdout).not.toContain("secret");
    expect((await home).code).toBe(0);
    expect(timeless("away")).toEqual(timeless("home"));
    expect(readdirSync(recordsIn("away")).filter((name) => !name.endsWith(".json"))).toHaveLength(1); // the best model
    await withQueue(async (queue) => {
      expect(await queue.getJobs(["active", "completed", "failed", "waiting"])).toEqual([]);
    });
    if (RUNS > 50) console.log(`${RUNS} runs, ${killed} workers killed, every record once and as at home`);
  }, 600_000);

  const few = [...args, "--variants", "relu", "--seeds", "3", "--steps", "60"];

  test("who asked may be killed: what workers did meanwhile is collected, and not done again", async () => {
    const first = startCli([...few, "--out", "asker", "--queue", url], scratch);
    await first.until(/In the queue/);
    await eventually(() => withQueueCount("waiting", 3), 10);
    first.child.kill("SIGKILL");
    await first.ended;
    const worker = startWorker("asker-worker");
    expect(await eventually(() => withQueueCount("completed", 3), 60)).toBe(true);
    worker.child.kill("SIGTERM");
    const { code } = await worker.ended;
    expect(code).toBe(143);
    const again = await runCli([...few, "--out", "asker", "--queue", url], scratch); // with no worker left
    expect([again.code, timeless("asker").length]).toEqual([0, 3]);
  });

  test("tuning takes the same way, sweep by sweep", async () => {
    const worker = startWorker("tuner");
    const tune = ["--seeds", "1", "--tune", "0.0001,0.02,4", "--tune-seeds", "7,", "--out", "tuned-away"];
    const { code, stdout } = await runCli([...few, ...tune, "--queue", url], scratch);
    worker.child.kill("SIGTERM");
    await worker.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^relu +\d\.\d+ +\d\.\d+ +(\d+\.\d+|diverged) +0\.02$/m);
    expect(stdout.match(/In the queue for/g)).toHaveLength(4);
  });

  async function withQueueCount(state: "waiting" | "completed" | "failed", count: number): Promise<boolean> {
    return (await withQueue((queue) => queue.getJobCounts(state)))[state] === count;
  }

  test("a worker that is stopped gives its runs back at once", async () => {
    const asking = startCli([...few, "--steps", "20000", "--out", "back", "--queue", url], scratch);
    running.add(asking);
    const worker = startWorker("back-worker", "--jobs", "1", "--lock", "100");
    await worker.until(/seed \d: started/);
    worker.child.kill("SIGINT");
    expect(await worker.ended).toMatchObject({ code: 130, stderr: "" });
    expect(await withQueueCount("waiting", 3)).toBe(true);
    asking.child.kill("SIGINT");
    const { code, stdout } = await asking.ended;
    expect([code, stdout]).toEqual([
      130,
      expect.stringMatching(/0 of 3 runs are kept.*; workers go on with those in the queue/),
    ]);
  });

  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const run1 = { variant: "relu", seed: 1 };
  /** Puts a run into the queue by hand. */
  function put(change: object, id?: string): Promise<Job> {
    const config = { ...configOfRun(configOf(["relu"], [1]), run1), version, ...change };
    return withQueue((queue) => queue.add("by hand", { config }, { jobId: id ?? jobId(config, run1) }));
  }

  test("a run of another version stays in the queue, and the worker ends with a sentence", async () => {
    await put({ version: "9.9.9" });
    const { code, stderr } = await startWorker("other").ended;
    expect(stderr).toMatch(
      /^error: the queue holds runs of swiglu-lab 9\.9\.9, and this is \d.*stay in the queue\.\n$/,
    );
    expect([code, await withQueueCount("waiting", 1)]).toEqual([1, true]);
  });

  test("a run whose data are not here stays in the queue, and the worker ends with a sentence", async () => {
    await put({});
    const { code, stderr } = await startWorker("without").ended;
    expect(stderr).toMatch(/^error: made-up \(SHA-256 0+\) is not here: .*Name its place with --data\.\n$/);
    expect([code, await withQueueCount("waiting", 1)]).toEqual([1, true]);
  });

  test("what is no run fails alone, touches nothing, and the worker goes on", async () => {
    mkdirSync(join(scratch, "kept"));
    const worker = startWorker(join("kept", "work"));
    await put({ steps: -1 }, "negative");
    await put({}, "..");
    await worker.until(
      /job negative: the job is not a run: config\.steps: .*\n(.*\n)*job \.\.: .*its id is that of another/,
    );
    expect(await eventually(() => withQueueCount("failed", 2), 20)).toBe(true);
    expect([worker.child.exitCode, readdirSync(join(scratch, "kept", "work"))]).toEqual([null, []]);
  });

  test("a job that is no good anywhere fails alone, with its reason, and the worker goes on to the next", async () => {
    const worker = startWorker("poisoned", "--jobs", "1");
    const own = (await loadTask({ task: "images", patch: 4 }, data)).config.data;
    const size = { imageSize: 8, classes: 4 };
    const poison = [
      { data: { ...own, ...size }, patch: 5 },
      { data: { ...own, ...size, imageSize: 10 }, patch: 5 },
      { data: { ...own, ...size, classes: 3 } },
      { data: { ...own, ...size }, threads: 100_000 },
    ];
    for (const change of poison) await put(change);
    expect(await eventually(() => withQueueCount("failed", poison.length), 30)).toBe(true);
    const reasons = await withQueue(async (queue) =>
      (await queue.getFailed()).map((job) => job.failedReason),
    );
    for (const sentence of [
      /config\.patch: 5/,
      /config\.threads/,
      /"classes":3/,
      /--patch 5 does not divide/,
    ])
      expect(reasons.join("\n")).toMatch(sentence);
    const asking = await runCli([...few, "--out", "after-poison", "--queue", url], scratch);
    expect([asking.code, timeless("after-poison").length, worker.child.exitCode]).toEqual([0, 3, null]);
  });

  test("a result that speaks of a model which is not there: three tries, then the run fails", async () => {
    const [record] = timeless("after-poison"); // of relu, seed 1
    let tries = 0;
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    const liar = new Worker(
      QUEUE,
      async () => {
        tries++;
        return { record, hasModel: true };
      },
      { connection },
    );
    try {
      const args = [...few, "--seeds", "1,", "--out", "lied", "--queue", url];
      const { code, stdout } = await runCli(args, scratch);
      expect(stdout).toMatch(/relu, seed 1: failed: its model was not in Redis, 3 times in a row/);
      expect([code, tries]).toEqual([1, 3]);
    } finally {
      await liar.close();
      connection.disconnect();
    }
  });

  test("a Redis that is full is one sentence to both sides, and what was done is kept", async () => {
    const full = await startRedis(scratch, "--maxmemory", "1kb");
    const fullUrl = `redis://127.0.0.1:${full.port}`;
    const sentence = /^error: Redis at 127\.0\.0\.1:\d+ is full \(maxmemory\): give it more memory.*\n$/;
    const client = new Redis(fullUrl);
    try {
      const asked = await runCli([...few, "--out", "full", "--queue", fullUrl], scratch);
      expect([asked.code, asked.stderr]).toEqual([1, expect.stringMatching(sentence)]);
      await client.config("SET", "maxmemory", "0");
      const asking = startCli([...few, "--out", "full", "--queue", fullUrl], scratch);
      running.add(asking);
      await asking.until(/In the queue/);
      const command = [
        "worker",
        fullUrl,
        "--data",
        data,
        "--work",
        "full-worker",
        "--jobs",
        "1",
        "--lock",
        "1",
      ];
      const worker = startCli(command, scratch);
      running.add(worker);
      await worker.until(/seed \d: started/);
      await client.config("SET", "maxmemory", "1kb");
      const { code, stderr } = await worker.ended;
      expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
      await client.config("SET", "maxmemory", "0");
      running.add(startCli(command, scratch));
      expect((await asking.ended).code).toBe(0);
    } finally {
      client.disconnect();
      await full.stop();
    }
  });

  test("a database that is not there, and TLS where there is none, are one sentence each", async () => {
    for (const [address, sentence] of [
      [`${url}/99`, /^error: Redis at .* has no database of that number/],
      [url.replace("redis:", "rediss:"), /^error: Redis at .* gives no answer by TLS: .*write redis:\/\//],
    ] as const) {
      const { code, stderr } = await runCli(["worker", address], scratch);
      expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    }
  });

  test("a password that is missing or wrong is one sentence", async () => {
    for (const [user, sentence] of [
      ["", /asks for a password/],
      ["default:guess@", /refuses the user or password/],
    ] as const) {
      const { code, stderr } = await runCli(["worker", `redis://${user}127.0.0.1:${redis.port}`], scratch);
      expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
      expect(stderr).not.toContain("guess");
    }
  });

  test("TLS", async () => {
    const folder = join(scratch, "tls");
    mkdirSync(folder);
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    request.push("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    await run("openssl", [...request, "-keyout", "key.pem", "-out", "cert.pem"], folder);
    const options = ["--tls-port", "PORT", "--tls-auth-clients", "no", "--requirepass", "secret"];
    options.push("--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem");
    const server = await startRedis(folder, ...options);
    try {
      const secure = `rediss://:secret@localhost:${server.port}`;
      const stranger = await runCli(["worker", secure], scratch);
      expect([stranger.code, stranger.stderr]).toEqual([
        1,
        expect.stringMatching(/certificate.*NODE_EXTRA_CA_CERTS/),
      ]);
      const env = { NODE_EXTRA_CA_CERTS: join(folder, "cert.pem") };
      running.add(startCli(["worker", secure, "--data", data, "--work", "tls-worker"], scratch, env));
      const asking = startCli([...few, "--out", "secure", "--queue", secure], scratch, env);
      expect([(await asking.ended).code, timeless("secure").length]).toEqual([0, 3]);
    } finally {
      await server.stop();
    }
  });
});
