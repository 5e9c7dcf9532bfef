// What the device does at best: a copy of as many bytes as the case moves, by copyBufferToBuffer or by a kernel of vec4f.
import { options, serve, type Work } from "../../peers/serve.js";
import { clockOf } from "../clock.js";
import { allDone, described, openDevice } from "../device.js";
import { bytesMoved } from "../traffic.js";

const device = await openDevice();
const settle = allDone(device);
const clock = clockOf(device);
/** GPUBufferUsage: STORAGE | COPY_DST | COPY_SRC. */
const usage = 128 + 8 + 4;
/** Rows up to which a block is limited by reading its weights, rather than by arithmetic. */
const fewRows = 4;

const mostThreads = 2 ** 22;
const workgroup = 128;
const code = `@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let threads = ${workgroup}u * groups.x;
  for (var i = id.x; i < arrayLength(&source); i += threads) { copied[i] = source[i]; }
}`;

function submit(record: (encoder: GPUCommandEncoder) => void): void {
  const encoder = device.createCommandEncoder();
  record(encoder);
  device.queue.submit([encoder.finish()]);
}

function copy(bytes: number): Work {
  // A kernel sees no more than one binding holds: then less is copied, and its time scaled.
  const size = Math.min(Math.ceil(bytes / 16) * 16, device.limits.maxStorageBufferBindingSize);
  const scale = Math.max(1, bytes / size);
  const [from, to] = [device.createBuffer({ size, usage }), device.createBuffer({ size, usage })];
  // Memory that was never written may be one page of zeros in many places, which any cache holds.
  device.queue.writeBuffer(from, 0, new Float32Array(size / 4).fill(1));
  const close = (): void => {
    from.destroy();
    to.destroy();
  };
  const results = (): readonly Float32Array[] => [];
  if (options.variant === "buffer")
    return {
      run: () => submit((encoder) => encoder.copyBufferToBuffer(from, 0, to, 0, size)),
      settle,
      scale,
      results,
      close,
    };
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const run = (): void =>
    submit((encoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(Math.ceil(Math.min(size / 16, mostThreads) / workgroup));
      pass.end();
    });
  return { run, settle, clock, scale, results, close };
}

await serve({ version: "WebGPU", adapter: described(device) }, async (task) => {
  const bytes = bytesMoved(task);
  if (bytes === undefined || ("rows" in task && task.rows > fewRows)) return "no copy";
  device.pushErrorScope("validation");
  const work = copy(bytes / 2);
  work.run();
  const error = await device.popErrorScope();
  return error ? `failed: ${error.message}` : work;
});
