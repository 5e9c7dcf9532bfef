// Brings a fresh clone to a state where it can run: installs packages (without their scripts) and builds.
// Plain JavaScript because it runs before anything is installed. Does nothing that is already done.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".installed-lock.json");

/** Runs a command in the root folder; its own output is shown, and a failure ends the set-up with its exit code. */
function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (error) process.stderr.write(`${command} could not be started: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Node ${process.versions.node} is too old: swiglu needs Node 20.19 or newer.\n`);
  process.exit(1);
}

const lock = readFileSync(join(root, "package-lock.json"), "utf8");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  run("Set-up 1/2: installing packages from the lock file (once; about a minute) ...", "npm", [
    // Not `ci`: it refuses a lock file that lacks other platforms' optional binaries, which a registry may not have.
    "install",
    "--no-save",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  writeFileSync(stamp, lock);
}
run("Set-up 2/2: building (only what changed) ...", process.execPath, [
  join(root, "node_modules", "typescript", "bin", "tsc"),
  "-b",
]);
