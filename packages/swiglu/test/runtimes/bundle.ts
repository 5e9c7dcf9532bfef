// Bundles the suite with vite as a user would bundle the library: the built package, minified, as a page and for Node.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type InlineConfig } from "vite";
import { cache } from "./found.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const common: InlineConfig = {
  configFile: false,
  logLevel: "error",
  // The package as it is published, not its sources.
  // As the tests that declare the cases have it (conformance/extent.ts).
  define: { "process.env.SWIGLU_TESTS": JSON.stringify(process.env.SWIGLU_TESTS ?? "") },
  resolve: { alias: [{ find: /^.*\/src\/(.*)\.js$/, replacement: here("../../dist/$1.js") }] },
};

/** Bundles the page of a folder of tests; returns the folder to serve. */
export async function bundlePage(tests: "runtimes" | "webgpu" | "models" = "runtimes"): Promise<string> {
  const outDir = join(cache, `swiglu-${tests}-page`);
  await build({
    ...common,
    root: here(`../${tests}/page`),
    base: "./",
    build: { outDir, emptyOutDir: true, target: "es2022" },
  });
  return outDir;
}

/** Bundles a program for Node; returns its file. */
export async function bundleForNode(): Promise<string> {
  const outDir = join(cache, "swiglu-node");
  await build({
    ...common,
    root: here("."),
    ssr: { noExternal: true },
    build: {
      outDir,
      emptyOutDir: true,
      ssr: true,
      target: "es2022",
      rolldownOptions: {
        input: { runner: here("node-runner.ts") },
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, "package.json"), JSON.stringify({ type: "module" }));
  return join(outDir, "runner.js");
}
