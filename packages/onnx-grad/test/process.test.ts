// A library call leaves the process as it was: JavaScript's own arithmetic and every backend give the same bits before and after
// each entry point that opens a session of ONNX Runtime, denormal numbers among them. Each has a process of its own,
// since the first session of a process decides.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { evaluate, silu } from "swiglu";
import { expect, test } from "vitest";

interface Computed {
  readonly javascript: readonly string[];
  readonly [backend: string]: readonly unknown[];
}

function inProcess(entry: string): { readonly before: Computed; readonly after: Computed } {
  const script = fileURLToPath(new URL("./process-child.mjs", import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [script, entry], { encoding: "utf8", timeout: 60_000 }));
}

const javascript = ["1e-310", String(2 ** -1023), String(Math.fround(2e-38) ** 2)];
const floatOf = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!;

test.each(["compile", "compile with two threads", "compile for onnxruntime-web", "Training", "ort()"])(
  "%s changes nothing: JavaScript, reference(), wasm() with 1 and 2 threads, and ort() beside it",
  (entry) => {
    const { before, after } = inProcess(entry);
    expect(before.javascript).toEqual(javascript);
    const { ort, ...others } = after;
    expect(others).toEqual(before);
    for (const backend of [...Object.values(others).slice(1), ort]) {
      [-90, -87.34].forEach((at, i) => {
        const bits = backend![i] as number[];
        expect(bits).toHaveLength(1);
        const exact = evaluate(silu, { x: Math.fround(at) });
        expect(Math.abs(floatOf(bits[0]!) / exact - 1)).toBeLessThan(1e-5);
      });
    }
  },
);

test.runIf(process.arch === "x64").each(["compile with flushDenormals", "Training with flushDenormals"])(
  "%s, asked for by name, does what it says (ONNX Runtime has this mode on x64 only)",
  (entry) => {
    const { before, after } = inProcess(entry);
    expect(before.javascript).toEqual(javascript);
    expect(after.javascript.slice(0, 2)).toEqual(["0", "0"]);
  },
);
