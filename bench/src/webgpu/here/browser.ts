// WebGPU in a browser: what `#gpu` is there.

/** The browser's own. */
export const gpu: GPU | undefined = navigator.gpu;
