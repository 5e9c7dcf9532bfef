// What the kernels offer to a host that has memory and tensors of its own, such as TensorFlow.js: an engine over that memory, and
// calls on addresses in it. `wasm()` in backend.ts offers the same for arrays of JavaScript.
export { type MemoryType, ModuleBuilder } from "./assembler/module.js";
export { BlockBackward } from "./block/backward.js";
export { FusedCalls } from "./block/fused.js";
export { type GradientTargets, ProjectionGradients } from "./block/projection-gradients.js";
export { type PackedWeight, type PackedWeights, sourcesOf, weightsOf, zerosOf } from "./block/weights.js";
export { backward, forward, record, recordedBackward } from "./elementwise/activate.js";
export { type Engine, SingleThreadEngine } from "./machine/engine.js";
export { chooseSimd } from "./machine/features.js";
export type { KernelHeap } from "./machine/heap.js";
export { instantiate } from "./machine/instantiate.js";
export { Scratch } from "./machine/scratch.js";
export { type Columns, readMatrix, writePadded } from "./product/matrix-copy.js";
export { packLeft, packRight, packRightTransposed } from "./product/packing.js";
export {
  padded,
  product,
  type RightFactor,
  rowMajor,
  sameRow,
  tileColumns,
  tileRows,
  wholeTiles,
} from "./product/product.js";
