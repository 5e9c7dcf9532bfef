// The cases in TensorFlow.js, on whichever of its backends is set. Gradients are written by hand, with explicit transposes (8 times
// as fast as transposed products on its wasm backend), or elementwise ones taken from its tape with tf.grads, as its users do.
import * as tf from "@tensorflow/tfjs";
import { type Case, elementwiseData, type FfnCase, ffnData } from "./cases.js";
import type { Work } from "./serve.js";

type Tensors = Readonly<Record<string, tf.Tensor>>;

const silu = (g: tf.Tensor): tf.Tensor => tf.mul(g, tf.sigmoid(g));
const product = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b);
const transposed = (a: tf.Tensor): tf.Tensor => tf.transpose(a);

/** The gradients of `silu(g) u` in g and u. */
function slopes(g: tf.Tensor, u: tf.Tensor, dy: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const s = tf.sigmoid(g);
  const a = tf.mul(g, s);
  return [tf.mul(tf.mul(dy, u), tf.add(s, tf.mul(a, tf.sub(1, s)))), tf.mul(dy, a)];
}

/** Runs a function of resident tensors again and again, and keeps its last results only. */
function repeat(tensors: Tensors, compute: () => tf.Tensor[]): Work {
  let last: tf.Tensor[] = [];
  return {
    run() {
      tf.dispose(last);
      last = tf.tidy(compute);
    },
    results: () => Promise.all(last.map((tensor) => tensor.data<"float32">())),
    close() {
      tf.dispose(last);
      tf.dispose(Object.values(tensors));
    },
  };
}

function elementwise({ kind, count }: Exclude<Case, FfnCase>, byTape: boolean): Work {
  const data = elementwiseData(count);
  const { gate, up, dy } = { gate: tf.tensor(data.gate), up: tf.tensor(data.up), dy: tf.tensor(data.dy) };
  const tensors = { gate, up, dy };
  if (kind === "forward") return repeat(tensors, () => [tf.mul(silu(gate), up)]);
  if (!byTape) return repeat(tensors, () => slopes(gate, up, dy));
  const gradients = tf.grads((g: tf.Tensor, u: tf.Tensor) => tf.mul(silu(g), u));
  return repeat(tensors, () => gradients([gate, up], dy));
}

function block(task: FfnCase): Work {
  const { kind, rows, dModel, dFf } = task;
  const data = ffnData(task);
  const x = tf.tensor(data.x, [rows, dModel]);
  const dY = tf.tensor(data.dY, [rows, dModel]);
  const gate = tf.tensor(data.gate, [dModel, dFf]);
  const up = tf.tensor(data.up, [dModel, dFf]);
  const down = tf.tensor(data.down, [dFf, dModel]);
  const tensors = { x, dY, gate, up, down };
  if (kind === "ffnForward")
    return repeat(tensors, () => [product(tf.mul(silu(product(x, gate)), product(x, up)), down)]);
  return repeat(tensors, () => {
    const [g, u] = [product(x, gate), product(x, up)];
    const hidden = tf.mul(silu(g), u);
    product(hidden, down);
    const [dg, du] = slopes(g, u, product(dY, transposed(down)));
    const xT = transposed(x);
    const dx = tf.add(product(dg, transposed(gate)), product(du, transposed(up)));
    return [dx, product(xT, dg), product(xT, du), product(transposed(hidden), dY)];
  });
}

/** A case ready to run, or why it is not done. */
export function prepare(task: Case, byTape: boolean): Work | string {
  if (byTape && task.kind !== "backward") return "only elementwise gradients";
  return "count" in task ? elementwise(task, byTape) : block(task);
}
