// Errors of layers, in the manner of TensorFlow.js: a ValueError whose message begins with the layer's class and name.

/** A setting or a shape that does not fit, found when a layer is made, connected or built. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

/** What every layer's name in files begins with, so that it is nobody else's. */
export const prefix = "Swiglu";

/** A layer for a sentence: `Glu layer "mine"`. */
export const titleOf = (layer: { readonly name: string; getClassName(): string }): string =>
  `${layer.getClassName().slice(prefix.length)} layer "${layer.name}"`;

/** Runs a check, and makes any error of it a ValueError that says which layer it is about. */
export function inLayer<T>(layer: { readonly name: string; getClassName(): string }, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (cause instanceof ValueError || !(cause instanceof Error)) throw cause;
    throw new ValueError(`${titleOf(layer)}: ${cause.message}`, { cause });
  }
}
