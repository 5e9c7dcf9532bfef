// Which cases of the suite the page runs. Chromium's software adapter takes a second to compile a shader and keeps none, and
// Dawn in Node runs the same shaders: by default one in three of the cases that need many of them.

import { slowExtent } from "../../conformance/extent.js";
import { type ConformanceCase, conformanceCases } from "../../conformance/index.js";

const manyShaders = [/: parameters over their range/, /: packed layouts/, /^ffn .*central differences$/];

export function pageCases(): ConformanceCase[] {
  const all = conformanceCases();
  if (slowExtent === "full") return all;
  const left = manyShaders.flatMap((kind) =>
    all.filter(({ name }) => kind.test(name)).filter((_, i) => i % 3 !== 0),
  );
  return all.filter((one) => !left.includes(one));
}
