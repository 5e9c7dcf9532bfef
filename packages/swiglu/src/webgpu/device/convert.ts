// Numbers from one storage type to the other: what the host has is float32, what the GPU keeps may be float16.
import type { Place } from "./buffers.js";
import type { Call } from "./call.js";
import { flatGroups, flatIndex } from "./grid.js";
import type { Storage } from "./options.js";
import type { Kernel } from "./pipelines.js";

/** Where numbers are, and how they are stored. */
export interface Stored {
  readonly place: Place;
  readonly as: Storage;
}

/** Records the conversion of `count` numbers. Places end at whole vectors of four, so the last one is converted whole. */
export function convert(call: Call, from: Stored, to: Stored, count: number): void {
  if (count === 0) return;
  const quads = Math.ceil(count / 4);
  call.run(converter(from.as, to.as), [from.place, to.place], [quads], flatGroups(quads));
}

const converter = (from: Storage, to: Storage): Kernel => ({
  key: `convert ${from} ${to}`,
  code: () => `enable f16;
// Converts ${from} numbers to ${to}, four at a time.
@group(0) @binding(0) var<storage, read> numbers: array<vec4<${from}>>;
@group(0) @binding(1) var<storage, read_write> converted: array<vec4<${to}>>;
@group(0) @binding(2) var<uniform> quads: u32;

${flatIndex}
  if (i < quads) { converted[i] = vec4<${to}>(numbers[i]); }
}
`,
});
