// The affine projection x W + b of layers, with a backward that avoids TensorFlow.js's products of transposed matrices:
// on its wasm backend they take eight times as long as transposing first.
import * as tf from "@tensorflow/tfjs";
import { withBackward } from "./seam.js";

/** `x w + bias`; x: [rows, in], w: [in, out], bias: [out]. Gradients of any order. */
export function project(x: tf.Tensor, w: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const backward = (dy: tf.Tensor, [x, w]: readonly tf.Tensor[]): tf.Tensor[] => [
    project(dy, tf.transpose(w as tf.Tensor)),
    project(tf.transpose(x as tf.Tensor), dy),
    ...(bias === undefined ? [] : [tf.sum(dy, 0)]),
  ];
  return withBackward([x, w, ...(bias === undefined ? [] : [bias])], {
    forward: ([x, w, b]) => ({
      y: tf.fused.matMul({ a: x as tf.Tensor, b: w as tf.Tensor, ...(b === undefined ? {} : { bias: b }) }),
    }),
    backward: (dy, inputs) => tf.tidy(() => backward(dy, inputs)),
    differentiableBackward: backward,
  });
}
