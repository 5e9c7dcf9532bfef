// What a sweep looks like in the terminal: progress from state to text, numbers and tables.
import { describe, expect, test } from "vitest";
import { outcomesOf, showDifference, showEstimate } from "../src/statistics/metric.js";
import { summarise } from "../src/statistics/summary.js";
import {
  advance,
  failureLine,
  panelText,
  runLine,
  type SweepEvent,
  startState,
  timeLeft,
  tuningOutcomeText,
} from "../src/terminal/progress.js";
import { emptyTrace, sparkline, traced } from "../src/terminal/sparkline.js";
import { wrap } from "../src/terminal/style.js";
import { parameterTable, rankingTable, runTable } from "../src/terminal/tables.js";
import { duration, list, signed } from "../src/words/format.js";
import { configOf, diverged, finished } from "./records.js";

const variants = ["relu", "gelu", "swiglu", "swigluBlend", "glu"];
const sweep = configOf(variants, [1, 2]);
const after = (...events: SweepEvent[]) =>
  events.reduce(advance, startState(sweep, [finished("gelu", 1, 0.9), diverged("glu", 1)]));
const run = (variant: string, seed: number) => ({ variant, seed });

describe("progress", () => {
  const busy = after(
    { type: "started", run: run("relu", 1) },
    { type: "started", run: run("swiglu", 1) },
    { type: "progress", run: run("relu", 1), step: 20, loss: 2.25 },
    { type: "progress", run: run("relu", 1), step: 40, loss: 1.23456 },
    { type: "ended", run: run("swiglu", 1), how: "finished" },
    { type: "started", run: run("swigluBlend", 2) },
  );
  const inHand = [
    "  relu, seed 1              step  40 of 100  \u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2581············  loss 1.235",
    "  swigluBlend, seed 2       step   0 of 100  ····················  starting",
  ];
  const head = "██████████░░░░░░░░░░░░░░░░░░░░  3 of 10 runs, 14 s so far, about 1 min 6 s left";

  test("the panel shows every run as a mark, what is in hand with its losses, and the time left", () => {
    // 140 of the 800 steps that were left at the start took 14 s: 660 to go, 66 s.
    expect(panelText(busy, 14)).toBe(
      [
        head,
        "",
        "  relu         ▶·",
        "  gelu         ●·",
        "  swiglu       ●·",
        "  swigluBlend  ·▶",
        "  glu          ○·",
        "",
        ...inHand,
      ].join("\n"),
    );
  });

  test("on a small screen the overview goes first, and no line is longer than the screen", () => {
    expect(panelText(busy, 14, { rows: 9, columns: 200 })).toBe([head, ...inHand].join("\n"));
    const lines = panelText(busy, 14, { rows: 3, columns: 40 }).split("\n");
    expect([lines.length, Math.max(...lines.map(({ length }) => length))]).toEqual([2, 39]);
  });

  test("runs from before count as done, but not for the speed", () => {
    expect(timeLeft(after({ type: "started", run: run("relu", 1) }), 5)).toBeNull();
    expect(timeLeft(busy, 14)).toBeCloseTo(66, 9);
  });

  test("steps that an interrupted process did are not this one's speed, but need not be done again", () => {
    const curve = [{ step: 50, loss: 1 }];
    const state = after(
      { type: "started", run: run("relu", 1) },
      { type: "resumed", run: run("relu", 1), step: 60, curve },
      { type: "progress", run: run("relu", 1), step: 80, loss: 0.5 },
    );
    expect(timeLeft(state, 10)).toBeCloseTo((720 / 20) * 10, 9);
    expect(panelText(state, 10)).toContain("step  80 of 100  ███████████████▁····  loss 0.500");
    const ended = advance(state, { type: "ended", run: run("relu", 1), how: "finished" });
    expect(timeLeft(ended, 20)).toBeCloseTo((700 / 40) * 20, 9);
  });

  test("a failed run frees its place and is counted", () => {
    const state = advance(busy, { type: "ended", run: run("relu", 1), how: "failed" });
    expect(panelText(state, 14)).toContain("4 of 10 runs, 1 failed");
    expect(panelText(state, 14)).toContain("  relu         ×·");
    expect(panelText(state, 14)).not.toContain("relu, seed 1");
    expect(failureLine(state, run("relu", 1), "its worker process ended (signal SIGKILL)")).toBe(
      "[ 4/10] relu, seed 1: failed: its worker process ended (signal SIGKILL)",
    );
  });

  test("a run that others have finished counts; progress of a run that nobody has in hand changes nothing", () => {
    const state = after({ type: "ended", run: run("relu", 2), how: "finished" });
    expect(timeLeft(state, 10)).toBeCloseTo(70, 9);
    expect(advance(state, { type: "progress", run: run("relu", 1), step: 3, loss: 1 })).toEqual(state);
  });

  test("lines for pipes: finished and diverged", () => {
    expect(runLine(busy, finished("relu", 1, 0.95), 14)).toBe(
      "[ 3/10] relu, seed 1: validation 95.00 %, test 95.00 %, test loss 0.0500 (2 s, about 1 min 6 s left)",
    );
    expect(runLine(busy, diverged("relu", 1, 7), 14)).toContain("relu, seed 1: diverged at step 7 (1 s");
  });

  test("while learning rates are tuned, lines say the loss that chooses, and nothing of the test part", () => {
    expect(runLine(busy, finished("relu", 1, 0.95), 14, tuningOutcomeText)).toBe(
      "[ 3/10] relu, seed 1: validation loss 0.0500 (2 s, about 1 min 6 s left)",
    );
    expect(runLine(busy, diverged("relu", 1, 7), 14, tuningOutcomeText)).toContain("diverged at step 7 (1 s");
  });
});

describe("sparklines", () => {
  const draw = (...losses: [step: number, loss: number][]) =>
    sparkline(losses.reduce((trace, [step, loss]) => traced(trace, step, 100, loss), emptyTrace(10)));

  test("are empty before the first loss, and flat while there is one", () => {
    expect(draw()).toBe("··········");
    expect(draw([1, 2], [10, 2])).toBe("▁·········");
  });

  test("show equal ratios as equal heights, the mean of each part, and gaps as what was before", () => {
    expect(draw([10, 128], [20, 64], [30, 32], [40, 16], [50, 8], [60, 4], [70, 2], [80, 1])).toBe(
      "█▇▆▅▄▃▂▁··",
    );
    expect(draw([1, 100], [2, 156], [15, 64], [61, 1])).toBe("█▇▇▇▇▇▁···");
  });

  test("take zeros and the last step", () => expect(draw([1, 1], [100, 0])).toBe("█████████▁"));
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
    const accuracy = outcomesOf("images")[1]!;
    expect(showEstimate(accuracy, { n: 3, mean: 0.95, half: 0.002 })).toBe("95.00 ± 0.20 %");
    expect(showEstimate(accuracy, { n: 2, mean: 0.95, half: null })).toBe("95.00 %");
    expect(showDifference(accuracy, { n: 3, mean: 0.01, half: 0.015 })).toBe("+1.00 [−0.50, +2.50]");
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
    const lines = runTable(records, config.task).split("\n");
    expect(lines).toHaveLength(2 + records.length);
    expect(lines[4]).toMatch(/^tanh +2 +diverged at step 3$/);
  });

  test("the ranking has a line for every variant", () => {
    const lines = rankingTable(summarise(config, records), config.task).split("\n");
    expect(lines[2]).toMatch(/^1 +relu +0\.1000 .* 90\.00/);
    expect(lines[3]).toMatch(/^2 +tanh +0\.2000 +\+0\.1000 .*beta 1\.50$/);
  });
});
