// How long the first result takes in a warm process, and how many bytes a page loads for it.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { type Summary, summarise } from "../statistics.js";
import type { Place } from "./places.js";

/** Milliseconds from `wasm()` to the first 4,096 elements, for each of many new backends in one process. */
export async function startUp(place: Place): Promise<Summary> {
  const partner = await place.start("start-up", { threads: 1 });
  const times = await partner.read<number[]>();
  await partner.end();
  return summarise(times);
}

export interface Size {
  readonly minified: number;
  readonly gzipped: number;
}

/** The size of a page's bundle that uses the WebAssembly backend and one activation. */
export async function bundleSize(): Promise<Size> {
  const { outputFiles } = await build({
    stdin: {
      contents: 'import { wasm, swiglu } from "swiglu"; console.log(await wasm(), swiglu);',
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    external: ["node:*"],
    write: false,
  });
  const { contents } = outputFiles[0]!;
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}
