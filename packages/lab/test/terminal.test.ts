// What a sweep looks like in the terminal: progress from state to text, numbers and tables.
import { describe, expect, test } from "vitest";
import { summarise } from "../src/statistics/summary.js";
import { duration, list, percentEstimate, pointsEstimate, signed } from "../src/terminal/format.js";
import {
  advance,
  failureLine,
  panelText,
  runLine,
  type SweepEvent,
  startState,
  timeLeft,
} from "../src/terminal/progress.js";
import { wrap } from "../src/terminal/style.js";
import { parameterTable, rankingTable, runTable } from "../src/terminal/tables.js";
import { configOf, diverged, finished } from "./records.js";

const after = (...events: SweepEvent[]) => events.reduce(advance, startState(10, 2, 100, 2));
const job = (variant: string, seed: number) => ({ variant, seed });

describe("progress", () => {
  const busy = after(
    { type: "started", slot: 0, job: job("relu", 1) },
    { type: "started", slot: 1, job: job("swiglu", 1) },
    { type: "progress", slot: 0, step: 40, loss: 1.23456 },
    { type: "finished", slot: 1 },
    { type: "started", slot: 1, job: job("swiglu-trained", 2) },
  );

  test("the panel shows runs done, what each process is at, and the time left", () => {
    // 140 of the 800 steps that were left at the start took 14 s: 660 to go, 66 s.
    expect(panelText(busy, 14)).toBe(
      [
        "██████████░░░░░░░░░░░░░░░░░░░░  3 of 10 runs, 14 s so far, about 1 min 6 s left",
        "  relu, seed 1                      step  40 of 100  loss 1.235",
        "  swiglu-trained, seed 2            step   0 of 100  starting",
      ].join("\n"),
    );
  });

  test("runs from before count as done, but not for the speed", () => {
    expect(timeLeft(after({ type: "started", slot: 0, job: job("a", 1) }), 5)).toBeNull();
    expect(timeLeft(busy, 14)).toBeCloseTo(66, 9);
  });

  test("a failed run frees its place and is counted", () => {
    const state = advance(busy, { type: "failed", slot: 0 });
    expect(panelText(state, 14)).toContain("4 of 10 runs, 1 failed");
    expect(panelText(state, 14)).not.toContain("relu, seed 1");
    expect(failureLine(state, job("relu", 1), "its worker process ended (signal SIGKILL)")).toBe(
      "[ 4/10] relu, seed 1: failed: its worker process ended (signal SIGKILL)",
    );
  });

  test("progress of a place without a job changes nothing", () => {
    const state = startState(10, 0, 100, 2);
    expect(advance(state, { type: "progress", slot: 1, step: 3, loss: 1 })).toEqual(state);
  });

  test("lines for pipes: finished and diverged", () => {
    expect(runLine(busy, finished("relu", 1, 0.95), 14)).toBe(
      "[ 3/10] relu, seed 1: validation 95.00 %, test 95.00 %, test loss 0.0500 (2 s, about 1 min 6 s left)",
    );
    expect(runLine(busy, diverged("relu", 1, 7), 14)).toContain("relu, seed 1: diverged at step 7 (1 s");
  });
});

describe("numbers", () => {
  test.each([
    [8.4, "8 s"],
    [80, "1 min 20 s"],
    [7500, "2 h 5 min"],
  ])("%d s", (seconds, text) => expect(duration(seconds)).toBe(text));

  test("signs, and none on a zero", () => {
    expect([signed(1.234, 2), signed(-1.234, 2), signed(-0.001, 2)]).toEqual(["+1.23", "−1.23", "0.00"]);
  });

  test("estimates with and without interval", () => {
    expect(percentEstimate({ n: 3, mean: 0.95, half: 0.002 })).toBe("95.00 ± 0.20 %");
    expect(percentEstimate({ n: 2, mean: 0.95, half: null })).toBe("95.00 %");
    expect(pointsEstimate({ n: 3, mean: 0.01, half: 0.015 })).toBe("+1.00 [−0.50, +2.50]");
  });

  test("lists", () =>
    expect([list([]), list(["a"]), list(["a", "b", "c"])]).toEqual(["", "a", "a, b and c"]));

  test("prose is broken at 100 columns", () => {
    const lines = wrap("word ".repeat(60).trim()).split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(lines.join(" ")).toBe("word ".repeat(60).trim());
  });
});

describe("tables", () => {
  const config = configOf(["relu", "tanh"], [1, 2]);
  const records = [
    finished("relu", 1, 0.9),
    finished("tanh", 1, 0.8, { learned: { beta: [1.5] } }),
    diverged("tanh", 2),
  ];

  test("parameters against the target", () => {
    expect(parameterTable(config).split("\n")[2]).toMatch(/^relu +32 +552 +0\.00 %$/);
  });

  test("every run has a line", () => {
    const lines = runTable(records).split("\n");
    expect(lines).toHaveLength(2 + records.length);
    expect(lines[4]).toMatch(/^tanh +2 +diverged at step 3$/);
  });

  test("the ranking has a line for every variant", () => {
    const lines = rankingTable(summarise(config, records)).split("\n");
    expect(lines[2]).toMatch(/^1 +relu +90\.00 %/);
    expect(lines[3]).toMatch(/^2 +tanh +80\.00 % +−10\.00 .*beta 1\.50$/);
  });
});
