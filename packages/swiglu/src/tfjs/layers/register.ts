// Registration of the layers, so that models that contain them can be loaded. Nothing is registered without this call.
import * as tf from "@tensorflow/tfjs";
import { prefix } from "./errors.js";
import { GatedDense } from "./gated-dense.js";
import { GatedFfn } from "./gated-ffn.js";
import { Glu } from "./glu.js";
import { SelfGated } from "./self-gated.js";
import { Swish } from "./swish.js";

/** The layers. A layer's name in files is `Swiglu` followed by the name here. */
const layers = { Swish, Glu, GatedDense, SelfGated, GatedFfn } as const;

/**
 * Registers the layers with TensorFlow.js; needed once before `tf.loadLayersModel`. A layer is `SwigluGlu` in files and in
 * the registry. Files of version 0.1.0 say `Glu`: these names are taken too where nobody else has them, and a class of yours
 * that has one stays as it is. Throws an Error where another class is registered as `SwigluGlu`.
 */
export function registerLayers(): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  for (const { className } of Object.values(layers)) {
    const known = classNameMap[className]?.[0];
    if (known !== undefined && !isOurs(known))
      throw new Error(
        `another class is registered with TensorFlow.js as ${className}, the name that layers of swiglu have in files: give it another className`,
      );
  }
  for (const [name, layer] of Object.entries(layers)) {
    tf.serialization.registerClass<tf.layers.Layer>(layer, "swiglu", name);
    const old = classNameMap[name]?.[0];
    if (old === undefined || isOurs(old)) classNameMap[name] = classNameMap[layer.className] as Entry;
  }
}

type Entry = ReturnType<typeof tf.serialization.SerializationMap.getMap>["classNameMap"][string];

/** Whether a class is a layer of this package, or of another copy of it: a bundler's server makes a new copy at every change. */
function isOurs(registered: unknown): boolean {
  const { origin, className } = registered as { readonly origin?: unknown; readonly className?: unknown };
  return origin === "swiglu" && String(className).startsWith(prefix);
}
