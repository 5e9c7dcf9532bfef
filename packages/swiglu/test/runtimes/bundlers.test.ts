// Threads in what bundlers make of a user's program, and in other runtimes: the table of docs/wasm.md. Only in the full run
// (npm run test:all), since bundling takes most of a minute. `npm run get:bundlers` brings them; vite 8 is in chromium.test.ts.

import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slowExtent } from "../conformance/extent.js";
import { launch, runPage } from "./browser.js";
import { cache, find, unless } from "./found.js";
import { Outcome } from "./outcome.js";
import { serve } from "./serve.js";

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const home = join(cache, "bundlers");

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
/** What docs/wasm.md asks for, with what a bundler's own output needs beside it. */
const policy = ({ workers = "", scripts = "" }: Needs) => ({
  ...isolation,
  "Content-Security-Policy": `default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval' ${scripts}; worker-src 'self' ${workers}`,
});
interface Needs {
  /** `blob:` where the bundle lacks the worker's file. */
  readonly workers?: string;
  /** Parcel writes an import map into the page. */
  readonly scripts?: string;
}

const pages: Readonly<Record<string, Needs>> = {
  webpack: {},
  rspack: {},
  Parcel: { scripts: "'unsafe-inline'" },
  Rollup: { workers: "blob:" },
  esbuild: { workers: "blob:" },
  "esbuild, the worker as a second entry": {},
  "esbuild, a classic script": { workers: "blob:" },
};
const servers = ["vite 5, development", "vite 6, development", "vite 7, development"];
const programs = ["webpack for Node", "rspack for Node", "esbuild, CommonJS for Node"];
const runtimes: Readonly<Record<string, readonly string[]>> = {
  Deno: [join("node_modules", "@deno", "linux-x64-glibc", "deno"), "run", "--node-modules-dir=manual", "-A"],
  Bun: [join("node_modules", "@oven", "bun-linux-x64", "bin", "bun")],
};

const full = slowExtent === "full";
const possible = full && find("bundlers") !== undefined;
const why = full ? unless("bundlers") : " (left out: npm run test:all has it)";

function expectThreads(outcome: Outcome): void {
  expect(outcome.of("refused")).toEqual([]);
  expect(outcome.of("backend"), outcome.noise).toMatchObject([{ threads: 2, helpers: 1 }]);
}

const bundle = (name: string): readonly [string[], string] => {
  const out = join(home, `out ${name}`.replace(/\W+/g, "-"));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  return [[join(home, "build.mjs"), name, out], out];
};

/** What a program printed, as the lines of a suite. */
function outcomeOf(printed: string): Outcome {
  const outcome = new Outcome();
  for (const line of printed.split("\n")) outcome.add(line);
  return outcome;
}

describe.runIf(possible)(`threads behind bundlers${why}`, () => {
  beforeAll(() => {
    const installed = join(home, "node_modules", "swiglu");
    rmSync(installed, { recursive: true, force: true });
    for (const part of ["dist", "package.json"])
      cpSync(here(`../../${part}`), join(installed, part), { recursive: true });
    cpSync(here("bundlers"), home, { recursive: true });
  });

  describe.runIf(find("chromium"))(`in Chromium${unless("chromium")}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launch();
    }, 60_000);
    afterAll(() => browser?.close());

    test.each(Object.entries(pages))("%s, under a strict policy and %o", async (name, needs) => {
      const [args, out] = bundle(name);
      await run(process.execPath, args, { cwd: home });
      const folder = name === "Parcel" ? join(out, "dist") : out;
      const server = await serve(folder, policy(needs));
      try {
        expectThreads(await runPage(browser, server.address));
      } finally {
        server.close();
      }
    });

    test.each(servers)("%s", async (name) => {
      const [args] = bundle(name);
      const server = spawn(process.execPath, args, { cwd: home, stdio: ["pipe", "pipe", "inherit"] });
      try {
        const address = await new Promise<string>((resolve, reject) => {
          createInterface({ input: server.stdout }).once("line", resolve);
          server.once("exit", (code) => reject(new Error(`the server ended with code ${code}`)));
        });
        expectThreads(await runPage(browser, address));
      } finally {
        server.stdin.end();
      }
    });
  });

  test.each(programs)("%s", async (name) => {
    const [args, out] = bundle(name);
    await run(process.execPath, args, { cwd: home });
    const flags = ["--disallow-code-generation-from-strings"];
    const { stdout } = await run(process.execPath, [...flags, join(out, "main.cjs")]);
    expectThreads(outcomeOf(stdout));
  });

  test.each(Object.entries(runtimes))("%s", async (_, [program, ...args]) => {
    const environment = { ...process.env, DENO_DIR: join(home, "deno"), DENO_NO_UPDATE_CHECK: "1" };
    const { stdout } = await run(join(home, program as string), [...args, "main.js"], {
      cwd: home,
      env: environment,
    });
    expectThreads(outcomeOf(stdout));
  });
});
