// Printed CUDA and GLSL, compiled and run as C++ where a compiler is found: both are C++ but for a few names.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { activations } from "../../src/catalogue/catalogue.js";
import { toCode } from "../../src/code/to-code.js";
import { float32 } from "../../src/expression/bound.js";
import { find, unless } from "../runtimes/found.js";
import { all, casesOf } from "./points.js";

const compiler = find("compiler");
const folder = mkdtempSync(join(tmpdir(), "swiglu-c-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What makes C++ of each: CUDA's own words, or GLSL's functions of a float and its literals, which have no f. */
const dialects = {
  cuda: {
    before: `#define __device__
#define __forceinline__ inline
static float normcdff(float x) { return 0.5f * erfcf(-x * 0.70710678f); }`,
    inside: "",
    adapt: (code: string): string => code,
  },
  glsl: {
    before: "",
    inside: [
      ...Object.entries({ abs: "fabsf", exp: "expf", log: "logf", sqrt: "sqrtf", atan: "atanf" }).map(
        ([name, own]) => `inline float ${name}(float a) { return ${own}(a); }`,
      ),
      "inline float min(float a, float b) { return fminf(a, b); }",
      "inline float max(float a, float b) { return fmaxf(a, b); }",
    ].join("\n"),
    adapt: (code: string): string =>
      code.replace(/(?<![\w.])(\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+)(?!\w)/g, "$1f"),
  },
} as const;

test.skipIf(compiler === undefined).for(["cuda", "glsl"] as const)(
  `%s: compiles as C++ and gives what the reference does, with defaults${unless("compiler")}`,
  (target) => {
    const { before, inside, adapt } = dialects[target];
    const literal = (value: number): string => `${/[.e]/.test(String(value)) ? value : `${value}.0`}f`;
    const parts = all.map((activation, i) => {
      const code = adapt(toCode(activation, target));
      const name = [...code.matchAll(/^(?:__device__ __forceinline__ )?float (\w+)\(/gm)].at(-1)?.[1];
      const cases = casesOf(activation, float32, 100);
      const calls = cases.map(({ inputs }) => `  print(n${i}::${name}(${inputs.map(literal).join(", ")}));`);
      return { activation, cases, code: `namespace n${i} {\n${inside}\n${code}}`, calls };
    });
    const file = join(folder, `${target}.cpp`);
    const program = join(folder, target);
    writeFileSync(
      file,
      `#include <cmath>\n#include <cstdio>\n${before}\n${parts.map(({ code }) => code).join("\n")}
static void print(float value) { printf("%.9g\\n", (double)value); }
int main() {\n${parts.flatMap(({ calls }) => calls).join("\n")}\n}\n`,
    );
    const built = spawnSync(compiler as string, ["-O0", "-o", program, file], { encoding: "utf8" });
    expect(built.stderr).toBe("");
    const found = spawnSync(program, { encoding: "utf8" }).stdout.trim().split("\n").map(Number);
    let at = 0;
    for (const { activation, cases } of parts)
      for (const {
        inputs,
        expected: [value = 0],
        bounds: [bound = 0],
      } of cases) {
        const message = `${activation.name} at ${inputs}: ${found[at]}, expected ${value}`;
        expect(Math.abs((found[at++] as number) - value), message).toBeLessThanOrEqual(4 * bound + 1e-37);
      }
    expect(at).toBe(found.length);
  },
);

test("GLSL has defaults by a second function of the name", () => {
  expect(toCode(activations.swiglu, "glsl")).toContain(`float swiglu(float gate, float up) {
  return swiglu(gate, up, 1.0);
}`);
});
