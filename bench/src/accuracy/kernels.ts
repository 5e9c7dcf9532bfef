// Tells kernels apart: a digest of the WebAssembly modules that the library assembles, so that results of older kernels
// are not mixed with those of newer ones.
import { createHash } from "node:crypto";

const assembled: Uint8Array[] = [];

/** From here on, every module that this process compiles is noted. */
export function noteModules(): void {
  const Module = WebAssembly.Module;
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      assembled.push(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer));
    }
  };
}

/** The digest of the modules compiled since this was last called. */
export function digestOfModules(): string {
  const digests = assembled.splice(0).map((bytes) => createHash("sha256").update(bytes).digest("hex"));
  return createHash("sha256").update(digests.sort().join()).digest("hex").slice(0, 8);
}
