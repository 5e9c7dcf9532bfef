// The WebGPU backend passes the suite that every backend runs, on Dawn in Node; test/runtimes runs it in Chromium.
import { afterAll, describe, test } from "vitest";
import { webgpu } from "../../src/index.js";
import { conformanceCases } from "../conformance/index.js";
import { driver, requestDevice, unlessDriver } from "./dawn.js";

describe.runIf(driver)(`WebGPU in Node, float32${unlessDriver}`, async () => {
  const device = driver ? await requestDevice() : undefined;
  const backend = device && (await webgpu({ device }));
  afterAll(() => backend?.dispose());
  for (const { name, run } of conformanceCases()) test(name, () => backend && run(backend));
});
