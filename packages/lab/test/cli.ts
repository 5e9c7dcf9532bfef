// Runs the built command line as a process, as users do, on small image sets.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the output so far matches; rejects when the process ends first. */
  until(pattern: RegExp): Promise<void>;
}

/** Starts swiglu-lab in a folder. */
export const startCli = (args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Running =>
  start(process.execPath, [CLI, ...args], cwd, env);

/** Starts any program in a folder. */
export function start(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Running {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    for (const check of waiting) check();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!pattern.test(stdout)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      ended.then(() => reject(new Error(`ended before ${pattern}: ${stdout}${stderr}`)));
    });
  return { child, ended, until };
}

export const runCli = (args: readonly string[], cwd: string): Promise<Ended> => startCli(args, cwd).ended;

/** Runs any program in a folder. */
export const run = (command: string, args: readonly string[], cwd: string): Promise<Ended> =>
  start(command, args, cwd).ended;

/** The process ids of a process's children (Linux). */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until a condition holds, at most `seconds`; resolves with whether it does. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  seconds: number,
): Promise<boolean> {
  const end = Date.now() + 1000 * seconds;
  while (!(await condition()) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  return condition();
}
