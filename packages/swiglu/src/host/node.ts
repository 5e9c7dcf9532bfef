// Node's own modules without importing them, so that bundles for browsers hold no trace of them.

/** A built-in module of Node (or of a runtime that has it too); undefined in browsers. */
export function nodeModule<M>(name: `node:${string}`): M | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): M | undefined } };
  return process?.getBuiltinModule?.(name);
}
