// Blocks opened from files that transformers 5.18 saved, evaluated here, against what its own modules computed (PyTorch 2.13).
// Half, order, orientation, expert, variant and limit must all be right for the numbers to agree.
import { readFileSync } from "node:fs";
import { type Backend, reference, wasm } from "swiglu";
import { type BlockChoice, openBlock, openModel, type Role } from "swiglu/models";
import { describe, expect, test } from "vitest";
import { floats, type Stored, safetensors } from "./files.js";

const fixture = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
const configs = JSON.parse(new TextDecoder().decode(fixture("transformers-config.json"))) as Readonly<
  Record<string, object>
>;
const all = await openModel(fixture("transformers.safetensors"));
const outputs = [...all.tensors.keys()].filter((name) => /:(dense|routed|shared):/.test(name));

/** The family's own file, as it was saved. */
async function fileOf(family: string) {
  const tensors: Record<string, Stored> = {};
  for (const [name, { shape }] of all.tensors)
    if (name.startsWith(`${family}/`))
      tensors[name.slice(family.length + 1)] = floats(shape, await all.read(name));
  return openModel({
    "model.safetensors": safetensors(tensors),
    "config.json": new TextEncoder().encode(JSON.stringify(configs[family])),
  });
}

describe("blocks as transformers computes them", async () => {
  const backends: readonly Backend[] = [await reference(), await wasm()];
  test("there are more than 40", () => expect(outputs.length).toBeGreaterThan(40));
  for (const output of outputs) {
    const [family = "", role = "", tower = ""] = output.split(":");
    test(`${family}, ${role}: within 2e-6 of the largest output of each row`, async () => {
      const model = await fileOf(family);
      const choice: BlockChoice = {
        layer: 0,
        role: role as Role,
        ...(role === "routed" ? { expert: 2 } : {}),
        ...(tower === "" ? {} : { stack: tower }),
        ...(family === "hrm_text" ? { stack: "L_module" } : {}),
      };
      const stacks = ["t5", "mt5", "moonshine"].includes(family)
        ? { ...choice, stack: tower || "encoder" }
        : choice;
      const block = await openBlock(model, stacks);
      const [x, wanted] = [await all.read(`${family}:x`), await all.read(output)];
      for (const backend of backends) {
        const ffn = block.gated ? await backend.gatedFfn(block) : await backend.ffn(block);
        const got = await ffn.forward(x, 2);
        ffn.dispose();
        for (const row of [0, 1]) {
          const [ours, theirs] = [got, wanted].map((numbers) => numbers.slice(8 * row, 8 * row + 8)) as [
            Float32Array,
            Float32Array,
          ];
          const largest = Math.max(...theirs.map(Math.abs));
          expect(largest).toBeGreaterThan(0);
          const worst = Math.max(
            ...ours.map((value, i) => Math.abs(value - (theirs[i] as number)) / largest),
          );
          expect(worst).toBeLessThan(2e-6);
        }
      }
    });
  }
  test("the limits of DeepSeek-V4 and gpt-oss bind there", async () => {
    for (const family of ["deepseek_v4", "gpt_oss"]) {
      const { dFf, parameters, weights } = await openBlock(await fileOf(family), { layer: 0, expert: 2 });
      const { gate } = weights as { readonly gate: Float32Array };
      const x = (await all.read(`${family}:x`)).slice(8);
      const gates = Array.from({ length: dFf }, (_, o) =>
        x.reduce((sum, value, i) => sum + value * (gate[i * dFf + o] as number), 0),
      );
      expect(Math.max(...gates)).toBeGreaterThan(parameters.limit as number);
    }
  });
});
