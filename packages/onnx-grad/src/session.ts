// Running a graph. The runtime (onnxruntime-node, onnxruntime-web) is handed in by the caller; nothing here imports one.
import { typedArray } from "swiglu/onnx";
import { encodeModel } from "./file.js";
import { buildModel, type Model, type ValueInfo } from "./model.js";
import { mul } from "./operations/arithmetic.js";
import { type DType, input, type Tensor, type TypedArray } from "./tensor.js";

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
  /** More options for the runtime's session; they win over the defaults here. */
  readonly session?: object;
}

/** Data for inputs and outputs, flat and row-major. */
export type Data = Readonly<Record<string, TypedArray | readonly number[]>>;

/**
 * Loads the graph of the named outputs into a runtime.
 * Example: `const program = await compile(ort, { loss }); const { loss } = await program.run({ images, labels });`
 */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  options: CompileOptions = {},
): Promise<Program> {
  const model = buildModel(outputs);
  const session = await runtime.InferenceSession.create(encodeModel(model), {
    intraOpNumThreads: options.threads ?? 1,
    interOpNumThreads: 1,
    extra: {
      // Denormals make a step several times slower; idle threads that spin take the core from their neighbours.
      session: { set_denormal_as_zero: "1", intra_op: { allow_spinning: "0" } },
      // In 1.30 it forgets an edge when it turns (1 / a) * b into b / a, and the graph then refuses to load.
      optimization: { disable_specified_optimizers: "DivMulFusion" },
    },
    ...options.session,
  });
  return new Program(runtime, session, model, await writesInPlace(runtime));
}

/** A graph that is loaded and can run. */
export class Program {
  constructor(
    private readonly runtime: Runtime,
    private readonly session: RuntimeSession,
    readonly model: Model,
    private readonly inPlace: boolean,
  ) {}

  /**
   * Runs the graph once. Outputs named in `into` are written there, which saves allocating them; such an array must
   * not be one of the inputs. Errors name a missing, unknown or wrongly sized input.
   */
  async run(
    feeds: Data,
    into: Readonly<Record<string, TypedArray>> = {},
  ): Promise<Record<string, TypedArray>> {
    const { inputs, outputs } = this.model;
    for (const name of Object.keys(feeds)) {
      if (!inputs.some((known) => known.name === name)) {
        throw new Error(
          `run: there is no input "${name}"; the graph takes ${inputs.map((known) => known.name).join(", ")}`,
        );
      }
    }
    const given = inputs.map((info) => [info.name, this.tensor(info, feeds[info.name])] as const);
    for (const array of Object.values(into)) {
      for (const [name, { data }] of given) {
        if (ArrayBuffer.isView(data) && data.buffer === array.buffer) {
          throw new Error(`run: an output shares memory with input "${name}"; give it an array of its own`);
        }
      }
    }
    // null: the runtime allocates.
    const wanted = outputs.map((info) => {
      const array = this.inPlace ? into[info.name] : undefined;
      return [info.name, array ? this.tensor(info, array) : null] as const;
    });
    const results = await this.session.run(Object.fromEntries(given), Object.fromEntries(wanted));
    return Object.fromEntries(
      outputs.map(({ name }) => {
        const data = results[name]!.data as TypedArray;
        const target = into[name];
        return [name, target && target !== data ? copyInto(target, data) : data];
      }),
    );
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }

  private tensor(info: ValueInfo, data: TypedArray | readonly number[] | undefined): RuntimeTensor {
    const { name, dtype, shape } = info;
    const size = shape.reduce((a, b) => a * b, 1);
    if (data === undefined) throw new Error(`run: input "${name}" (${dtype} [${shape}]) is missing`);
    if (data.length !== size) {
      throw new Error(`run: "${name}" has ${data.length} elements; its shape [${shape}] needs ${size}`);
    }
    const array = data instanceof BigInt64Array ? data : typedArray(dtype, data);
    return new this.runtime.Tensor(dtype, array, shape);
  }
}

function copyInto(target: TypedArray, data: TypedArray): TypedArray {
  if (target instanceof BigInt64Array || data instanceof BigInt64Array) {
    throw new Error(
      "run: int64 outputs cannot be written into an array of the caller's; leave them out of `into`",
    );
  }
  target.set(data);
  return target;
}

const inPlaceByRuntime = new WeakMap<Runtime, Promise<boolean>>();

/** Whether a runtime fills output arrays that it is given; onnxruntime-web 1.30 takes them and leaves them as they are. */
function writesInPlace(runtime: Runtime): Promise<boolean> {
  const known = inPlaceByRuntime.get(runtime) ?? probe(runtime);
  inPlaceByRuntime.set(runtime, known);
  return known;
}

async function probe(runtime: Runtime): Promise<boolean> {
  const model = buildModel({ y: mul(input("x", [1]), 2) });
  const session = await runtime.InferenceSession.create(encodeModel(model));
  const y = new Float32Array(1);
  await session.run(
    { x: new runtime.Tensor("float32", Float32Array.of(3), [1]) },
    { y: new runtime.Tensor("float32", y, [1]) },
  );
  await session.release();
  return y[0] === 6;
}
