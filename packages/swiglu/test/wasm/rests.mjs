// A program that uses threads and does not dispose of them: it prints what it saw, and should then end by itself.
import { setTimeout as delay } from "node:timers/promises";
import { swiglu, wasm } from "../../dist/index.js";

const backend = await wasm({ threads: 2 });
const data = new Float32Array(2 ** 18).fill(0.5);
for (let call = 0; call < 20; call++) {
  backend.activateSync(swiglu, { gate: data, up: data });
  await delay(10);
}
await delay(50);
const before = process.cpuUsage();
await delay(300);
const { user, system } = process.cpuUsage(before);
const helpers = backend.parts.engine.helpers;
console.log(JSON.stringify({ helpers, busyMilliseconds: (user + system) / 1000 }));
