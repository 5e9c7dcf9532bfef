// The command `swiglu check`: its options, what it prints, and its exit code.
import { activations } from "../../catalogue/catalogue.js";
import { listing, short, suggestion } from "../../errors.js";
import { compareModels } from "../check/against.js";
import type { BlockReport, Report } from "../check/block-report.js";
import { type Engine, engineDeviations, engines, readBy } from "../check/engines.js";
import { checkModel } from "../check/report.js";
import { ModelFileError } from "../files/bytes.js";
import { openModel } from "../model.js";
import { type Paint, renderReport } from "./render.js";

export const usage = `swiglu check MODEL [options]

Says which activation a model file has, layer by layer, and what says so. MODEL is a folder, a .safetensors, .gguf or .onnx
file, or a URL of one; over the web only headers are read.

  --against OTHER   compare with an original or a conversion
  --weights         with --against: read a few rows and show swapped halves
  --engine NAME     where an engine is known to compute something else: ${engines.join(", ")}
  --expect WORDS    names that every block must have: activation, layout, orientation
  --json            print the report as JSON
  -h, --help        print this

  swiglu check path/to/model
  swiglu check path/to/model --against converted.gguf --weights
  swiglu check converted.gguf --engine llama.cpp --expect swiglu,separate

Exit codes: 0 all agree, 1 a difference, 2 unknown where it was asked for, 3 wrong options, or the file cannot be read.
`;

/** What the command was asked for. */
export interface Request {
  readonly model: string;
  readonly against?: string;
  readonly weights?: boolean;
  readonly engine?: string;
  readonly expect?: string;
  readonly json?: boolean;
}

/** What it prints, and its exit code. */
export interface Answer {
  readonly lines: readonly string[];
  readonly code: 0 | 1 | 2 | 3;
}

/** Runs one check. Unreadable files and wrong options are an answer too, with code 3. */
export async function run(request: Request, paint: Paint): Promise<Answer> {
  try {
    return await answer(request, paint);
  } catch (error) {
    if (!(error instanceof ModelFileError || error instanceof RangeError || error instanceof TypeError))
      throw error;
    const what = error instanceof ModelFileError ? "cannot be read" : "cannot be done";
    return { lines: [`${paint("red", what)}: ${error.message}`], code: 3 };
  }
}

async function answer(
  { model: path, against, weights = false, engine, expect, json = false }: Request,
  paint: Paint,
): Promise<Answer> {
  if (engine !== undefined && !(engines as readonly string[]).includes(engine))
    throw new RangeError(`--engine is ${short(engine)}, expected one of ${engines.join(", ")}`);
  const words = expect === undefined ? [] : wordsOf(expect);
  const model = await openModel(path);
  const report = checkModel(model);
  const other = against === undefined ? undefined : await openModel(against);
  const comparison = other && (await compareModels(model, other, { weights }));
  const deviations = engine === undefined ? [] : engineDeviations(report, engine as Engine);
  const expectation = expect === undefined ? undefined : judge(report, words);
  await Promise.all([model.close(), other?.close()]);
  const differences = [
    ...(comparison?.differences ?? []),
    ...deviations,
    ...(expectation?.differences ?? []),
  ];
  const unread = engine !== undefined && !readBy[engine as Engine].includes(report.format);
  const undecided = [
    ...(unread
      ? [`what ${engine} makes of ${report.format} files is not in the table: convert it first`]
      : []),
    ...(comparison?.undecided ?? []),
    ...(expectation?.undecided ?? []),
  ];
  const code = differences.length > 0 ? 1 : undecided.length > 0 ? 2 : 0;
  if (json) return { lines: [JSON.stringify({ ...report, differences, undecided }, forJson, 2)], code };
  const asked = [
    ...(against === undefined ? [] : [`${path} and ${against} agree`]),
    ...(engine === undefined ? [] : [`it is not known that ${engine} computes anything else for this file`]),
    ...(expect === undefined ? [] : [`every block is ${expect}`]),
  ];
  const verdict = code === 0 ? asked.map((text) => `${paint("green", "ok")}: ${text}`) : [];
  return {
    lines: [
      ...renderReport(path, report, paint),
      ...differences.map((text) => `${paint("red", "differs")}: ${text}`),
      ...undecided.map((text) => `${paint("yellow", "unknown")}: ${text}`),
      ...verdict,
    ],
    code,
  };
}

/** JSON has no infinity: no limit is "Infinity", as in files of layers. */
const forJson = (_: string, value: unknown): unknown => (value === Infinity ? "Infinity" : value);

const layouts = ["gate-first", "gate-second", "interleaved", "separate", "ungated"];
const orientations = ["[out,in]", "[in,out]"];

/** The words of --expect. Throws a RangeError for one that is no activation, layout or orientation, with the nearest. */
function wordsOf(expect: string): string[] {
  const words = expect.split(/,(?!in\]|out\])/).map((part) => part.trim());
  const known = [...Object.keys(activations), ...layouts, ...orientations];
  for (const word of words)
    if (!known.includes(word))
      throw new RangeError(
        `--expect has ${short(word)}, which is no activation, layout (${listing(layouts)}) or orientation (${listing(orientations)}).${suggestion(word, known)}`,
      );
  return words;
}

/** Compares every block with the words that it should have. */
function judge({ blocks }: Report, words: readonly string[]): { differences: string[]; undecided: string[] } {
  const [differences, undecided]: [Set<string>, Set<string>] = [new Set(), new Set()];
  if (blocks.length === 0) undecided.add(`expected ${words.join()}, and no feed-forward block was found`);
  for (const word of words)
    for (const block of blocks) {
      const { value, evidence } = fieldFor(block, word);
      if (value === word) continue;
      const place = `${block.stack} (${block.role})`;
      if (value === "unknown") undecided.add(`${place}: expected ${word}, unknown: ${evidence}`);
      else differences.add(`${place}: expected ${word}, found ${value} (${evidence})`);
    }
  return { differences: [...differences], undecided: [...undecided] };
}

function fieldFor(block: BlockReport, word: string): { value: string; evidence: string } {
  if (layouts.includes(word)) return block.layout;
  return orientations.includes(word) ? block.orientation : block.activation;
}
