#!/usr/bin/env node
// The program behind `swiglu`: reads the command line, prints, exits.
import { short } from "../../errors.js";
import { coloured, folded, plain } from "./render.js";
import { type Request, run, usage } from "./run.js";

interface Output {
  write(text: string): boolean;
  on(event: "error", listener: (error: Error & { readonly code?: string }) => void): unknown;
}
interface Process {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Output;
  exitCode?: number;
  exit(code: number): never;
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
  const wrong = mistakeIn(command, model, rest);
  if (wrong !== undefined) {
    process.stderr.write(`${wrong}\n\n${usage}`);
    return 3;
  }
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const { lines, code } = await run({ model, ...parsed.values } as Request, colours ? coloured : plain);
  const { columns, isTTY } = process.stdout;
  const shown = isTTY && columns ? lines.map((line) => folded(line, columns)) : lines;
  (code === 3 ? process.stderr : process.stdout).write(`${shown.join("\n")}\n`);
  return code;
}

/** What is wrong with the words of a command line, as a sentence. */
function mistakeIn(
  command: string | undefined,
  model: string | undefined,
  rest: readonly string[],
): string | undefined {
  if (command === undefined) return "no command was given: say what to check";
  if (command !== "check")
    return `there is no command ${short(command)}: the only one is check, as in swiglu check ${short(command)}`;
  if (model === undefined) return "no model was given: say which file, folder or URL to check";
  return rest.length === 0
    ? undefined
    : `check takes one model, and ${short(rest[0] as string)} is a second one: to compare them, write --against ${short(rest[0] as string)}`;
}

// A reader that has seen enough (| head) is no mistake; output that is lost is one.
process.stdout.on("error", (error) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  process.stderr.write(`the report could not be written: ${error.message}\n`);
  process.exit(3);
});
process.exitCode = await main();
