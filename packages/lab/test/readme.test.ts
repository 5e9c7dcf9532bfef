// The snippet of the README runs as it is printed, and prints what its comment says.
import { readFile, rm, writeFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";

test("as a library", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, code = ""] = /## As a library[^#]*```js\n([^`]+)```/.exec(readme) ?? [];
  const file = new URL("../dist/readme.mjs", import.meta.url); // beside the package's code, so that imports resolve
  await writeFile(file, code);
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    await import(/* @vite-ignore */ file.href);
    expect(log.mock.calls).toEqual([[true]]);
  } finally {
    log.mockRestore();
    await rm(file);
  }
});
