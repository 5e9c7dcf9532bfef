// A regression test: names and shapes as transformers 5.18 saves them, of 69 families with small random weights, and what
// `check` said of each when the fixture was made. What says that it is right: families.test.ts and transformers-blocks.test.ts.
import { readFileSync } from "node:fs";
import { check } from "swiglu/models";
import { describe, expect, test } from "vitest";
import { floats, gguf, safetensors } from "./files.js";

interface Saved {
  readonly config: object;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly blocks: readonly string[];
}
const saved = JSON.parse(
  readFileSync(new URL("fixtures/transformers.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Saved>>;

const zeros = (shape: readonly number[]) => floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));

describe("families as transformers saves them", () => {
  for (const [family, { config, tensors, blocks }] of Object.entries(saved))
    test(`${family}: ${blocks.join("; ")}`, async () => {
      const stored = Object.fromEntries(Object.entries(tensors).map(([name, shape]) => [name, zeros(shape)]));
      const report = await check({
        "model.safetensors": safetensors(stored),
        "config.json": new TextEncoder().encode(JSON.stringify(config)),
      });
      const lines = report.blocks.map(({ role, activation, layout, orientation, dModel, dFf, experts }) =>
        [role, ...[activation, layout, orientation, dModel, dFf, experts].map(({ value }) => value)].join(
          " ",
        ),
      );
      expect([...new Set(lines)]).toEqual(blocks);
      expect(report.findings).toEqual([]);
    });
});

describe("a matrix under a name that no rule knows", () => {
  test("of up's shape may be a gate: unknown, not ungated", async () => {
    const mlp = "model.layers.0.mlp";
    const tensors = {
      [`${mlp}.up_proj.weight`]: zeros([10, 6]),
      [`${mlp}.brand_new.weight`]: zeros([10, 6]),
      [`${mlp}.down_proj.weight`]: zeros([6, 10]),
    };
    const config = { model_type: "llama", hidden_act: "silu", hidden_size: 6 };
    const { blocks } = await check({
      "model.safetensors": safetensors(tensors),
      "config.json": new TextEncoder().encode(JSON.stringify(config)),
    });
    const evidence = `${mlp}.brand_new.weight has the shape of up_proj, and may be a gate under a name that no rule knows`;
    expect(blocks[0]?.layout).toEqual({ value: "unknown", evidence, strength: "none" });
    expect(blocks[0]?.activation.value).toBe("unknown");
  });
  test("the same in GGUF; attention's matrices of that shape are none", async () => {
    const ungated = {
      "blk.0.ffn_up.weight": zeros([10, 6]),
      "blk.0.ffn_down.weight": zeros([6, 10]),
      "blk.0.attn_q.weight": zeros([10, 6]),
    };
    const metadata = { "general.architecture": { text: "nemotron" } };
    expect((await check(gguf(metadata, ungated))).blocks[0]?.activation.value).toBe("relu2");
    const odd = { ...ungated, "blk.0.ffn_brand_new.weight": zeros([10, 6]) };
    expect((await check(gguf(metadata, odd))).blocks[0]?.layout.value).toBe("unknown");
  });
});
