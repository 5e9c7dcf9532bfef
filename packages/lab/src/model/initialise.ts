// Initial weights: every parameter from a random stream of its own, so that a change in one part of the model (another
// activation, another width of its block) leaves the start of all others as it was.
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { ParameterSpec } from "./types.js";

/** Fills `values` with the start of a parameter, decided by the seed and the parameter's name alone. */
export function initialise(spec: ParameterSpec, seed: number, values: Float32Array): void {
  if ("value" in spec.init) {
    values.fill(spec.init.value);
    return;
  }
  const rng = xoroshiro128plus(hash(`${seed}/${spec.name}`));
  for (let i = 0; i < values.length; i++) {
    // Box-Muller: 1 - uniform is never 0, so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(rng)));
    values[i] = spec.init.normal * radius * Math.cos(2 * Math.PI * uniformFloat64(rng));
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}
