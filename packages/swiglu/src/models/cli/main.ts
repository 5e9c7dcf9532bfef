#!/usr/bin/env node
// The program behind `swiglu`: reads the command line, prints, exits.
import { coloured, plain } from "./render.js";
import { type Request, run, usage } from "./run.js";

interface Process {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { readonly isTTY?: boolean; write(text: string): boolean };
  readonly stderr: { write(text: string): boolean };
  exitCode?: number;
  getBuiltinModule(name: "node:util"): Util;
}
interface Util {
  parseArgs(config: object): {
    readonly values: Readonly<Record<string, string | boolean>>;
    readonly positionals: readonly string[];
  };
}

const { process } = globalThis as unknown as { readonly process: Process };
const options = {
  against: { type: "string" },
  weights: { type: "boolean" },
  engine: { type: "string" },
  expect: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
};

async function main(): Promise<number> {
  let parsed: ReturnType<Util["parseArgs"]>;
  try {
    parsed = process
      .getBuiltinModule("node:util")
      .parseArgs({ args: process.argv.slice(2), options, allowPositionals: true });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 3;
  }
  const [command, model, ...rest] = parsed.positionals;
  if (parsed.values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (command !== "check" || model === undefined || rest.length > 0) {
    process.stderr.write(usage);
    return 3;
  }
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const { lines, code } = await run({ model, ...parsed.values } as Request, colours ? coloured : plain);
  (code === 3 ? process.stderr : process.stdout).write(`${lines.join("\n")}\n`);
  return code;
}

process.exitCode = await main();
