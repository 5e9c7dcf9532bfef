// `swiglu check` as a program: what it prints, and its exit codes.
import { execFile, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openModel } from "swiglu/models";
import { afterAll, describe, expect, test } from "vitest";
import { coloured, folded } from "../../src/models/cli/render.js";
import { run } from "../../src/models/cli/run.js";
import { floats, gguf, type Stored, safetensors } from "./files.js";

const folder = mkdtempSync(join(tmpdir(), "swiglu-check-"));
afterAll(() => rmSync(folder, { recursive: true }));
const program = fileURLToPath(new URL("../../dist/models/cli/main.js", import.meta.url));

const zeros = (...shape: number[]): Stored =>
  floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
const layer = (i: number, hidden = 10): Record<string, Stored> => ({
  [`model.layers.${i}.mlp.gate_proj.weight`]: zeros(hidden, 6),
  [`model.layers.${i}.mlp.up_proj.weight`]: zeros(hidden, 6),
  [`model.layers.${i}.mlp.down_proj.weight`]: zeros(6, hidden),
});
writeFileSync(join(folder, "model.safetensors"), safetensors({ ...layer(0), ...layer(1), ...layer(2, 12) }));
writeFileSync(
  join(folder, "config.json"),
  JSON.stringify({ model_type: "llama", hidden_act: "silu", hidden_size: 6 }),
);
const converted = (architecture: string): string => {
  const file = join(folder, `${architecture}.gguf`);
  const tensors = Object.fromEntries(
    [10, 10, 12].flatMap((hidden, i) => [
      [`blk.${i}.ffn_gate.weight`, zeros(hidden, 6)],
      [`blk.${i}.ffn_up.weight`, zeros(hidden, 6)],
      [`blk.${i}.ffn_down.weight`, zeros(6, hidden)],
    ]),
  );
  writeFileSync(file, gguf({ "general.architecture": { text: architecture } }, tensors));
  return file;
};
const llama = converted("llama");
const gemma = converted("gemma");
const strange = converted("strange");

const swiglu = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });

describe("swiglu check", () => {
  test("prints one line for layers that are alike, and what says so", async () => {
    const { code, out } = await swiglu("check", folder);
    expect(code).toBe(0);
    expect(out.replace(folder, "MODEL")).toMatchInlineSnapshot(`
      "MODEL: safetensors, llama
      #  layers  role   activation  layout    weights   dModel  dFf  experts  stored
      1  0-1     dense  swiglu      separate  [out,in]  6       10   1        F32
      2  2       dense  swiglu      separate  [out,in]  6       12   1        F32
        activation: config.json: hidden_act is silu (metadata)
        layout: gate_proj and up_proj are two tensors (tensors)
      "
    `);
  });
  test("original and conversion that agree: 0", async () => {
    const { code, out } = await swiglu("check", folder, "--against", llama);
    expect(out).toContain(`ok: ${folder} and ${llama} agree`);
    expect(code).toBe(0);
  });
  test("a difference: 1", async () => {
    const { code, out } = await swiglu("check", folder, "--against", gemma, "--weights");
    expect(out).toContain("differs: layers 0-2, dense: swiglu in the first model, gegluTanh in the second");
    expect(code).toBe(1);
  });
  test("unknown where it was asked for: 2", async () => {
    const { code, out } = await swiglu("check", strange, "--expect", "swiglu");
    expect(out).toContain(
      "unknown: blk.N (dense): expected swiglu, unknown: no rule knows the architecture strange",
    );
    expect(code).toBe(2);
  });
  test("a file that cannot be read, or an option that is not there: 3", async () => {
    const { code, err } = await swiglu("check", join(folder, "config.json"));
    expect(err).toContain("cannot be read: config.json is no safetensors, GGUF or ONNX file");
    expect(code).toBe(3);
    expect((await swiglu("check", folder, "--colour")).code).toBe(3);
    expect((await swiglu()).err).toContain("swiglu check MODEL [options]");
  });
  test("--expect compares activation, layout and orientation", async () => {
    expect((await swiglu("check", folder, "--expect", "swiglu,separate,[out,in]")).code).toBe(0);
    const { code, out } = await swiglu("check", folder, "--expect", "swiglu,gate-first");
    expect(out).toContain("differs: model.layers.N.mlp (dense): expected gate-first, found separate");
    expect(code).toBe(1);
  });
  test("a word that is none is no difference, but a mistake", async () => {
    const { code, err } = await swiglu("check", folder, "--expect", "swigul");
    expect(err).toMatch(
      /^cannot be done: --expect has swigul, which is no activation.*Did you mean swiglu\?/,
    );
    expect(code).toBe(3);
  });
  test("wrong words are answered with what to write", async () => {
    expect((await swiglu("chekc", folder)).err).toMatch(/^there is no command chekc: the only one is check/);
    expect((await swiglu("check")).err).toMatch(/^no model was given/);
    expect((await swiglu("check", folder, llama)).err).toContain(`to compare them, write --against ${llama}`);
    expect((await swiglu("check", join(folder, "nowhere"))).err).toContain("nowhere is no file or folder");
    const help = await swiglu("--help");
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain("Exit codes:");
  });
  test.runIf(existsSync("/dev/full"))("output that is lost is said, in a sentence", () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [program, "check", folder], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    closeSync(full);
    expect(stderr).toMatch(/^the report could not be written: ENOSPC.*\n$/);
    expect(status).toBe(3);
  });
  test("long lines are broken between words on a terminal, colours not counted", () => {
    expect(folded("differs: one two three four", 12)).toBe("differs: one\n    two\n    three\n    four");
    expect(folded(`${coloured("red", "differs")}: one two`, 12)).toBe(
      "\u001b[31mdiffers\u001b[0m: one\n    two",
    );
    expect(folded("  [1] a b", 40)).toBe("  [1] a b");
  });
  test("--engine says where one computes something else", async () => {
    const bitnet = converted("bitnet");
    const { code, out } = await swiglu("check", bitnet, "--engine", "llama.cpp");
    expect(out).toContain("differs: layers 0-2: llama.cpp computes silu where BitNet has relu2");
    expect(code).toBe(1);
    expect((await swiglu("check", llama, "--engine", "llama.cpp")).code).toBe(0);
    const unread = await swiglu("check", folder, "--engine", "llama.cpp");
    expect(unread.out).toContain("unknown: what llama.cpp makes of safetensors files is not in the table");
    expect(unread.code).toBe(2);
    expect((await swiglu("check", llama, "--engine", "sglang")).err).toContain(
      "--engine is sglang, expected one of",
    );
  });
  test("--json is the report", async () => {
    const { out } = await swiglu("check", folder, "--json");
    const { blocks, family, differences } = JSON.parse(out);
    expect([family, blocks.length, differences]).toEqual(["llama", 3, []]);
    expect(blocks[0].activation).toEqual({
      value: "swiglu",
      evidence: "config.json: hidden_act is silu",
      strength: "metadata",
    });
  });
  test("colours are for terminals only", async () => {
    const { lines } = await run({ model: folder }, coloured);
    expect(lines.join("\n")).toContain("\u001b[1m");
    expect((await swiglu("check", folder)).out).not.toContain("\u001b[");
  });
});

test("5,000 tensors on disk are judged in half a second of processor time, the best of three", async () => {
  const file = join(folder, "many.safetensors");
  writeFileSync(file, safetensors(Object.assign({}, ...Array.from({ length: 1700 }, (_, i) => layer(i)))));
  const took: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    const { code } = await run({ model: file }, (_, text) => text);
    const { user, system } = process.cpuUsage(before);
    expect(code).toBe(0);
    took.push((user + system) / 1e6);
  }
  const model = await openModel(file);
  expect(model.tensors.size).toBe(5100);
  await model.close();
  expect(Math.min(...took)).toBeLessThan(0.5);
});
