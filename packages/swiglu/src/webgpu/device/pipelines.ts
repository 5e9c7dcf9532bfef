// Compute pipelines. Each kernel is compiled once, and kept as long as the backend.
import type { CheckedDevice } from "./checked.js";
import type { Bindings, Places, Signature, Words } from "./signature.js";

/** A kernel: its code, whose entry point is `main`, and its signature, whose bindings are numbered from 0 in group 0. */
export interface Kernel<B extends Bindings = Bindings, W extends string = string> {
  /** Equal for equal code, and only then. */
  readonly key: string;
  readonly takes: Signature<B, W>;
  readonly code: () => string;
}

/** Records kernels, which run in the order in which they were recorded. */
export interface Recorder {
  run<B extends Bindings, W extends string>(
    kernel: Kernel<B, W>,
    places: Places<B>,
    words: Words<W>,
    groups: readonly number[],
  ): void;
}

/** A pipeline, and a promise that fails if the device refused it. A call waits for the promise before it returns. */
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
