// How the sessions of compiled graphs are set.
import { elementCode, sessionOptions } from "swiglu/onnx";
import type { DType } from "../graph/types.js";
import type { Model } from "../model/model.js";

export interface CompileOptions {
  /** Threads inside one operation; default 1. onnxruntime-web takes its own setting, `env.wasm.numThreads`. */
  readonly threads?: number;
  /**
   * Whether denormal numbers (below 1.2e-38 in float32) count as zero, which can make a step several times faster once moments
   * fade to nothing. Default: no. In Node this option reaches beyond the graph: **the first session of a process decides it, for
   * good, for everything that its thread computes**, including JavaScript's own numbers and `wasm()` of swiglu. Ask for it only in
   * a process that does nothing but train, and there in every call, so that the first session has it. WebAssembly has no such
   * mode, so in onnxruntime-web the option changes nothing.
   */
  readonly flushDenormals?: boolean;
  /**
   * More options for the runtime's session; they replace the defaults. Only `extra` is merged with the defaults, and the
   * optimisers in `disable_specified_optimizers` are switched off in addition to the default ones.
   */
  readonly session?: Readonly<Record<string, unknown>>;
}

/**
 * Optimisers of ONNX Runtime 1.30 that change results by more than rounding, or may. Some replace a pattern by an operator of the
 * runtime that has another epsilon (for RMS and layer norms written by hand) or is an approximation; one rounds a factor. No
 * other optimiser changes a value: a test compares random graphs with and without them.
 */
const inexactOptimizers = [
  ...["LayerNormFusionL1", "LayerNormFusionL2", "SimplifiedLayerNormFusion"],
  ...["SkipLayerNormFusion", "BiasSkipLayerNormFusion", "EmbedLayerNormFusion"],
  ...[
    "AttentionFusion",
    "GroupQueryAttentionFusion",
    "GroupQueryAttentionPreNormFusion",
    "BiasSoftmaxFusion",
  ],
  ...["GeluFusionL1", "GeluFusionL2", "BiasGeluFusion", "FastGeluFusion"],
  "MatMulScaleFusion",
];

/** The options of a session that computes a model. */
export function optionsFor(model: Model, options: CompileOptions): object {
  const { threads = 1, flushDenormals = false, session = {} } = options;
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`threads is ${threads}, expected a whole number from 1 on`);
  const extra = record(session.extra);
  const optimization = record(extra.optimization);
  const own = record(extra.session);
  const more = optimization.disable_specified_optimizers;
  const base = sessionOptions({
    threads,
    session: {
      ...(flushDenormals && { set_denormal_as_zero: "1" }),
      ...own,
      // Idle threads that spin would take cores from other processes.
      intra_op: { allow_spinning: "0", ...record(own.intra_op) },
    },
    disabled: [...inexactOptimizers, ...(typeof more === "string" ? [more] : [])],
  });
  return {
    ...base,
    // Fused operators have no float64 kernels, or have their factors as float32: such graphs run as they are written.
    ...(computesIn64(model) && { graphOptimizationLevel: "disabled" }),
    ...session,
    extra: { ...extra, ...base.extra, optimization: { ...optimization, ...base.extra.optimization } },
  };
}

function computesIn64({ inputs, outputs, initializers, nodes }: Model): boolean {
  const float64 = ({ dtype }: { readonly dtype: DType }): boolean => dtype === "float64";
  const casts = nodes.some(({ opType, attributes }) => {
    const to = opType === "Cast" ? attributes?.to : undefined;
    return to !== undefined && "int" in to && to.int === elementCode("float64");
  });
  return casts || inputs.some(float64) || outputs.some(float64) || initializers.some(float64);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
