// The WGSL of every kernel: what the conformance suite compiles on Dawn, and every kernel on a device with and without f16 and
// subgroups that computes nothing.
import { test } from "vitest";
import { activations, webgpu } from "../../src/index.js";
import { conformanceCases } from "../conformance/index.js";
import { requestDevice } from "../webgpu/dawn.js";
import { fakeDevice } from "../webgpu/fake-device.js";
import { Fingerprints } from "./fingerprints.js";

test("on Dawn", async () => {
  const found = new Fingerprints();
  const device = await requestDevice();
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    found.add(descriptor.code);
    return create(descriptor);
  };
  const backend = await webgpu({ device });
  for (const { run } of conformanceCases()) await run(backend).catch(() => undefined);
  await found.check("shaders-dawn");
}, 900_000);

test("on a device that computes nothing", async () => {
  const found = new Fingerprints();
  for (const features of [[], ["subgroups"], ["shader-f16"], ["shader-f16", "subgroups"]]) {
    const { device, log } = fakeDevice(features);
    const backend = await webgpu({ device, precision: features.includes("shader-f16") ? "f16" : "f32" });
    const t = (count: number) => new Float32Array(count);
    for (const activation of Object.values(activations)) {
      const gated = activation.kind === "gated";
      const names = Object.keys(activation.parameters);
      for (const count of [64, 63, 4096])
        for (const channels of [0, 3, 8]) {
          const parameters = Object.fromEntries(
            names.map((n) => [n, channels && count % channels === 0 ? t(channels).fill(1) : 1]),
          );
          const inputs = gated
            ? [
                { gate: t(count), up: t(count) },
                ...(["gate-first", "gate-second", "interleaved"] as const).map((layout) => ({
                  packed: t(2 * count),
                  shape: [1, 2 * count],
                  layout,
                })),
              ]
            : [{ x: t(count) }];
          for (const input of inputs) {
            await backend.activate(activation as never, input as never, parameters as never);
            for (const parameterGradients of [true, false])
              await backend.activateBackward(
                activation as never,
                input as never,
                t(count),
                parameters as never,
                { parameterGradients },
              );
          }
        }
      const self = gated && activation.self !== undefined;
      for (const [dModel, dFf, rows] of [
        [8, 16, 4],
        [12, 20, 70],
        [5, 7, 1],
      ] as const) {
        const [a, b] = [t(dModel * dFf), t(dModel * dFf)];
        const forms = self
          ? [{ in: a, square: t(dFf * dFf), down: b }]
          : [
              { gate: a, up: a, down: b, gateBias: t(dFf), downBias: t(dModel) },
              { packed: t(2 * dModel * dFf), down: b },
            ];
        for (const weights of forms)
          for (const recompute of [false, true]) {
            const block = await backend.gatedFfn({
              activation,
              dModel,
              dFf,
              weights,
              recompute,
              ...("packed" in weights ? { layout: "gate-first" } : {}),
            } as never);
            const pass = await block.record(t(rows * dModel), rows);
            await pass.backward(t(rows * dModel));
            await block.forward(t(rows * dModel), rows);
            pass.dispose();
            block.dispose();
          }
        if (gated) continue;
        const block = await backend.ffn({ activation, dModel, dFf, weights: { up: a, down: b } } as never);
        const pass = await block.record(t(rows * dModel), rows);
        await pass.backward(t(rows * dModel));
        pass.dispose();
        block.dispose();
      }
    }
    for (const { code } of log.dispatches) found.add(code);
  }
  await found.check("shaders");
}, 900_000);
