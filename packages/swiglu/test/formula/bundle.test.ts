// What formulas as text, MathML and code add to a page: nothing to one that does not import them, and little to one that does.

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../../dist/index.js", import.meta.url));

/** The minified bundle of a page that uses these exports. */
async function bundle(names: readonly string[]): Promise<string> {
  const page = "virtual:page";
  const code = `import { ${names.join(", ")} } from ${JSON.stringify(entry)}; globalThis.page = [${names.join(", ")}];`;
  const result = await build({
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "page",
        resolveId: (id: string) => (id === page ? `\0${page}` : undefined),
        load: (id: string) => (id === `\0${page}` ? code : undefined),
      },
    ],
    build: { write: false, minify: true, target: "es2022", rolldownOptions: { input: page } },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as { output: { code?: string }[] }[];
  return outputs.flatMap(({ output }) => output.map((chunk) => chunk.code ?? "")).join("\n");
}

/** What only the code of each face holds, and the most that it may add, in bytes gzipped. */
const faces = {
  expressionFromText: { mark: "write a product with *", most: 4500 },
  mathml: { mark: "mfrac", most: 3000 },
  toCode: { mark: "torch.", most: 15_000 },
} as const;

describe("a page with a value and its gradient", async () => {
  const base = ["swiglu", "evaluate", "gradient"];
  const size = (text: string): number => gzipSync(text, { level: 9 }).length;
  const plain = await bundle(base);
  test("has nothing of what it does not import", () => {
    for (const { mark } of Object.values(faces)) expect(plain).not.toContain(mark);
  });
  for (const [name, { mark, most }] of Object.entries(faces))
    test(`${name} adds at most ${most} bytes gzipped`, async () => {
      const both = await bundle([...base, name]);
      expect(both).toContain(mark);
      for (const [other, face] of Object.entries(faces))
        if (other !== name) expect(both).not.toContain(face.mark);
      const added = size(both) - size(plain);
      expect(added).toBeGreaterThan(1000);
      expect(added).toBeLessThan(most);
    });
});
