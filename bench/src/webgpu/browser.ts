// Chromium with WebGPU as a place for contenders; loaded where it is asked for only, since a packed measurement goes without.
import { type InChromium, inChromium } from "../peers/chromium.js";
import { onGpu } from "./contenders.js";
import { script } from "./places.js";

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
