// The shared suite over ONNX files: exact mode holds the library's bound in both runtimes, at the oldest and newest opset
// that they load, as nodes and as a function.
import { describe, test } from "vitest";
import { adapterCases, blockAdapterCases, type Skip } from "../conformance/adapters.js";
import { blockAdapter, claim, elementwiseAdapter, type FaceOptions } from "./adapter.js";
import { runtimes } from "./runtime.js";

const files: readonly (readonly [keyof typeof runtimes, FaceOptions])[] = [
  ["onnxruntime-node", { opset: 21 }],
  ["onnxruntime-node", { opset: 13, asFunction: true }],
  ["onnxruntime-web", { opset: 26 }],
];
describe.each(files)("exact, %s, %o", (runtime, options) => {
  const exact = { ...options, math: "exact" } as const;
  const adapter = elementwiseAdapter(runtimes[runtime], exact);
  // Each layout and axis is a file of its own; they differ in the indices of two slices.
  const slow: Skip[] =
    runtime === "onnxruntime-web" ? [[/packed layouts/, "takes long, runs in onnxruntime-node"]] : [];
  for (const { name, skip, run } of adapterCases(adapter, claim, slow)) test.skipIf(skip)(name, run);
  for (const { name, run } of blockAdapterCases(blockAdapter(runtimes[runtime], exact))) test(name, run);
});

describe.each(files)("fast blocks, %s, %o", (runtime, options) => {
  const fast = { ...options, math: "fast" } as const;
  for (const { name, run } of blockAdapterCases(blockAdapter(runtimes[runtime], fast))) test(name, run);
});
