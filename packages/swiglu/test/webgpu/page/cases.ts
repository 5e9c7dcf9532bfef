// Which cases of the suite the page runs. Chromium's software adapter takes a second to compile a shader and keeps none, and
// Dawn in Node runs the same shaders: by default one in three or four of the cases that need many of them.
import { slowExtent } from "../../conformance/extent.js";
import { type ConformanceCase, conformanceCases } from "../../conformance/index.js";

/** One in how many; with four, which three does not divide, every layout is among them; with three, every form of block. */
const manyShaders = [
  { kind: /: parameters over their range/, one: 4 },
  { kind: /: packed layouts/, one: 4 },
  { kind: /^ffn .*central differences$/, one: 3 },
];

export function pageCases(): ConformanceCase[] {
  const all = conformanceCases();
  if (slowExtent === "full") return all;
  const left = manyShaders.flatMap(({ kind, one }) =>
    all.filter(({ name }) => kind.test(name)).filter((_, i) => i % one !== 0),
  );
  return all.filter((each) => !left.includes(each));
}
