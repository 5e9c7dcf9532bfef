// Training steps and inference of an activation and of a feed-forward block, written each way.
import * as tf from "@tensorflow/tfjs";
import { swiglu } from "swiglu";
import { activate, gatedFfn } from "swiglu/tfjs";
import type { Side } from "./sides.js";

/** What is timed: computes from resident tensors; returns results that are to be disposed. */
export interface Step {
  readonly name: string;
  /** Floating-point operations, or elements. */
  readonly size: number;
  readonly unit: "GFLOP/s" | "ns per element";
  /** How many calls are one timing. */
  readonly calls: number;
  run(side: Side): tf.Tensor[];
}

const silu = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sigmoid(x));
const random = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1 / Math.sqrt(shape.length === 2 ? (shape[0] as number) : 1), "float32", seed);

function activation(): Step[] {
  const size = 2 ** 20;
  const [gate, up, dy] = [1, 2, 3].map((seed) => random([size], seed)) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const operations = (g: tf.Tensor, u: tf.Tensor): tf.Tensor => tf.mul(silu(g), u);
  const ours = (g: tf.Tensor, u: tf.Tensor): tf.Tensor => activate(swiglu, { gate: g, up: u });
  const of = (side: Side) => (side === "operations" ? operations : ours);
  const common = { size, unit: "ns per element", calls: 5 } as const;
  return [
    { ...common, name: "activation, training step, 2^20", run: (side) => tf.grads(of(side))([gate, up], dy) },
    { ...common, name: "activation, forward, 2^20", run: (side) => [of(side)(gate, up)] },
  ];
}

function block(rows: number, dModel: number, dFf: number): Step[] {
  const shapes = [
    [rows, dModel],
    [dModel, dFf],
    [dModel, dFf],
    [dFf, dModel],
    [rows, dModel],
  ];
  const [x, gate, up, down, dy] = shapes.map((shape, i) => random(shape, i + 1)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  type F = (x: tf.Tensor, gate: tf.Tensor, up: tf.Tensor, down: tf.Tensor) => tf.Tensor;
  const operations: F = (x, w, v, w2) => tf.matMul(tf.mul(silu(tf.matMul(x, w)), tf.matMul(x, v)), w2);
  const ours: F = (x, gate, up, down) => gatedFfn(swiglu, x, { gate, up, down });
  const of = (side: Side) => (side === "operations" ? operations : ours);
  const name = `${rows}x${dModel}x${dFf}`;
  const common = { unit: "GFLOP/s", calls: 1 } as const;
  const products = rows * dModel * dFf;
  return [
    {
      ...common,
      name: `block, training step, ${name}`,
      size: 18 * products,
      run: (side) => tf.grads(of(side))([x, gate, up, down], dy),
    },
    {
      ...common,
      name: `block, forward, ${name}`,
      size: 6 * products,
      run: (side) => [of(side)(x, gate, up, down)],
    },
  ];
}

/** Each with tensors of its own. */
export const steps: readonly (() => Step[])[] = [activation, () => block(128, 512, 1376)];
