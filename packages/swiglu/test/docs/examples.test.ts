// Every example in a docstring of the library, and every TypeScript snippet in its documents, runs and gives what it says.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as jaxjs from "@jax-js/jax";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import * as runtime from "onnxruntime-node";
import * as swiglu from "swiglu";
import * as jax from "swiglu/jax";
import * as models from "swiglu/models";
import * as onnx from "swiglu/onnx";
import * as tfjs from "swiglu/tfjs";
import { beforeEach, describe, expect, test } from "vitest";
import { chebyshevToPolynomial } from "../../src/expression/chebyshev.js";
import { lower } from "../../src/expression/lower.js";
import { packedViews } from "../../src/layout.js";
import * as assembler from "../../src/wasm/assembler/instructions.js";
import { ModuleBuilder } from "../../src/wasm/assembler/module.js";
import { dawn, driver, unlessDriver } from "../webgpu/dawn.js";
import { runExample } from "./run-example.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const { expressions } = swiglu;

/** WebGPU as examples use it. */
const gpu = driver ? await dawn() : undefined;
/** Whether an example needs WebGPU where there is none. */
const lacksGpu = (code: string): boolean => gpu === undefined && /\bgpu\b/.test(code);
/** A test's name; where the example is left out, with the reason. */
const titled = (name: string, code: string): string => (lacksGpu(code) ? name + unlessDriver : name);

/** What docstrings take for granted: the library's names, and a little data. Activations win over builders. */
const scope = {
  ...expressions,
  ...swiglu,
  ...onnx,
  ...tfjs,
  ...models,
  tf,
  runtime,
  gpu,
  chebyshevToPolynomial,
  lower,
  f32: assembler.f32,
  ModuleBuilder,
  packedViews,
  gate: Float32Array.of(1, 2),
  up: Float32Array.of(3, 4),
  packed: Float32Array.of(1, 3, 2, 4),
};

/** What the docstrings of one entry take for granted, where names would clash. */
const ownScopes: Readonly<Record<string, object>> = { jax: { ...jax, np: jaxjs.numpy } };

beforeEach(() => tf.setBackend("cpu"));
await jaxjs.init("wasm");
jaxjs.defaultDevice("wasm");

describe("docstrings", () => {
  const folder = join(root, "packages/swiglu/src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  for (const file of files) {
    const source = readFileSync(join(folder, file), "utf8");
    for (const [, block = ""] of source.matchAll(/@example\s*\n?([\s\S]*?)\*\//g)) {
      const code = block.replace(/^[ \t]*\* ?/gm, "").trim();
      test.skipIf(lacksGpu(code))(titled(`${file}: ${code.split("\n")[0]}`, code), async () => {
        // Builders that share a name with an activation, where the example clearly means the builder.
        const builders = /^(text|simplify|lower)\(/.test(code) ? expressions : {};
        await runExample(code, { ...scope, ...ownScopes[dirname(file)], ...builders });
      });
    }
  }
});

describe("documents", () => {
  const documents = [
    "README.md",
    "packages/swiglu/README.md",
    "docs/tfjs.md",
    "docs/jax.md",
    "docs/models.md",
    "docs/webgpu.md",
    "docs/which-swiglu.md",
  ];
  for (const file of documents) {
    const snippets = [...readFileSync(join(root, file), "utf8").matchAll(/```(?:ts|js)\n([\s\S]*?)```/g)];
    test(`${file} has snippets`, () => expect(snippets.length).toBeGreaterThan(0));
    snippets.forEach(([, code = ""], i) => {
      test.skipIf(lacksGpu(code))(titled(`${file} snippet ${i + 1}`, code), async () => {
        const modules: Readonly<Record<string, object>> = {
          swiglu,
          "swiglu/onnx": onnx,
          "swiglu/tfjs": tfjs,
          "swiglu/jax": jax,
          "swiglu/models": models,
          "@tensorflow/tfjs": tf,
          "@jax-js/jax": jaxjs,
          "onnxruntime-node": runtime,
        };
        const imported: Record<string, unknown> = { gpu };
        const named = code
          .replace(/^import "[^"]+";$/gm, "")
          .replace(/^import \* as (\w+) from "([^"]+)";$/gm, (_, name: string, module: string) => {
            imported[name] = modules[module];
            return "";
          });
        const body = named.replace(
          /^import \{([^}]*)\} from "([^"]+)";$/gm,
          (_, names: string, module: string) => {
            for (const name of names.split(",").map((part) => part.trim())) {
              const [exported = "", local = exported] = name.split(" as ");
              expect(modules[module], `${module} in ${file}`).toHaveProperty(exported);
              imported[local] = Reflect.get(modules[module] as object, exported);
            }
            return "";
          },
        );
        expect(await runExample(body, imported)).toBeGreaterThan(0);
      });
    });
  }
});
