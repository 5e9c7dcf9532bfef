// What the entry adds to a page: bundled and minified as a user would, compressed, and without a trace of Node's modules.

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { describe, expect, test } from "vitest";

const dist = (path: string): string => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));

/** The bundle of a page that uses all exports of these entries. */
async function bundle(entries: readonly string[]): Promise<string> {
  const name = "virtual:page";
  const code = entries.map((entry, i) => `import * as e${i} from ${JSON.stringify(dist(entry))};`).join("\n");
  const result = await build({
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "page",
        resolveId: (id: string) => (id === name ? `\0${name}` : undefined),
        load: (id: string) =>
          id === `\0${name}`
            ? `${code}\nglobalThis.page = [${entries.map((_, i) => `e${i}`).join(", ")}];`
            : undefined,
      },
    ],
    build: { write: false, minify: true, target: "es2022", rolldownOptions: { input: name } },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as { output: { code?: string }[] }[];
  return outputs.flatMap(({ output }) => output.map((chunk) => chunk.code ?? "")).join("\n");
}

describe("swiglu/models in a page", async () => {
  const [core, both] = [await bundle(["index.js"]), await bundle(["index.js", "models/index.js"])];
  const size = (text: string): number => gzipSync(text, { level: 9 }).length;
  test("adds at most 35 kB gzipped to a page that has swiglu, the families included", () => {
    const added = size(both) - size(core);
    expect(both).toContain("vjepa2");
    expect(added).toBeGreaterThan(5000);
    expect(added).toBeLessThan(35_000);
  });
  test("adds nothing to a page that does not import it", () => {
    expect(core).not.toContain("vjepa2");
    expect(core).not.toContain("safetensors");
  });
  test("imports no module of Node's", () => {
    expect(both).not.toMatch(/(import|from|require)\s*\(?\s*["']node:/);
  });
});
