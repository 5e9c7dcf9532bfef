// The measurement in one archive, for a machine with a GPU and without a network: this Node, every file that the main script and
// the sides load in Node, as esbuild follows them, and the native code that they load beside.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { onGpu } from "./contenders.js";

const sides = onGpu.filter(({ column = "Node" }) => column === "Node").map(({ script }) => script);
const entryPoints = [
  "bench/dist/webgpu.js",
  ...new Set(sides.map((name) => `bench/dist/webgpu/sides/${name}.js`)),
];
/** What only Chromium and packing need. */
const leftOut = ["./webgpu/browser.js", "./webgpu/pack.js"];

const { platform, arch } = process;
const dawn = "node_modules/.cache/webgpu/node_modules/webgpu";
/** Native code, and what finds our own packages. */
const beside = [
  `${dawn}/package.json`,
  `${dawn}/index.js`,
  `${dawn}/dist/${platform}-${arch}`,
  `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}`,
  "node_modules/swiglu",
  "node_modules/onnx-grad",
];

/** Writes the archive, a .tar.xz of the repository's layout with `node` beside. Throws where something is not built or fetched. */
export async function pack(root: string, archive: string): Promise<void> {
  const missing = beside.filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0)
    throw new Error(
      `${missing.join(", ")} is not here: npm ci, npm run build and npm run get:webgpu bring it`,
    );
  const { metafile } = await build({
    entryPoints,
    absWorkingDir: root,
    outdir: "bench/dist",
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    external: leftOut,
    loader: { ".node": "empty" },
    logLevel: "error",
  });
  const loaded = Object.keys(metafile.inputs).filter((path) => existsSync(join(root, path)));
  const packages = loaded.flatMap((path) => packageFiles(root, path));
  const files = [...new Set([...loaded, ...packages, ...beside])];
  mkdirSync(dirname(archive), { recursive: true });
  const from = ["-C", root, "-T", "-", "-C", dirname(process.execPath), basename(process.execPath)];
  const { status, stderr } = spawnSync("tar", ["-cJf", archive, ...from], {
    input: files.join("\n"),
    encoding: "utf8",
    // Its usual effort takes minutes for a few MiB less.
    env: { ...process.env, XZ_OPT: "-0 -T0" },
  });
  if (status !== 0) throw new Error(`tar failed: ${stderr}`);
  console.log(`${archive}: ${files.length} files, ${(statSync(archive).size / 2 ** 20).toFixed(0)} MiB`);
  console.log(
    `There: tar -xJf ${basename(archive)} && ./node bench/dist/webgpu.js --where node --out webgpu`,
  );
}

/** The package.json files from a file's folder up to the root, by which Node finds its way. */
function packageFiles(root: string, path: string): string[] {
  const found: string[] = [];
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(join(root, file))) found.push(file);
  }
  return found;
}
