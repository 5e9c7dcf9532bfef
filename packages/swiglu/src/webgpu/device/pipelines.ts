// Compute pipelines, compiled once for each kernel and kept as long as the backend.
import type { CheckedDevice } from "./checked.js";
import type { Bindings, Places, Signature, Words } from "./signature.js";

/** A kernel: its entry point is `main`, and its bindings are those of group 0, from 0 on. */
export interface Kernel<B extends Bindings = Bindings, W extends string = string> {
  /** The same for the same code, and only for that. */
  readonly key: string;
  readonly takes: Signature<B, W>;
  readonly code: () => string;
}

/** What records kernels: they run in the order in which they were recorded. */
export interface Recorder {
  run<B extends Bindings, W extends string>(
    kernel: Kernel<B, W>,
    places: Places<B>,
    words: Words<W>,
    groups: readonly number[],
  ): void;
}

/** A pipeline, and whether the device took it: a promise that a call waits for before it returns. */
interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly checked: Promise<void>;
}

export class Pipelines {
  private readonly known = new Map<string, Compiled>();

  constructor(private readonly gpu: CheckedDevice) {}

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
