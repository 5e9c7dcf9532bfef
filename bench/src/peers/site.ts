// The sides as a site on this machine: bundled for browsers in memory, and served with the headers that threads need.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export interface Site {
  readonly address: string;
  close(): void;
}

const resolve = createRequire(import.meta.url).resolve;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Scripts that run in a browser: files beside one another. */
export interface Sides {
  readonly entryPoints: Readonly<Record<string, string>>;
  /** Packages that are bundled for others. */
  readonly alias?: Readonly<Record<string, string>>;
}

/** The sides on the CPU, and the scripts of their threads. */
export const cpuSides: Sides = {
  entryPoints: {
    ours: here("./sides/ours.js"),
    worker: join(dirname(resolve("swiglu")), "wasm", "worker.js"),
    tfjs: here("./sides/tfjs.js"),
    "onnxruntime-web": here("./sides/onnxruntime-web.js"),
    jax: here("./sides/jax.js"),
    yardstick: here("./sides/yardstick.js"),
    helper: here("./helper.js"),
    "start-up": here("./sides/start-up.js"),
  },
  // The build for the CPU alone, which is what onnxruntime-web has in Node too, with its WebAssembly beside it.
  alias: { "onnxruntime-web": "onnxruntime-web/wasm" },
};

/** Where runtimes have the WebAssembly that they load beside themselves. */
const folders = ["onnxruntime-web", "@tensorflow/tfjs-backend-wasm"].map((name) => dirname(resolve(name)));

async function bundle({ entryPoints, alias = {} }: Sides): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { ...entryPoints },
    outdir: here("."),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    alias: { ...alias },
    // Runtimes load their WebAssembly from beside themselves.
    conditions: ["onnxruntime-web-use-extern-wasm"],
    write: false,
    logLevel: "error",
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}

const types: Readonly<Record<string, string>> = {
  "": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves an empty page at `/`, and everything else by its name. */
export async function serveSides(sides: Sides): Promise<Site> {
  const files = new Map([
    ...(await bundle(sides)),
    ["", new TextEncoder().encode('<!doctype html><link rel="icon" href="data:,">')],
  ]);
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = files.get(name);
    const path = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
    response.setHeader("Content-Type", types[extname(name)] ?? "application/octet-stream");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (file !== undefined) response.end(file);
    else if (path !== undefined) createReadStream(path).pipe(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
