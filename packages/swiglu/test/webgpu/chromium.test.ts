// The suite on Chromium's own WebGPU (a software adapter where there is no GPU), in a bundled page with a strict policy.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, runPage } from "../runtimes/browser.js";
import { bundlePage } from "../runtimes/bundle.js";
import { find, unless } from "../runtimes/found.js";
import { declareCases, type Outcome } from "../runtimes/outcome.js";
import { serve } from "../runtimes/serve.js";
import { pageCases } from "./page/cases.js";

describe.runIf(find("chromium"))(`WebGPU in Chromium${unless("chromium")}`, () => {
  let outcome: Outcome;
  let browser: Browser;

  beforeAll(async () => {
    const folder = await bundlePage("webgpu");
    const server = await serve(folder, {
      "Content-Security-Policy": "default-src 'none'; script-src 'self'",
    });
    browser = await launch("--enable-unsafe-webgpu");
    outcome = await runPage(browser, server.address);
    server.close();
  }, 600_000);

  afterAll(() => browser?.close());

  test("runs without complaints, under a policy that allows its own scripts and no WebAssembly", () => {
    expect(outcome.of("refused")).toEqual([]);
    expect(outcome.noise).toBe("");
  });

  declareCases(
    pageCases().map(({ name }) => name),
    () => outcome,
  );
});
