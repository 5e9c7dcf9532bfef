// The affine projection x W + b of layers, with a backward that avoids TensorFlow.js's products of transposed matrices:
// on its wasm backend they take eight times as long as transposing first.
import * as tf from "@tensorflow/tfjs";
import { sum, withBackward } from "./seam.js";

/** The product plus bias, without gradients. TensorFlow.js's wasm backend leaves empty sums uninitialised; here they are 0. */
function product(x: tf.Tensor, w: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  if (x.size > 0 && w.size > 0)
    return tf.fused.matMul({ a: x, b: w, ...(bias === undefined ? {} : { bias }) });
  const zeros = tf.zeros([x.shape[0] as number, w.shape[1] as number]);
  return bias === undefined ? zeros : tf.add(zeros, bias);
}

/** `x w + bias`; x: [rows, in], w: [in, out], bias: [out]. Gradients of any order. */
export function project(x: tf.Tensor, w: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const backward = (dy: tf.Tensor, [x, w]: readonly tf.Tensor[]): tf.Tensor[] => [
    project(dy, tf.transpose(w as tf.Tensor)),
    project(tf.transpose(x as tf.Tensor), dy),
    ...(bias === undefined ? [] : [sum(dy, [0])]),
  ];
  return withBackward([x, w, ...(bias === undefined ? [] : [bias])], {
    forward: ([x, w, b]) => ({ y: product(x as tf.Tensor, w as tf.Tensor, b) }),
    backward: (dy, inputs) => tf.tidy(() => backward(dy, inputs)),
    differentiableBackward: backward,
  });
}
