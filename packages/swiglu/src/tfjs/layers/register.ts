// Registration of the layers, so that models that contain them can be loaded. Nothing is registered without this call.
import * as tf from "@tensorflow/tfjs";
import { GatedDense } from "./gated-dense.js";
import { GatedFfn } from "./gated-ffn.js";
import { Glu } from "./glu.js";
import { SelfGated } from "./self-gated.js";
import { Swish } from "./swish.js";

/** Registers the layers with TensorFlow.js under their class names; needed once before `tf.loadLayersModel`. */
export function registerLayers(): void {
  for (const layer of [Swish, Glu, GatedDense, SelfGated, GatedFfn])
    tf.serialization.registerClass<tf.layers.Layer>(layer, "swiglu");
}
