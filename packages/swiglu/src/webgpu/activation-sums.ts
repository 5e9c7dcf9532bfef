// Sums over many elements in float32, with what each addition loses kept beside: the gradients of parameters.
// Every thread leaves its sums; a second, small kernel adds those up. In WGSL no workgroup can wait for all others.
import { type Library, withDeclarations } from "./text.js";

/** Declarations for sums of `number`: f32, or vec4f for four sums side by side. */
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

const width = 64;

/** The words of the kernel's uniform block, in their order. */
export interface SumCall {
  /** How many partial sums there are: for each channel, in turn, one after the other. */
  readonly length: number;
  /** Where the first is, and where the first total goes. */
  readonly first: number;
  readonly at: number;
  readonly channels: number;
}

export const sumWords = ({ length, first, at, channels }: SumCall): number[] => [
  length,
  first,
  at,
  channels,
  0,
];

/** Bindings: `partials` and `totals` (each total and rest side by side), and the uniform block. A workgroup adds up a channel. */
export const sumKernel = {
  key: "activation sums",
  code: (): string =>
    withDeclarations(
      sums("f32"),
      `struct Call { length: u32, first: u32, at: u32, channels: u32, zero: u32 }
@group(0) @binding(0) var<storage, read> partials: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> totals: array<vec2f>;
@group(0) @binding(2) var<uniform> call: Call;
var<workgroup> parts: array<Sum, ${width}>;

@compute @workgroup_size(${width})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var channel = group.x; channel < call.channels; channel += groups.x) {
    var sum = Sum(0f, 0f);
    for (var i = channel + call.channels * lane; i < call.length; i += call.channels * ${width}u) {
      let part = partials[call.first + i];
      sum = joined(sum, Sum(part.x, part.y));
    }
    parts[lane] = sum;
    workgroupBarrier();
    for (var half = ${width / 2}u; half > 0u; half /= 2u) {
      if (lane < half) { parts[lane] = joined(parts[lane], parts[lane + half]); }
      workgroupBarrier();
    }
    if (lane == 0u) { totals[call.at + channel] = vec2f(parts[0].total, parts[0].rest); }
    workgroupBarrier();
  }
}
`,
    ),
};
