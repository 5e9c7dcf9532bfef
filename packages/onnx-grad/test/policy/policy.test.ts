// Files, the backend on ONNX Runtime and training where no code may be made from text: Node under its flag, Chromium under a strict
// content-security policy.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { describe, expect, test } from "vitest";
import { launch, runPage } from "../../../swiglu/test/runtimes/browser.js";
import { cache, find, unless } from "../../../swiglu/test/runtimes/found.js";
import { Outcome } from "../../../swiglu/test/runtimes/outcome.js";
import { serve } from "../../../swiglu/test/runtimes/serve.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const names = ["code cannot be made from text", "a file's round trip", "ort()", "a training step"];

function expectAll(outcome: Outcome): void {
  const cases = outcome.of("case").map(({ name, error }) => ({ name, error }));
  expect(cases, outcome.noise).toEqual(names.map((name) => ({ name, error: undefined })));
  expect(outcome.ended).toBe(true);
}

test("Node with --disallow-code-generation-from-strings", async () => {
  const outcome = new Outcome();
  const child = spawn(process.execPath, ["--disallow-code-generation-from-strings", here("node.mjs")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => outcome.add(line));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expectAll(outcome);
  expect(code).toBe(0);
});

describe.runIf(find("chromium"))(`Chromium${unless("chromium")}`, () => {
  test("under a policy without 'unsafe-eval'", async () => {
    const outDir = join(cache, "onnx-grad-policy-page");
    await build({
      configFile: false,
      logLevel: "error",
      root: here("page"),
      base: "./",
      build: { outDir, emptyOutDir: true, target: "es2022" },
    });
    // connect-src: the runtime fetches its own WebAssembly.
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    const server = await serve(outDir, { "Content-Security-Policy": policy });
    const browser = await launch();
    try {
      expectAll(await runPage(browser, server.address));
    } finally {
      await browser.close();
      server.close();
    }
  });
});
