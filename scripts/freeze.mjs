// Copies the build into a folder, so that a long experiment runs on while the sources change, and writes a script for each study preset there
// that starts it in the background at the lowest priority. Killed at any moment, it goes on where it was when it is started again.
// Usage: npm run build; node scripts/freeze.mjs FOLDER [RUNS FOLDER]
// then, for instance: FOLDER/start length-language; FOLDER/start length-translation --data verses.tsv; tail -f FOLDER/length-language.log
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [target, runs] = process.argv.slice(2);
if (target === undefined) {
  console.error("Usage: node scripts/freeze.mjs FOLDER [RUNS FOLDER]");
  process.exit(1);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = resolve(target);
if (existsSync(folder)) {
  console.error(
    `error: ${folder} is there already: name another folder, or go on in that one with ${folder}/start PRESET.`,
  );
  process.exit(1);
}
const packages = ["swiglu", "onnx-grad", "lab"];
for (const name of packages) {
  const [from, to] = [join(root, "packages", name), join(folder, "packages", name)];
  cpSync(join(from, "dist"), join(to, "dist"), { recursive: true });
  cpSync(join(from, "package.json"), join(to, "package.json"));
  if (existsSync(join(from, "node_modules"))) link(join(from, "node_modules"), join(to, "node_modules"));
}
link(join(root, "node_modules"), join(folder, "node_modules"));
const commit = execFileSync("git", ["-C", root, "rev-parse", "HEAD"], { encoding: "utf8" }).trim();
writeFileSync(join(folder, "COMMIT"), `${commit}\n`);
const out = runs === undefined ? join(folder, "runs") : resolve(runs);
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
writeFileSync(
  join(folder, "start"),
  `#!/bin/sh
# Starts a study in the background: start PRESET [options of swiglu-lab compare], as in: start spans --data spans.tsv
preset=$1; shift
cd "$(dirname "$0")" || exit 1
nohup nice -n 19 ${quoted(process.execPath)} packages/lab/dist/cli.js compare --preset "$preset" --out ${quoted(out)} "$@" >> "$preset.log" 2>&1 < /dev/null &
echo $! > "$preset.pid"
echo "$preset: process $!, log in $PWD/$preset.log"
`,
  { mode: 0o755 },
);
console.log(
  `${folder}: the build of ${commit.slice(0, 10)}. Start one with ${folder}/start PRESET; results go to ${out}.`,
);

/** A folder again in another place, its files as links to the same content: what npm replaces later stays here. */
function link(from, to) {
  const stat = lstatSync(from);
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (stat.isDirectory()) {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) if (name !== ".cache") link(join(from, name), join(to, name));
  } else {
    mkdirSync(dirname(to), { recursive: true });
    try {
      linkSync(from, to);
    } catch {
      cpSync(from, to); // another file system
    }
  }
}
