// Printed WGSL, compiled and run on Dawn where it is found.
import { describe, expect, test } from "vitest";
import { activations } from "../../src/catalogue/catalogue.js";
import { toCode } from "../../src/code/to-code.js";
import { float32 } from "../../src/expression/bound.js";
import { driver, requestDevice, unlessDriver } from "../webgpu/dawn.js";
import { all, casesOf } from "./points.js";

/** The specification's numbers, which Node has no names for. */
const usage = { mapRead: 1, copySrc: 4, copyDst: 8, storage: 128 } as const;

test("reads as one would write it", () => {
  expect(toCode(activations.swiglu, "wgsl")).toBe(`// swiglu: gate * sigmoid(beta * gate) * up
// Source: Shazeer 2020 (arXiv 2002.05202); beta = 1 in Llama, Mistral, Qwen, Phi-3 and most language models since
// Defaults: beta = 1f.
fn swiglu(gate: f32, up: f32, beta: f32) -> f32 {
  return gate * sigmoid(beta * gate) * up;
}

fn sigmoid(a: f32) -> f32 {
  return exp(min(a, 0f)) / (1f + exp(-abs(a)));
}
`);
});

describe.skipIf(driver === undefined)(`on Dawn${unlessDriver}`, async () => {
  const device = driver === undefined ? undefined : await requestDevice();
  test.each(all)("$name: compiles, and gives what the reference does", async (activation) => {
    if (device === undefined) throw new Error("there is no device");
    const code = toCode(activation, "wgsl");
    const name = /^fn (\w+)/m.exec(code)?.[1];
    const cases = casesOf(activation, float32, 100);
    const columns = activation.inputs.length + Object.keys(activation.parameters).length;
    const args = Array.from({ length: columns }, (_, k) => `data[i * ${columns}u + ${k}u]`);
    const module = device.createShaderModule({
      code: `${code}
@group(0) @binding(0) var<storage, read> data: array<f32>;
@group(0) @binding(1) var<storage, read_write> results: array<f32>;
@compute @workgroup_size(1) fn entry(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  results[i] = ${name}(${args.join(", ")});
}`,
    });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map(({ message }) => message)).toEqual([]);
    const data = Float32Array.from(cases.flatMap(({ inputs, parameters }) => [...inputs, ...parameters]));
    const [given, results, read] = [
      device.createBuffer({ size: data.byteLength, usage: usage.storage | usage.copyDst }),
      device.createBuffer({
        size: cases.length * 4,
        usage: usage.storage | usage.copySrc,
      }),
      device.createBuffer({
        size: cases.length * 4,
        usage: usage.mapRead | usage.copyDst,
      }),
    ];
    device.queue.writeBuffer(given, 0, data);
    const pipeline = device.createComputePipeline({
      layout: "auto",
      compute: { module, entryPoint: "entry" },
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [given, results].map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    pass.dispatchWorkgroups(cases.length);
    pass.end();
    encoder.copyBufferToBuffer(results, 0, read, 0, cases.length * 4);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(1);
    const found = new Float32Array(read.getMappedRange());
    cases.forEach(({ inputs, expected: [value = 0], bounds: [bound = 0] }, i) => {
      // WGSL's own exp may be off by 3 + 2 |x| units.
      const tolerance = 2 * bound * (3 + 2 * Math.max(...inputs.map(Math.abs))) + 1e-30;
      expect(
        Math.abs((found[i] as number) - value),
        `at ${inputs}: ${found[i]}, expected ${value}`,
      ).toBeLessThanOrEqual(tolerance);
    });
  });
});
