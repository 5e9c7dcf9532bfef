// Compiles a module and returns its kernels. The calling thread and the workers both use it.

/** An exported function of a module. */
export type KernelFunction = (...args: readonly number[]) => void;

/** The kernels of a module over a memory, by name, in the module's order. */
export function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): Readonly<Record<string, KernelFunction>> {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports as Readonly<Record<string, KernelFunction>>;
}
