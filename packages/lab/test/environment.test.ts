// Machines as records name them.
import { cpus } from "node:os";
import { expect, test } from "vitest";
import { describeEnvironment, environment, machinesOf } from "../src/system/environment.js";

test("this machine, in one line", () => {
  const here = environment();
  expect(here.processor.startsWith(cpus()[0]!.model.trim())).toBe(true);
  expect(here.processor).toMatch(/[^)]$|\((AVX2|AVX-512)\)$/);
  expect(describeEnvironment(here)).toBe(
    `${here.processor}, ${cpus().length} cores; ${process.platform} ${process.arch}; Node ${process.version}, ONNX Runtime ${here.onnxRuntime}`,
  );
  expect(here.onnxRuntime).toMatch(/^\d+\.\d+\.\d+$/);
});

test("the machines of runs, each once; records that do not say are of where they were put together", () => {
  const here = environment();
  const [own, other] = [describeEnvironment(here), "another machine"];
  expect(machinesOf([], here)).toEqual([own]);
  expect(machinesOf([{ machine: other }, { machine: other }], here)).toEqual([other]);
  expect(machinesOf([{}, { machine: other }, { machine: own }], here)).toEqual([own, other]);
});
