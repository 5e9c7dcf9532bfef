// The snippets of the README run as they are printed, and print what their comments say.
import { readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const snippets = [...readme.matchAll(/## ([^\n]+)\n+```js\n([^`]+)```/g)].map(([, title, code]) => ({
  title: title!,
  code: code!,
}));

describe("README", () => {
  it("has its snippets", () => {
    expect(snippets.map(({ title }) => title)).toEqual(["A gradient", "Training"]);
  });

  for (const [i, { title, code }] of snippets.entries()) {
    it(title, async () => {
      // Beside the package's code, so that imports resolve as in a user's project.
      const file = new URL(`../dist/readme-${i}.mjs`, import.meta.url);
      await writeFile(file, code);
      const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
      try {
        await import(/* @vite-ignore */ file.href);
        const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment]) => comment);
        expect(log.mock.calls.map(String)).toEqual(expected);
      } finally {
        log.mockRestore();
        await rm(file);
      }
    });
  }
});
