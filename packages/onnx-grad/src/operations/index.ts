// Every operation of the graph builder.
export * from "./activation.js";
export * from "./arithmetic.js";
export * from "./broadcast.js";
export * from "./gather.js";
export * from "./loss.js";
export * from "./matmul.js";
export * from "./movement.js";
export * from "./normalise.js";
export * from "./reduce.js";
