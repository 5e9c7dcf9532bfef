// Brings WebGPU to Node under node_modules/.cache/webgpu: Dawn (npm `webgpu`) and, on Linux, a description of a software
// Vulkan driver (lavapipe) that Dawn accepts. Debian 12's own is too old, so the one of its backports is unpacked beside it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules", ".cache", "webgpu");
const driver = join(folder, "driver");
const icd = join(folder, "icd.json");
/** The oldest Mesa whose lavapipe Dawn 0.6 takes. */
const oldestMesa = 24;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const spawn = (command, args, options) => spawnSync(command, args, { encoding: "utf8", ...options });

/** Runs a command and returns what it printed; a failure ends the set-up with the command's own words. */
function run(command, args, options) {
  const { status, stdout, stderr, error } = spawn(command, args, options);
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) fail(`${command} ${args.join(" ")} failed:\n${stderr || stdout}`);
  return stdout;
}

function getDawn() {
  if (existsSync(join(folder, "node_modules", "webgpu", "index.js"))) return;
  const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
  run("npm", ["install", "--prefix", folder, ...flags, "webgpu@0.6.2"], {
    shell: process.platform === "win32",
  });
}

/** Where the system keeps descriptions of Vulkan drivers. */
function systemIcd() {
  const at = "/usr/share/vulkan/icd.d";
  const name = existsSync(at) && readdirSync(at).find((file) => file.startsWith("lvp_icd"));
  return name ? join(at, name) : undefined;
}

/** The version of an installed Debian package, or "" where there is none. */
const installed = (name) => spawn("dpkg-query", ["-W", "-f", "$" + "{Version}", name]).stdout ?? "";

/** Unpacks lavapipe from the backports of this machine's own mirror, without installing it. */
function unpackBackport() {
  const release = /VERSION_CODENAME=(\w+)/.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const targets = run("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE)",
    "Created-By: Packages",
  ]);
  const mirror = targets
    .split("\n")
    .find((line) => line.endsWith(` ${release}`))
    ?.split(" ")[0];
  if (mirror === undefined) fail(`apt's sources on this machine do not name a mirror of ${release}`);
  const apt = join(folder, "apt");
  mkdirSync(join(apt, "lists", "partial"), { recursive: true });
  mkdirSync(join(apt, "cache", "archives", "partial"), { recursive: true });
  writeFileSync(join(apt, "sources.list"), `deb ${mirror} ${release}-backports main\n`);
  const options = [
    ["Dir::Etc::SourceList", join(apt, "sources.list")],
    ["Dir::Etc::SourceParts", "-"],
    ["Dir::State::Lists", join(apt, "lists")],
    ["Dir::Cache", join(apt, "cache")],
    ["APT::Sandbox::User", "root"],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  run("apt-get", [...options, "update"]);
  run("apt-get", [...options, "download", "mesa-vulkan-drivers"], { cwd: apt });
  const archive = readdirSync(apt).find((file) => file.endsWith(".deb"));
  run("dpkg", ["-x", join(apt, archive), driver]);
  rmSync(apt, { recursive: true });
}

function describeDriver() {
  if (process.platform !== "linux" || existsSync(icd)) return;
  const version = installed("mesa-vulkan-drivers");
  if (version === "" || installed("libvulkan1") === "")
    fail(
      "a Vulkan loader and driver are missing: apt-get install libvulkan1 mesa-vulkan-drivers, then run this again",
    );
  if (Number.parseInt(version, 10) >= oldestMesa) {
    writeFileSync(
      icd,
      readFileSync(systemIcd() ?? fail("no description of lavapipe in /usr/share/vulkan/icd.d")),
    );
    return;
  }
  unpackBackport();
  const library = run("find", [driver, "-name", "libvulkan_lvp.so"]).trim();
  const description = {
    file_format_version: "1.0.0",
    ICD: { library_path: library, api_version: "1.4.305" },
  };
  writeFileSync(icd, `${JSON.stringify(description, undefined, 2)}\n`);
}

mkdirSync(folder, { recursive: true });
getDawn();
describeDriver();
process.stderr.write(`WebGPU for Node is in ${folder}\n`);
