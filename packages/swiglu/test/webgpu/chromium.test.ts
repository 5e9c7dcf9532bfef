// The suite on Chromium's own WebGPU (a software adapter where there is no GPU), in a bundled page with a strict policy.
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conformanceCases } from "../conformance/index.js";
import { bundlePage } from "../runtimes/bundle.js";
import { find } from "../runtimes/found.js";
import { Outcome } from "../runtimes/outcome.js";
import { serve } from "../runtimes/serve.js";

const executablePath = find("chromium");

const names = conformanceCases().map(({ name }) => name);

describe.runIf(executablePath)("WebGPU in Chromium", () => {
  const outcome = new Outcome();
  let browser: Browser;

  beforeAll(async () => {
    const folder = await bundlePage("webgpu");
    const server = await serve(folder, {
      "Content-Security-Policy": "default-src 'none'; script-src 'self'",
    });
    browser = await chromium.launch({
      executablePath: executablePath as string,
      args: [
        "--no-sandbox",
        "--enable-unsafe-webgpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    const page = await browser.newPage();
    await new Promise<void>((resolve, reject) => {
      page.on("console", (message) => {
        outcome.add(message.text());
        if (outcome.ended) resolve();
      });
      page.on("pageerror", reject);
      page.on("crash", () => reject(new Error(`the page crashed; it said: ${outcome.noise}`)));
      page.goto(server.address, { waitUntil: "commit", timeout: 0 }).catch(reject);
    });
    server.close();
  }, 600_000);

  afterAll(() => browser?.close());

  test("runs without complaints, under a policy that allows its own scripts and no WebAssembly", () => {
    expect(outcome.of("refused")).toEqual([]);
    expect(outcome.noise).toBe("");
  });

  test.each(names)("%s", (title) => {
    const found = outcome.of("case").find(({ name }) => name === title);
    expect(found, "this case did not run").toBeDefined();
    expect(found?.error).toBe(undefined);
  });
});
