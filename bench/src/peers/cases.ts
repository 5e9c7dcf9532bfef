// What is measured, and the numbers it is measured on: the same in every runtime, by a formula.

/** `swiglu` over `count` elements, or a gated block with it: its forward pass, or forward and the gradients of x and of the weights. */
export type Case =
  | { readonly kind: "forward" | "backward"; readonly count: number }
  | {
      readonly kind: "ffnForward" | "ffnStep";
      readonly rows: number;
      readonly dModel: number;
      readonly dFf: number;
    };
export type FfnCase = Extract<Case, { rows: number }>;

const elementwise = (kind: "forward" | "backward", exponent: number): Case => ({
  kind,
  count: 2 ** exponent,
});
const ffn = (kind: "ffnForward" | "ffnStep", rows: number, dModel: number, dFf: number): Case => ({
  kind,
  rows,
  dModel,
  dFf,
});

export const cases: readonly Case[] = [
  elementwise("forward", 16),
  elementwise("forward", 20),
  elementwise("forward", 24),
  elementwise("backward", 20),
  ffn("ffnForward", 1, 1024, 2816),
  ffn("ffnForward", 32, 256, 688),
  ffn("ffnForward", 128, 512, 1376),
  ffn("ffnForward", 512, 1024, 2816),
  ffn("ffnStep", 32, 256, 688),
  ffn("ffnStep", 128, 512, 1376),
  ffn("ffnStep", 512, 1024, 2816),
];

/** A case's name in tables and on the command line, such as `forward 2^20` or `ffnStep 128x512x1376`. */
export const caseName = (task: Case): string =>
  "count" in task
    ? `${task.kind} 2^${Math.log2(task.count)}`
    : `${task.kind} ${task.rows}x${task.dModel}x${task.dFf}`;

/** Floating-point operations of a block's case: three products forward, six more for the gradients. */
export const flops = ({ kind, rows, dModel, dFf }: FfnCase): number =>
  (kind === "ffnForward" ? 6 : 18) * rows * dModel * dFf;

const period = 2 ** 16;

/** `count` numbers between `-scale` and `scale`, an integer hash of name and index; pytorch/peers.py has the same. */
function numbers(name: string, count: number, scale: number): Float32Array {
  const seed = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0) * 2 ** 16, 0);
  const data = new Float32Array(count);
  for (let i = 0; i < Math.min(count, period); i++) {
    let mixed = Math.imul(seed + i, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca77);
    mixed ^= mixed >>> 13;
    data[i] = scale * (mixed / 2 ** 31);
  }
  for (let filled = period; filled < count; filled *= 2) data.copyWithin(filled, 0, filled);
  return data;
}

/** The operands of an elementwise case. */
export const elementwiseData = (count: number): Record<"gate" | "up" | "dy", Float32Array> => ({
  gate: numbers("gate", count, 6),
  up: numbers("up", count, 2),
  dy: numbers("dy", count, 1),
});

/** The operands of a block's case; weights as usual at initialisation. */
export const ffnData = ({ rows, dModel, dFf }: FfnCase) => ({
  x: numbers("x", rows * dModel, 1.7),
  dY: numbers("dY", rows * dModel, 1),
  gate: numbers("gate", dModel * dFf, 1.7 / Math.sqrt(dModel)),
  up: numbers("up", dModel * dFf, 1.7 / Math.sqrt(dModel)),
  down: numbers("down", dFf * dModel, 1.7 / Math.sqrt(dFf)),
});
