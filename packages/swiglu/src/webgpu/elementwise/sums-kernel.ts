// The gradients of parameters: sums over many elements in float32, each with a second number for what rounding has lost.
// A workgroup adds up the sums of its threads. The host adds up those of workgroups, since these cannot wait for each other.
import type { Library } from "../wgsl/text.js";

/** The threads of a workgroup. */
export const workgroupSize = 128;

/** Declarations for sums of `number`: f32, or vec4f, which is four sums side by side. */
export const sums = (number: "f32" | "vec4f"): Library => ({
  Sum: `struct Sum { // total + rest
  total: ${number},
  rest: ${number},
}`,
  asRounded: `fn asRounded(v: ${number}) -> ${number} { // keeps compilers from simplifying (a + b) - a
  return bitcast<${number}>(bitcast<${number === "f32" ? "u32" : "vec4u"}>(v) ^ ${number === "f32" ? "call.zero" : "vec4u(call.zero)"});
}`,
  added: `fn added(sum: Sum, term: ${number}) -> Sum {
  let total = asRounded(sum.total + term);
  let taken = asRounded(total - sum.total);
  return Sum(total, sum.rest + ((sum.total - asRounded(total - taken)) + (term - taken)));
}`,
  joined: `fn joined(a: Sum, b: Sum) -> Sum {
  let sum = added(a, b.total);
  return Sum(sum.total, sum.rest + b.rest);
}`,
});

/**
 * A function that adds up a workgroup's sums of one parameter, and stores a partial sum for each of the first `call.kept` threads.
 * In `partials` they are ordered by workgroup, then by parameter, then by thread.
 */
export const leaveSums = (parameters: number): string => `var<workgroup> parts: array<Sum, ${workgroupSize}>;

fn leave(parameter: u32, group: u32, thread: u32, sum: Sum) {
  parts[thread] = sum;
  workgroupBarrier();
  if (thread < call.kept) {
    var all = sum;
    for (var i = thread + call.kept; i < ${workgroupSize}u; i += call.kept) { all = joined(all, parts[i]); }
    partials[(${parameters}u * group + parameter) * call.kept + thread] = all;
  }${parameters > 1 ? "\n  workgroupBarrier(); // The next parameter takes the same memory." : ""}
}`;

/**
 * How many threads of a workgroup store partial sums, where each thread computes `width` elements together: threads at that
 * distance have the same channels. At least eight threads share the work of adding up.
 */
export const keptThreads = (channels: number, width: number): number =>
  [8, 16, 32, 64].find((kept) => (kept * width) % channels === 0) ?? workgroupSize;

/** Adds the partial sums of one parameter to the sums of its channels. */
export function addPartialSums(
  sums: Float64Array,
  partials: Float32Array,
  { parameter, parameters, kept, width }: Partials,
): void {
  const group = 2 * width * kept;
  for (let start = parameter * group, at = 0; start < partials.length; start += parameters * group, at++)
    for (let thread = 0; thread < kept; thread++)
      for (let i = 0; i < width; i++) {
        const total = partials[start + 2 * width * thread + i] as number;
        const rest = partials[start + 2 * width * thread + width + i] as number;
        // Where the total overflowed, the rest is NaN.
        const channel = (width * (at * workgroupSize + thread) + i) % sums.length;
        sums[channel] = (sums[channel] as number) + total + (Number.isFinite(total) ? rest : 0);
      }
}

/** Partial sums: of which parameter, of how many parameters, by how many threads of a workgroup, of how many elements each. */
export interface Partials {
  readonly parameter: number;
  readonly parameters: number;
  readonly kept: number;
  readonly width: number;
}
