// Gives Node's own modules without importing them, so that bundles for browsers do not refer to them.

/** A built-in module of Node, or of another runtime that has it. Undefined in browsers. */
export function nodeModule<M>(name: `node:${string}`): M | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): M | undefined } };
  return process?.getBuiltinModule?.(name);
}
