// A long-lived process that answers a line of JSON with a line of JSON: Python, this Node, or another one.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export class Child {
  private readonly process: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: AsyncIterator<string>;

  /** `hint` completes the error when it ends too early: what to check. */
  constructor(
    command: string,
    args: readonly string[],
    private readonly hint: string,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.process = spawn(command, args, {
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "inherit"],
    });
    // A process that cannot be started, or has ended, shows in `read`; here it must not end this one.
    this.process.on("error", () => {});
    this.process.stdin.on("error", () => {});
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** The next line that begins as JSON does, of an array, an object or a text; others, which native code may write, are passed on to standard error. */
  async read<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`${this.process.spawnargs[0]} ended before it answered; ${this.hint}`);
      if (/^[[{"]/.test(value)) return JSON.parse(value);
      process.stderr.write(`${value}\n`);
    }
  }

  /** Its answer to a message. */
  ask<T>(message: object): Promise<T> {
    this.process.stdin.write(`${JSON.stringify(message)}\n`);
    return this.read();
  }

  async end(): Promise<void> {
    this.process.stdin.end();
    if (this.process.exitCode === null && this.process.pid !== undefined) await once(this.process, "exit");
  }
}
