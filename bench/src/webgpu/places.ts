// Where contenders run: Node on Dawn, and Chromium.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import { type InChromium, inChromium } from "../peers/chromium.js";
import type { Place } from "../peers/places.js";
import { onGpu } from "./contenders.js";

const sidesFolder = fileURLToPath(new URL("./sides/", import.meta.url));
const script = (name: string): string => join(sidesFolder, `${name}.js`);

export const inNode: Place = {
  label: "Node",
  version: process.versions.node,
  start: async (name, options) =>
    new Child(process.execPath, [script(name), JSON.stringify(options)], "what it said is above"),
};

/** Chromium with WebGPU, on a real GPU where it finds one; CHROMIUM_FLAGS adds to its command line. */
export function inBrowser(): Promise<InChromium | undefined> {
  const here = onGpu.filter(({ column = "Chromium" }) => column === "Chromium");
  const entryPoints = Object.fromEntries(here.map((side) => [side.script, script(side.script)]));
  const flags = (process.env.CHROMIUM_FLAGS ?? "").split(" ").filter((flag) => flag !== "");
  return inChromium({ entryPoints }, [
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--ignore-gpu-blocklist",
    // Clocks inside the device tell nanoseconds, not tenths of milliseconds.
    "--disable-dawn-features=timestamp_quantization",
    ...flags,
  ]);
}
