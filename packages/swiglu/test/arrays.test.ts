// Arrays of another realm outside of backends (test/conformance/arrays.ts has those): layouts and files.
// And a rule: no source asks with `instanceof` whether an array is one.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { describe, expect, test } from "vitest";
import { pack, swiglu, unpack } from "../src/index.js";
import { openModel } from "../src/models/index.js";
import { activationGraph, gatedFfnGraph, toFile, typedArray } from "../src/onnx-entry.js";
import { foreign } from "./conformance/foreign.js";
import { plainFloats } from "./conformance/samples.js";

const packages = fileURLToPath(new URL("../../", import.meta.url));

test("no source decides with instanceof about an array, which knows the classes of one realm only", () => {
  const found: string[] = [];
  for (const name of ["swiglu", "onnx-grad"]) {
    const folder = join(packages, name, "src");
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue;
      const file = join(folder, path);
      readFileSync(file, "utf8")
        .split("\n")
        .forEach((line, i) => {
          if (/^\s*(\*|\/\/)/.test(line) || !/instanceof \w*(Array|ArrayBuffer|DataView)\b/.test(line))
            return;
          found.push(`${relative(packages, file)}:${i + 1}: ${line.trim()}`);
        });
    }
  }
  // Here it only decides whether a copy is needed: runtimes take arrays of this realm, so those of others are copied.
  const allowed = /^(swiglu.src.onnx.model.elements\.ts|onnx-grad.src.runtime.program\.ts):/;
  expect(found.filter((line) => !allowed.test(line))).toEqual([]);
});

describe("arrays of another realm", () => {
  const values = plainFloats(12, 1);

  test("pack and unpack", () => {
    for (const layout of ["gate-first", "gate-second", "interleaved"] as const) {
      const halves = unpack(foreign(values), [12], { layout });
      expect(halves).toEqual(unpack(values, [12], { layout }));
      const given = { gate: foreign(halves.gate), up: foreign(halves.up) };
      expect(pack(given, [6], { layout })).toEqual(values);
    }
  });

  test("weights and parameters of files", () => {
    const block = (make: (values: Float32Array) => Float32Array) =>
      toFile(
        gatedFfnGraph({
          activation: swiglu,
          dModel: 3,
          dFf: 4,
          weights: { gate: make(values), up: make(values), down: make(values) },
          parameters: { beta: make(values.slice(0, 4)) },
        }),
      );
    expect(block(foreign)).toEqual(block((array) => array));
    const activation = (beta: Float32Array) =>
      toFile(activationGraph(swiglu, { shape: ["rows", 12], parameters: { beta } }));
    expect(activation(foreign(values))).toEqual(activation(values));
  });

  test("model files, and Files and URLs too", async () => {
    const header = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const bytes = new Uint8Array(8 + header.length + 8);
    bytes[0] = header.length;
    bytes.set(new TextEncoder().encode(header), 8);
    new DataView(bytes.buffer).setFloat32(8 + header.length, 1.5, true);
    const other = vm.runInNewContext("new Uint8Array(bytes)", { bytes: Array.from(bytes) }) as Uint8Array;
    expect(other).not.toBeInstanceOf(Uint8Array);
    const file = new Blob([bytes]);
    // A File as another realm has it: all that this realm's `instanceof` does not know.
    const foreignFile = {
      name: "a.safetensors",
      size: file.size,
      slice: (from: number, to: number) => file.slice(from, to),
      [Symbol.toStringTag]: "File",
    } as unknown as File;
    for (const input of [other, { "model.safetensors": other }, file, foreignFile]) {
      const model = await openModel(input);
      expect(Array.from(await model.read("w"))).toEqual([1.5, 0]);
    }
  });

  test("typedArray", () => {
    for (const type of ["float32", "float64", "float16", "int32"] as const)
      expect(typedArray(type, foreign([1, -2, 3]))).toEqual(typedArray(type, [1, -2, 3]));
  });
});
