// Converts numbers between storage types. The host has float32; the GPU may store float16.
import type { Place } from "./buffers.js";
import { flatGroups, flatIndex } from "./grid.js";
import type { Storage } from "./options.js";
import type { Recorder } from "./pipelines.js";
import { declarations } from "./signature.js";

/** A place, and how its numbers are stored. */
export interface Stored {
  readonly place: Place;
  readonly as: Storage;
}

/** Records the conversion of `count` numbers, rounded up to whole quads, which every place has. */
export function convert(recorder: Recorder, from: Stored, to: Stored, count: number): void {
  if (count === 0) return;
  const quads = Math.ceil(count / 4);
  recorder.run(
    converter(from.as, to.as),
    { numbers: from.place, converted: to.place },
    { quads },
    flatGroups(quads),
  );
}

function converter(from: Storage, to: Storage) {
  const takes = {
    bindings: {
      numbers: { name: "numbers", access: "read", type: `vec4<${from}>` },
      converted: { name: "converted", access: "read_write", type: `vec4<${to}>` },
    },
    uniform: { variable: "quads", words: ["quads"] },
  } as const;
  return {
    key: `convert ${from} ${to}`,
    takes,
    code: () => `enable f16;
// Converts ${from} numbers to ${to}, four at a time.
${declarations(takes).bound}

${flatIndex}
  if (i < quads) { converted[i] = vec4<${to}>(numbers[i]); }
}
`,
  };
}
