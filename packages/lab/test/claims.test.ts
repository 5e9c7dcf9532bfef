// Several sweeps in one folder: every run is in the hands of one of them, until its owner is gone.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  watch,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Claims } from "../src/sweep/claims.js";
import { claimPath } from "../src/sweep/folder.js";
import { eventually, start, startCli } from "./cli.js";
import { tinyModel, writeImageSet } from "./idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-claims-"));
const data = join(scratch, "rows");
beforeAll(() => writeImageSet(data));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("a claim", () => {
  const folder = join(scratch, "unit");
  const run = { variant: "relu", seed: 1 };
  const file = claimPath(folder, run);
  const claims = new Claims(folder);
  beforeAll(() => mkdirSync(join(folder, "records"), { recursive: true }));
  afterAll(() => claims.close());

  /** Writes the claim of another process and says whether it can be taken over. */
  function canTake(claim: string, ageInSeconds = 0): boolean {
    rmSync(file, { force: true });
    writeFileSync(file, claim);
    const time = Date.now() / 1000 - ageInSeconds;
    utimesSync(file, time, time);
    const isTaken = claims.take(run);
    claims.release(run);
    expect(existsSync(file)).toBe(!isTaken);
    return isTaken;
  }
  const claimOf = (owner: object): string => JSON.stringify({ host: hostname(), token: "x", ...owner });

  test.each<[string, boolean, () => boolean]>([
    ["a living process of this machine", false, () => canTake(claimOf({ pid: 1 }))],
    ["a process that has ended", true, () => canTake(claimOf({ pid: 2 ** 22 + 1 }))],
    ["one that had this process's number", true, () => canTake(claimOf({ pid: process.pid }))],
    ["another machine", false, () => canTake(claimOf({ host: "elsewhere", pid: 2 ** 22 + 1 }), 20)],
    [
      "another machine that gives no sign of life",
      true,
      () => canTake(claimOf({ host: "elsewhere", pid: 1 }), 60),
    ],
    ["somebody who is about to write it", false, () => canTake("")],
    ["nobody known, long ago", true, () => canTake("?", 60)],
    ["null", false, () => canTake("null")],
    ["null, long ago", true, () => canTake("null", 60)],
    ["no process that there can be", false, () => canTake(claimOf({ pid: -1 }))],
    ["an ended process, in time to come", true, () => canTake(claimOf({ pid: 2 ** 22 + 1 }), -86_400)],
    ["nobody known, in time to come", false, () => canTake("null", -86_400)],
  ])("of %s: free for others %j", (_, isFree, take) => expect(take()).toBe(isFree));

  test("of a time to come is watched, and given up when it is not touched", async () => {
    const watching = new Claims(folder, 100);
    const later = { variant: "relu", seed: 2 };
    writeFileSync(claimPath(folder, later), claimOf({ host: "elsewhere" }));
    const touch = (): void => {
      const time = Date.now() / 1000 + 3600;
      utimesSync(claimPath(folder, later), time, time);
    };
    touch();
    for (let i = 0; i < 4; i++) {
      expect(watching.take(later)).toBe(false); // somebody whose clock is ahead
      await new Promise((resolve) => setTimeout(resolve, 60));
      touch();
    }
    let isTaken = false;
    expect(await eventually(() => (isTaken ||= watching.take(later)), 5)).toBe(true);
    watching.close();
  });

  test("that cannot be read is a sentence", () => {
    const odd = { variant: "relu", seed: 3 };
    mkdirSync(claimPath(folder, odd));
    expect(() => claims.take(odd)).toThrow(/relu-3\.claim cannot be read: it is a folder\. Delete it/);
  });

  test("that was abandoned is taken over by one of many", async () => {
    const seeds = Array.from({ length: 40 }, (_, i) => i);
    for (const seed of seeds)
      writeFileSync(claimPath(folder, { variant: "gelu", seed }), claimOf({ pid: 2 ** 22 + 1 }));
    const module = new URL("../dist/sweep/claims.js", import.meta.url).href;
    const script = `const { Claims } = await import(${JSON.stringify(module)});
      const claims = new Claims(${JSON.stringify(folder)});
      console.log("ready");
      process.stdin.once("data", () => {
        const taken = ${JSON.stringify(seeds)}.filter((seed) => claims.take({ variant: "gelu", seed }));
        console.log(JSON.stringify(taken));
      });`; // and lives until its input ends, so that nobody takes over what it has
    const racers = Array.from({ length: 5 }, () =>
      start(process.execPath, ["--input-type=module", "-e", script], scratch),
    );
    await Promise.all(racers.map(({ until }) => until(/ready/)));
    for (const { child } of racers) child.stdin?.write("go");
    await Promise.all(racers.map(({ until }) => until(/\]/)));
    for (const { child } of racers) child.stdin?.end();
    const ended = await Promise.all(racers.map((racer) => racer.ended));
    const taken = ended.flatMap(({ stdout }): number[] => JSON.parse(stdout.replace("ready", "")));
    expect(taken.sort((a, b) => a - b)).toEqual(seeds);
  });
});

describe("two sweeps in one folder", () => {
  const args = ["compare", "--data", data, ...tinyModel];
  args.push("--batch", "16", "--variants", "relu,swiglu", "--seeds", "3", "--jobs", "1");
  const recordsIn = (out: string): string =>
    join(scratch, out, readdirSync(join(scratch, out))[0]!, "records");

  test("share the work, train every run once, and both report", async () => {
    const sweep = [...args, "--steps", "300", "--out", "shared"];
    const first = startCli(sweep, scratch);
    await first.until(/Training in/);
    const written: string[] = [];
    const watcher = watch(recordsIn("shared"), (_, name) => {
      if (name?.endsWith(".json")) written.push(name);
    });
    const second = startCli(sweep, scratch);
    const ended = await Promise.all([first.ended, second.ended]);
    watcher.close();
    for (const { code, stdout, stderr } of ended) {
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("[6/6]");
      expect(stdout.slice(stdout.indexOf("Ranking"), stdout.indexOf("Report"))).toBe(
        ended[0].stdout.slice(ended[0].stdout.indexOf("Ranking"), ended[0].stdout.indexOf("Report")),
      );
    }
    const all = ["relu", "swiglu"].flatMap((name) => [1, 2, 3].map((seed) => `${name}-${seed}.json`));
    expect(written.sort()).toEqual(all);
    expect(readdirSync(recordsIn("shared")).filter((name) => /claim|checkpoint|tmp/.test(name))).toEqual([]);
  });

  test("when one is killed, the other takes over what it had in hand", async () => {
    const sweep = [...args, "--steps", "600", "--out", "left"];
    const first = startCli(sweep, scratch);
    await first.until(/Training in/);
    await eventually(() => readdirSync(recordsIn("left")).some((name) => name.endsWith(".claim")), 10);
    const second = startCli(sweep, scratch);
    await eventually(
      () => readdirSync(recordsIn("left")).filter((name) => name.endsWith(".claim")).length > 1,
      10,
    );
    first.child.kill("SIGKILL");
    const { code, stdout } = await second.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining("[6/6]")]);
  });
});
