// Compute pipelines, compiled once for each kernel and kept as long as the backend.
import type { Gpu } from "./device.js";
import type { Bindings, Signature } from "./signature.js";

/** A kernel: its entry point is `main`, and its bindings are those of group 0, from 0 on. */
export interface Kernel<B extends Bindings = Bindings, W extends string = string> {
  /** The same for the same code, and only for that. */
  readonly key: string;
  readonly takes: Signature<B, W>;
  readonly code: () => string;
}

/** A pipeline, and whether the device took it: a promise that a call waits for before it returns. */
interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly checked: Promise<void>;
}

export class Pipelines {
  private readonly known = new Map<string, Compiled>();

  constructor(private readonly gpu: Gpu) {}

  get({ key, code }: Pick<Kernel, "key" | "code">): Compiled {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { made, checked } = this.gpu.check((device) => {
      const module = device.createShaderModule({ label: key, code: code() });
      return device.createComputePipeline({
        label: key,
        layout: "auto",
        compute: { module, entryPoint: "main" },
      });
    });
    const compiled = { pipeline: made, checked };
    this.known.set(key, compiled);
    return compiled;
  }
}
