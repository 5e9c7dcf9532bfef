// Runs one bundler on main.js, from the folder that holds the bundlers: node build.mjs webpack out
// A development server prints its address and serves until its input ends.
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [name, out] = [process.argv[2], resolve(process.argv[3])];
const entry = resolve("main.js");

/** A page around the bundle, for bundlers that make none. */
const page = (type) =>
  writeFileSync(
    join(out, "index.html"),
    `<meta charset="utf-8"><link rel="icon" href="data:,"><body></body><script ${type} src="main.js"></script>`,
  );

/** webpack's way to be called, which is rspack's too. */
async function pack(compiler, target) {
  const filename = target === "node" ? "main.cjs" : "main.js";
  const mode = target === "node" ? "development" : "production";
  const options = { mode, devtool: false, target, entry, output: { path: out, filename } };
  const stats = await new Promise((done, failed) => {
    compiler(options, (error, result) => (error ? failed(error) : done(result)));
  });
  if (stats.hasErrors()) throw new Error(stats.toString());
  page("defer");
}

async function viteServer(spec) {
  const { createServer } = await import(spec);
  const headers = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  };
  const server = await createServer({
    configFile: false,
    root: out,
    logLevel: "silent",
    cacheDir: join(out, ".cache"),
    server: { port: 0, host: "127.0.0.1", headers, fs: { strict: false } },
  });
  writeFileSync(join(out, "index.html"), `<script type="module" src="/@fs${entry}"></script>`);
  await server.listen();
  console.log(server.resolvedUrls.local[0]);
  process.stdin.on("end", () => process.exit()).resume();
}

async function esbuild(options) {
  const { build } = await import("esbuild");
  await build({ bundle: true, logLevel: "error", outdir: out, entryPoints: { main: entry }, ...options });
}

const ways = {
  "vite 5, development": () => viteServer("vite5"),
  "vite 6, development": () => viteServer("vite6"),
  "vite 7, development": () => viteServer("vite7"),
  webpack: async () => pack((await import("webpack")).default, "web"),
  "webpack for Node": async () => pack((await import("webpack")).default, "node"),
  rspack: async () => pack((await import("@rspack/core")).rspack, "web"),
  "rspack for Node": async () => pack((await import("@rspack/core")).rspack, "node"),
  Parcel: () => {
    page('type="module"');
    copyFileSync(entry, join(out, "main.js"));
    const parcel = resolve("node_modules", "parcel", "lib", "bin.js");
    const options = ["--no-cache", "--dist-dir", join(out, "dist"), "--public-url", "./"];
    execFileSync(process.execPath, [parcel, "build", join(out, "index.html"), ...options], { stdio: "pipe" });
  },
  Rollup: async () => {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const bundle = await rollup({ input: entry, plugins: [nodeResolve({ browser: true })] });
    await bundle.write({ dir: out, format: "es" });
    page('type="module"');
  },
  esbuild: async () => {
    await esbuild({ format: "esm" });
    page('type="module"');
  },
  "esbuild, the worker as a second entry": async () => {
    const worker = resolve("node_modules", "swiglu", "dist", "wasm", "threads", "worker.js");
    await esbuild({ format: "esm", entryPoints: { main: entry, worker } });
    page('type="module"');
  },
  "esbuild, a classic script": async () => {
    await esbuild({ format: "iife" });
    page("defer");
  },
  "esbuild, CommonJS for Node": () =>
    esbuild({ format: "cjs", platform: "node", outExtension: { ".js": ".cjs" } }),
};

await ways[name]();
