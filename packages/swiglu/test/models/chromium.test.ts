// `check` and `openBlock` in Chromium, on files that were chosen in a page: the same report and numbers as here.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, openBlock, openModel } from "swiglu/models";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reference } from "../../src/index.js";
import { launch } from "../runtimes/browser.js";
import { bundlePage } from "../runtimes/bundle.js";
import { find, unless } from "../runtimes/found.js";
import { type Served, serve } from "../runtimes/serve.js";
import { floats, gguf, safetensors, seeded } from "./files.js";

const random = seeded(4);
const weights = (...shape: number[]) =>
  floats(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1),
  );

describe.runIf(find("chromium"))(`files chosen in Chromium${unless("chromium")}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "swiglu-page-"));
  let browser: Awaited<ReturnType<typeof launch>>;
  let server: Served;
  beforeAll(async () => {
    server = await serve(await bundlePage("models"), {
      "Content-Security-Policy": "default-src 'none'; script-src 'self'",
    });
    browser = await launch();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  /** What the page says of these files. */
  async function inPage(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
    const paths = Object.entries(files).map(([name, bytes]) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    });
    const page = await browser.newPage();
    try {
      await page.goto(server.address);
      await page.setInputFiles("input", paths);
      return (await page.locator("output:not(:empty)").textContent()) ?? "";
    } finally {
      await page.close();
    }
  }

  async function expectSame(files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const { y, bytesRead, ...report } = JSON.parse(await inPage(files)) as Record<string, unknown>;
    const model = await openModel(files);
    expect(report).toEqual(JSON.parse(JSON.stringify(await check(files))));
    const block = await openBlock(model, { layer: 0 });
    const backend = await reference();
    const ffn = block.gated ? await backend.gatedFfn(block) : await backend.ffn(block);
    const x = Float32Array.from({ length: block.dModel }, (_, i) => i - 1);
    expect(y).toEqual(Array.from(await ffn.forward(x, 1)));
    expect(bytesRead).toBe(model.bytesRead);
  }

  test("safetensors and their config", () =>
    expectSame({
      "model.safetensors": safetensors({
        "layers.0.mlp.gate_up_proj.weight": weights(20, 6),
        "layers.0.mlp.down_proj.weight": weights(6, 10),
      }),
      "config.json": new TextEncoder().encode('{"model_type":"phi3","hidden_act":"silu","hidden_size":6}'),
    }));
  test("GGUF", () =>
    expectSame({
      "m.gguf": gguf(
        { "general.architecture": { text: "gemma" } },
        {
          "blk.0.ffn_gate.weight": weights(10, 6),
          "blk.0.ffn_up.weight": weights(10, 6),
          "blk.0.ffn_down.weight": weights(6, 10),
        },
      ),
    }));
  test("a file that is none is said in a sentence", async () => {
    expect(await inPage({ "a.gguf": new TextEncoder().encode("nothing of the kind") })).toBe(
      "ModelFileError: a.gguf is no safetensors, GGUF or ONNX file",
    );
  });
});
