// jax-js on its WebGPU device.
import { defaultDevice, getWebGPUDevice, init } from "@jax-js/jax";
import "#gpu";
import { leave } from "#here";
import { prepare } from "../../peers/jax.js";
import { serve } from "../../peers/serve.js";
import { clockOf } from "../clock.js";
import { allDone, described } from "../device.js";

const devices = await init("webgpu");
if (!devices.includes("webgpu")) leave("jax-js found no WebGPU device");
defaultDevice("webgpu");
const device = getWebGPUDevice();
const clock = clockOf(device);
const settle = allDone(device);

await serve({ version: "0.1.25", adapter: described(device) }, async (task) => {
  // Asked for its buffer, it computes an array, and does not wait.
  const work = prepare(task, (results) => Promise.all(results.map((array) => array.ref.gpuBuffer())));
  return { ...work, settle, clock };
});
