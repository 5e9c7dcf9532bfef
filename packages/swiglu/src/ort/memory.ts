// Arrays that graphs write to: none shares memory with what the graph reads.
import { overlap } from "../call/arrays.js";

/** Arrays to write to: those given, or new ones in place of those that share memory with what is read. */
export function aside(out: readonly Float32Array[], inputs: readonly Float32Array[]): Float32Array[] {
  return out.map((array) =>
    inputs.some((input) => overlap(array, input)) ? new Float32Array(array.length) : array,
  );
}

/** Copies what was computed in a new array to the array that it is for. */
export function settle(out: readonly Float32Array[], computed: readonly Float32Array[]): void {
  out.forEach((array, i) => {
    if (array !== computed[i]) array.set(computed[i] as Float32Array);
  });
}
