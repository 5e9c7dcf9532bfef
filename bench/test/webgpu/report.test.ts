// What a document makes of rounds: shares of the copy's traffic, ratios, and those who are left out.
import { expect, test } from "vitest";
import type { Measurement } from "../../src/peers/measure.js";
import { casesOf, sizesNamed } from "../../src/webgpu/cases.js";
import { copies, unfused } from "../../src/webgpu/contenders.js";
import { document, type Run, shareOfCopy, trafficOf } from "../../src/webgpu/report.js";

const forward = { kind: "forward", count: 2 ** 20 } as const;
const row = (
  name: string,
  role: "ours" | "peer" | "yardstick",
  rounds: number[],
  device?: number[],
): Measurement => ({
  case: forward,
  identity: { name, role, column: "Node", threads: 1 },
  rounds,
  ...(device ? { device } : {}),
});
const ours = row("swiglu, f32", "ours", [2, 4, 2], [1, 2, 1]);
const half = row("swiglu, f16", "ours", [1, 2, 1]);
const pieces = row(unfused, "peer", [6, 8, 5], [4, 6, 4]);
const jax = row("jax-js", "peer", [3, 3, 3]);
const copy = row(copies.buffer, "yardstick", [1, 3, 1]);

const run = (software: boolean): Run => ({
  date: "2026-11-23",
  cpu: "a CPU",
  cores: 2,
  loadBefore: 0.5,
  versions: { Node: "20.20.2" },
  adapters: { Node: { name: "an adapter", software, features: "shader-f16" } },
  rounds: 3,
  measurements: [ours, half, pieces, jax, copy],
  refusals: [
    { case: "forward 2^20", name: "tfjs-webgpu", column: "Node", reason: "failed: it broke\nat length" },
  ],
});

test("the share of the copy is a ratio of traffic, round by round", () => {
  expect(shareOfCopy(ours, copy)).toEqual({ median: 0.5, min: 0.5, max: 0.75 });
  // Half the bytes in half the time.
  expect(shareOfCopy(half, copy)?.median).toBe(0.5);
  expect(trafficOf(half)).toBe(6 * 2 ** 20);
  // Unknown for kernels that are not ours.
  expect(shareOfCopy(jax, copy)).toBeUndefined();
  expect(shareOfCopy(ours, undefined)).toBeUndefined();
});

test("a document has the goals, the tables and who is left out", () => {
  const text = document(run(false));
  expect(text).toContain(
    "| Node, forward 2^20 | 2.67 | 2.50 (2.00..3.00) | 2.50 | 4.00 (3.00..4.00) | 50 % | **no** |",
  );
  expect(text).toContain(
    "| swiglu, f32 | 2.00 (2.00..4.00) | **1** | **1** | 1.00 | **1** | 12.6 | 6.29 | 50 % |",
  );
  expect(text).toContain("| jax-js | 3.00 (3.00..3.00) | 1.50 | 1.50 |  |  |  |  |  |");
  expect(text).toContain("Left out: tfjs-webgpu: failed: it broke.");
  expect(text).not.toContain("No GPU was there");
});

test("software is named as what it is, and misses no goal", () => {
  const text = document(run(true));
  expect(text).toContain("No GPU was there");
  expect(text).toContain("| software |");
});

test("sizes by name", () => {
  expect(sizesNamed("2^24, 128x512x1376")).toMatchObject({ counts: [2 ** 24], blocks: [[128, 512, 1376]] });
  expect(() => sizesNamed("1e6")).toThrow('It has "1e6", expected a number of elements such as 2^24');
  expect(casesOf(sizesNamed("2^4 3x4x5"))[0]).toEqual({ kind: "forward", count: 16 });
  expect(casesOf(sizesNamed("1x4x5")).map(({ kind }) => kind)).toEqual(["ffnForward"]);
});
