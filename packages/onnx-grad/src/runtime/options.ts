// What is used of ONNX Runtime, and how its sessions are set. The caller hands a runtime in; nothing here imports one.
import { elementCode } from "swiglu/onnx";
import { type DType, input, type TypedArray } from "../graph/tensor.js";
import { encodeModel } from "../model/file.js";
import { buildModel, type Model } from "../model/model.js";
import { mul } from "../operations/arithmetic.js";

/** A value that a runtime takes and gives. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

type Values = Readonly<Record<string, RuntimeTensor>>;

/** The part of a runtime's session that is used. */
export interface RuntimeSession {
  run(feeds: Values, fetches?: Readonly<Record<string, RuntimeTensor | null>>): Promise<Values>;
  release(): Promise<void>;
}

/** The part of a runtime that is used; `import * as ort from "onnxruntime-node"` (or -web) has it. */
export interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<RuntimeSession> };
  readonly Tensor: new (type: DType, data: TypedArray, dims: readonly number[]) => RuntimeTensor;
}

export interface CompileOptions {
  /** Threads inside one operation; default 1. onnxruntime-web takes its own setting, `env.wasm.numThreads`. */
  readonly threads?: number;
  /**
   * Whether denormal numbers (below 1.2e-38 in float32) count as zero, which can make a step several times faster where
   * moments fade to nothing. Default: no. In Node this is no matter of the graph alone: **the first session of a process
   * decides it, for good, for everything that its thread computes**, JavaScript's own numbers and `wasm()` of swiglu
   * among it. Ask for it in a process that only trains, and in every call, so that the first one has it. WebAssembly
   * has no such mode: in onnxruntime-web it changes nothing.
   */
  readonly flushDenormals?: boolean;
  /**
   * More options for the runtime's session; they win over the defaults here. What `extra` has is added to those here, and the
   * optimisers in `disable_specified_optimizers` to those that are switched off anyway.
   */
  readonly session?: Readonly<Record<string, unknown>>;
}

/**
 * Optimisers of ONNX Runtime 1.30 that change results beyond rounding, or may: they take a pattern for one of their own
 * operators, whose epsilon is then another one (RMS and layer norms written by hand, with an epsilon of 3), or an
 * approximation; or they round a factor. DivMulFusion turns (1 / a) * b into b / a and forgets an edge, so
 * that the graph refuses to load. None of the others changes a value: a test compares random graphs with and without.
 */
const inexactOptimizers = [
  "DivMulFusion",
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
export function sessionOptions(model: Model, options: CompileOptions): object {
  const { threads = 1, flushDenormals = false, session = {} } = options;
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`threads is ${threads}, expected a whole number from 1 on`);
  const extra = record(session.extra);
  const optimization = record(extra.optimization);
  const own = record(extra.session);
  const more = optimization.disable_specified_optimizers;
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Fused operators have no float64 kernels, or have their factors as float32: such graphs run as they are written.
    ...(computesIn64(model) && { graphOptimizationLevel: "disabled" }),
    ...session,
    extra: {
      ...extra,
      session: {
        ...(flushDenormals && { set_denormal_as_zero: "1" }),
        ...own,
        // Idle threads that spin take the core from their neighbours.
        intra_op: { allow_spinning: "0", ...record(own.intra_op) },
      },
      optimization: {
        ...optimization,
        disable_specified_optimizers: [
          ...inexactOptimizers,
          ...(typeof more === "string" ? [more] : []),
        ].join(";"),
      },
    },
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

const inPlaceByRuntime = new WeakMap<Runtime, Promise<boolean>>();

/** Whether a runtime fills output arrays that it is given; onnxruntime-web 1.30 takes them and leaves them as they are. */
export function writesInPlace(runtime: Runtime): Promise<boolean> {
  const known = inPlaceByRuntime.get(runtime) ?? probe(runtime);
  inPlaceByRuntime.set(runtime, known);
  // One that fails is not kept: the next call tries again.
  known.catch(() => inPlaceByRuntime.delete(runtime));
  return known;
}

async function probe(runtime: Runtime): Promise<boolean> {
  const model = buildModel({ y: mul(input("x", [1]), 2) });
  const session = await runtime.InferenceSession.create(encodeModel(model), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const y = new Float32Array(1);
  await session.run(
    { x: new runtime.Tensor("float32", Float32Array.of(3), [1]) },
    { y: new runtime.Tensor("float32", y, [1]) },
  );
  await session.release();
  return y[0] === 6;
}
