// The suite in Chromium, in a bundled page with a strict content-security policy: with cross-origin isolation (threads)
// and without (one thread), and with workers forbidden. What Node 24 runs of the same kernels is brief here.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, runPage } from "./browser.js";
import { bundlePage } from "./bundle.js";
import { find, unless } from "./found.js";
import { declareTests, type Outcome } from "./outcome.js";
import { type Served, serve } from "./serve.js";
import type { Configuration } from "./suite.js";

/** What docs/wasm.md asks for, and nothing more. */
const strict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const policy = { "Content-Security-Policy": strict };
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

describe.runIf(find("chromium"))(`Chromium${unless("chromium")}`, () => {
  let browser: Browser;
  let folder: string;
  const servers: Served[] = [];

  beforeAll(async () => {
    folder = await bundlePage();
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.close();
  });

  /** Opens the page under these headers and waits until its suite has ended. */
  async function run(
    headers: Readonly<Record<string, string>>,
    configurations: readonly Configuration[],
  ): Promise<Outcome> {
    const server = await serve(folder, headers);
    servers.push(server);
    return runPage(browser, `${server.address}?${encodeURIComponent(JSON.stringify(configurations))}`);
  }

  describe("isolated", () => {
    const configurations = [
      { simd: "plain", threads: 2, expected: 2, brief: true },
      { simd: "relaxed", threads: 2, expected: 2 },
    ] as const;
    let outcome: Outcome;
    beforeAll(async () => {
      outcome = await run({ ...policy, ...isolation }, configurations);
    }, 120_000);

    test("is cross-origin isolated, and breaks no policy", () => {
      expect(outcome.of("runtime")[0]).toMatchObject({ crossOriginIsolated: true });
      expect(outcome.noise).toBe("");
    });
    declareTests(configurations, () => outcome);
  });

  describe("not isolated", () => {
    const configurations = [
      { simd: "plain", expected: 1 },
      { simd: "relaxed", expected: 1, brief: true },
    ] as const;
    let outcome: Outcome;
    beforeAll(async () => {
      outcome = await run(policy, [...configurations, { threads: 2 }]);
    }, 120_000);

    test("is not cross-origin isolated, and breaks no policy", () => {
      expect(outcome.of("runtime")[0]).toMatchObject({ crossOriginIsolated: false });
      expect(outcome.noise).toBe("");
    });
    test("two threads that are asked for are an error", () => {
      expect(outcome.of("refused")).toEqual([
        expect.objectContaining({
          error: expect.stringMatching(/threads is 2, but this page is not cross-origin/),
        }),
      ]);
    });
    declareTests(configurations, () => outcome);
  });

  test("where the policy forbids workers there is one thread; threads that are asked for are an error", async () => {
    const outcome = await run(
      { ...isolation, "Content-Security-Policy": strict.replace("worker-src 'self'", "worker-src 'none'") },
      [{ brief: true }, { threads: 2, brief: true }],
    );
    expect(outcome.of("runtime")[0]).toMatchObject({ crossOriginIsolated: true });
    const [byDefault, asked] = outcome.of("case");
    expect(byDefault).toEqual(expect.not.objectContaining({ error: expect.anything() }));
    expect(outcome.of("backend")[0]).toMatchObject({ threads: 1, helpers: 0 });
    expect(asked?.error).toMatch(/threads is 2, but a worker could not start.*worker-src 'self'/);
  });
});
