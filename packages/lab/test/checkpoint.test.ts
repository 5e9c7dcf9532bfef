// Checkpoints: a run that is killed at any moment and started again ends bit for bit as one that never was; those that
// do not fit are refused; a full disk says so and loses nothing.
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRunRecord } from "../src/records/record.js";
import { CheckpointFile, type RunProgress } from "../src/sweep/checkpoint.js";
import { CLI, eventually, run, runCli, startCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";
import { configOf } from "./records.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-checkpoint-"));
const data = join(scratch, "rows");
beforeAll(() => writeImageSet(data));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("the file", () => {
  const config = configOf(["relu"], [1]);
  const run = { variant: "relu", seed: 1 };
  const progress: RunProgress = {
    state: {
      parameters: Float32Array.of(1.5, -0, 1e-45),
      firstMoment: Float32Array.of(0.1, 0.2, 0.3),
      secondMoment: Float32Array.of(3e38, 1e-38, 0),
      steps: 42,
    },
    curve: [{ step: 40, loss: 0.1 + 0.2 }],
    validationCurve: [{ step: 42, loss: 0.3 }],
    sum: 1 / 3,
    since: 2,
    trainingTime: 1234.5,
    cpuTime: 1230.25,
    elapsed: 2345.6,
  };
  const write = async (name: string): Promise<string> => {
    const file = join(scratch, `file ${name}`);
    await new CheckpointFile(file, config, run, 0).offer(() => progress);
    return file;
  };

  test("gives back every bit", async () => {
    const { resumed, refusal } = new CheckpointFile(await write("whole"), config, run, 0);
    expect(refusal).toBeUndefined();
    expect(resumed).toEqual(progress); // toEqual tells -0 from 0
  });

  test("is written only when its interval is over", async () => {
    const file = join(scratch, "later");
    await new CheckpointFile(file, config, run, 60).offer(() => progress);
    expect(readdirSync(scratch)).not.toContain("later");
  });

  test("of another sweep with the same run serves, for the run is the same", async () => {
    const { resumed } = new CheckpointFile(await write("more"), configOf(["relu", "gelu"], [1, 2]), run, 0);
    expect(resumed?.state.steps).toBe(42);
  });

  test.each<[string, RegExp, (file: string) => unknown]>([
    [
      "cut short",
      /it is damaged; the run starts anew$/,
      (file) => writeFileSync(file, readFileSync(file).subarray(0, -1)),
    ],
    ["empty", /it is damaged/, (file) => writeFileSync(file, "")],
    ["longer", /it is damaged/, (file) => appendFileSync(file, "x")],
    [
      "changed in one bit",
      /it is damaged/,
      (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 40]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
  ])("%s is refused", async (name, sentence, spoil) => {
    const file = await write(name);
    spoil(file);
    const { resumed, refusal } = new CheckpointFile(file, config, run, 0);
    expect([resumed, refusal]).toEqual([undefined, expect.stringMatching(sentence)]);
  });

  /** Writes a checkpoint with another first line or body, and a digest that fits. */
  const forge = (
    file: string,
    change: (header: string) => string,
    body = (bytes: Buffer): Buffer => bytes,
  ): void => {
    const bytes = readFileSync(file).subarray(0, -32);
    const end = bytes.indexOf("\n");
    const content = Buffer.concat([
      Buffer.from(`${change(bytes.toString("utf8", 0, end))}\n`),
      body(bytes.subarray(end + 1)),
    ]);
    writeFileSync(file, Buffer.concat([content, createHash("sha256").update(content).digest()]));
  };

  test.each<[string, RegExp, (header: string) => string, ((bytes: Buffer) => Buffer)?]>([
    ["no JSON", /its first line is not that of a checkpoint; the run starts anew$/, () => "{"],
    ["null", /is not that of a checkpoint/, () => "null"],
    ["no curve", /is not as it should be \(curve: /, (header) => header.replace('"curve"', '"other"')],
    ["a size that is none", /\(size: /, (header) => header.replace('"size":3', '"size":-3')],
    [
      "another size",
      /it has 9 numbers, expected 3 times 4/,
      (header) => header.replace('"size":3', '"size":4'),
    ],
    [
      "fewer numbers",
      /it has 8 numbers, expected 3 times 3/,
      (header) => header,
      (bytes) => bytes.subarray(4),
    ],
    [
      "steps beyond the run",
      /it is of step 420 of 100/,
      (header) => header.replace('"steps":42', '"steps":420'),
    ],
    [
      "a curve that falls",
      /\(curve: its steps do not rise/,
      (header) => header.replace('"curve":[', '"curve":[{"step":90,"loss":1},'),
    ],
    ["times that are none", /\(elapsed: /, (header) => header.replace(/"elapsed":[\d.]+/, '"elapsed":null')],
  ])("with a digest that fits but %s is refused", async (name, sentence, header, body) => {
    const file = await write(name);
    forge(file, header, body);
    const { resumed, refusal } = new CheckpointFile(file, config, run, 0);
    expect([resumed, refusal]).toEqual([undefined, expect.stringMatching(sentence)]);
  });

  test("that is a folder is refused in words", () => {
    const file = join(scratch, "folder.checkpoint");
    mkdirSync(file);
    expect(new CheckpointFile(file, config, run, 0).refusal).toMatch(/cannot be read: it is a folder/);
  });

  test.each([
    ["version", { ...config, version: "9.9.9" }, run, /it is of swiglu-lab 0\.0\.0, this is 9\.9\.9/],
    ["configuration", { ...config, batch: 33 }, run, /it is of another configuration/],
    ["seed", configOf(["relu"], [1, 2]), { variant: "relu", seed: 2 }, /it is of another configuration/],
  ])("of another %s is refused", async (name, other, otherRun, sentence) => {
    const { resumed, refusal } = new CheckpointFile(await write(name), other, otherRun, 0);
    expect([resumed, refusal]).toEqual([undefined, expect.stringMatching(sentence)]);
  });
});

describe("a sweep", () => {
  const args = ["compare", "--data", data, ...tinyModel];
  args.push("--batch", "16", "--variants", "swiglu-trained", "--seeds", "7,", "--jobs", "1");
  const often = ["--steps", "2000", "--checkpoint-interval", "0.02"];
  const recordsIn = (out: string): string =>
    join(scratch, out, readdirSync(join(scratch, out))[0]!, "records");
  const names = (out: string): string[] => readdirSync(recordsIn(out)).sort();
  const timeless = (out: string) => {
    const record: unknown = JSON.parse(readFileSync(join(recordsIn(out), "swiglu-trained-7.json"), "utf8"));
    if (!isRunRecord(record)) throw new Error("no record");
    return { ...record, seconds: 0, stepsPerSecond: 0, cpuSeconds: 0 };
  };
  const killedAt = async (out: string, milliseconds: number): Promise<void> => {
    const hasCheckpoint = (): boolean => {
      try {
        return names(out).includes("swiglu-trained-7.checkpoint");
      } catch {
        return false; // not begun
      }
    };
    const goesOn = hasCheckpoint();
    const sweep = startCli([...args, ...often, "--out", out], scratch);
    if (goesOn) await sweep.until(/goes on after step/);
    else expect(await eventually(hasCheckpoint, 20)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    sweep.child.kill("SIGKILL");
    await sweep.ended;
  };

  beforeAll(async () => {
    expect(await runCli([...args, ...often, "--out", "whole"], scratch)).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  test("killed three times ends as one that was not, and leaves no checkpoint", async () => {
    for (const milliseconds of [0, 30, 60]) await killedAt("killed", milliseconds);
    expect(names("killed")).toContain("swiglu-trained-7.checkpoint");
    const checkpoint = readFileSync(join(recordsIn("killed"), "swiglu-trained-7.checkpoint"));
    const { steps, elapsed } = JSON.parse(checkpoint.toString("utf8", 0, checkpoint.indexOf("\n")));
    const { code, stdout } = await runCli([...args, ...often, "--out", "killed"], scratch);
    expect([code, stdout]).toEqual([0, expect.stringContaining("[1/1]")]);
    expect(stdout).toContain(`swiglu-trained, seed 7: goes on after step ${steps} of 2000\n`);
    const { seconds } = JSON.parse(readFileSync(join(recordsIn("killed"), "swiglu-trained-7.json"), "utf8"));
    expect(seconds).toBeGreaterThan(elapsed / 1000); // the time before counts
    expect(timeless("killed")).toEqual(timeless("whole"));
    expect(
      readFileSync(join(recordsIn("killed"), "swiglu-trained-7.onnx")).equals(
        readFileSync(join(recordsIn("whole"), "swiglu-trained-7.onnx")),
      ),
    ).toBe(true);
    expect(names("killed")).toEqual(["swiglu-trained-7.json", "swiglu-trained-7.onnx"]);
  });

  test("says that a checkpoint is damaged, and trains anew", async () => {
    await killedAt("damaged", 0);
    const checkpoint = join(recordsIn("damaged"), "swiglu-trained-7.checkpoint");
    copyFileSync(join(data, "train-images-idx3-ubyte"), checkpoint);
    const again = startCli([...args, ...often, "--out", "damaged"], scratch);
    await again.until(
      /^swiglu-trained, seed 7: its checkpoint cannot be used: it is damaged; the run starts anew$/m,
    );
    const { code } = await again.ended;
    expect(code).toBe(0);
    expect(timeless("damaged")).toEqual(timeless("whole"));
  });

  test("on a full disk says so in one sentence, keeps what is there, and goes on when there is room", async () => {
    await killedAt("full", 0);
    const kept = () => names("full").filter((name) => name.endsWith(".checkpoint"));
    expect(kept()).toHaveLength(1);
    const before = readFileSync(join(recordsIn("full"), kept()[0]!));
    // Files may have 1 KiB: a longer one is cut there, and then refused, as on a disk that fills up.
    const command = [process.execPath, CLI, ...args, ...often, "--out", "full"];
    const { code, stdout, stderr } = await run(
      "sh",
      ["-c", 'ulimit -f 2; exec "$@"', "sh", ...command],
      scratch,
    );
    expect(stderr).toMatch(
      /^error: .*\.checkpoint cannot be written, for the disk is full \(EFBIG.*\): free some space and start again/,
    );
    expect([code, stderr.trim().split("\n").length]).toEqual([1, 1]);
    expect(stdout).not.toContain("failed");
    expect(readFileSync(join(recordsIn("full"), kept()[0]!)).equals(before)).toBe(true);
    expect((await runCli([...args, ...often, "--out", "full"], scratch)).code).toBe(0);
    expect(timeless("full")).toEqual(timeless("whole"));
  });
});
