// Every snippet of docs/onnx.md runs and gives what it says.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as native from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import * as swiglu from "../../src/index.js";
import * as onnx from "../../src/onnx-entry.js";
import { runExample } from "../docs/run-example.js";

const modules: Readonly<Record<string, object>> = {
  swiglu,
  "swiglu/onnx": onnx,
  "onnxruntime-node": native,
};
const text = readFileSync(fileURLToPath(new URL("../../../../docs/onnx.md", import.meta.url)), "utf8");
const snippets = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

describe("docs/onnx.md", () => {
  test.each(snippets.map((code, i) => [i + 1, code] as const))("snippet %i", async (_, code) => {
    const scope: Record<string, unknown> = {};
    const body = code.replace(
      /^import (?:\{([^}]*)\}|\* as (\w+)) from "([^"]+)";$/gm,
      (_line, names: string | undefined, whole: string | undefined, from: string) => {
        const module = modules[from];
        expect(module, `${from} in docs/onnx.md`).toBeDefined();
        if (whole) scope[whole] = module;
        for (const name of names?.split(",").map((part) => part.trim()) ?? []) {
          expect(module).toHaveProperty(name);
          scope[name] = Reflect.get(module as object, name);
        }
        return "";
      },
    );
    expect(await runExample(body, scope)).toBeGreaterThan(0);
  });
});
