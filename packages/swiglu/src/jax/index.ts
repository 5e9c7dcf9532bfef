// The entry "swiglu/jax": activations and feed-forward blocks as functions of jax-js arrays.
export {
  activate,
  functions,
  type JaxFunction,
  type JaxInputs,
  type JaxPackedInput,
  type JaxParameters,
  type JaxValue,
  jaxFunction,
} from "./activate.js";
export {
  ffn,
  gatedFfn,
  type JaxFfnOptions,
  type JaxFfnWeights,
  type JaxGatedFfnOptions,
  type JaxGatedFfnWeights,
} from "./ffn.js";
