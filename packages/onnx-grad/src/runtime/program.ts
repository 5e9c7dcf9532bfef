// Running a graph: it is loaded into a runtime once; every run then takes and returns arrays.
import { isRuntime, type Runtime, Session, type ShapedArray, typedArray } from "swiglu/onnx";
import { checkValues, kindOf } from "../graph/checks.js";
import { checkIndexValues, type IndexCheck } from "../graph/indices.js";
import type { Tensor } from "../graph/tensor.js";
import { sizeOf, type TypedArray } from "../graph/types.js";
import { encodeModel } from "../model/file.js";
import { buildChecked, type Model, type ValueInfo } from "../model/model.js";
import { type CompileOptions, optionsFor } from "./options.js";

/** Data for inputs and outputs, flat and row-major. */
export type Data = Readonly<Record<string, TypedArray | readonly number[]>>;

/**
 * Loads the graph of the named outputs into a runtime. Nothing else of the process changes, unless `flushDenormals` is asked for.
 * Example: `const program = await compile(ort, { loss }); const { loss } = await program.run({ images, labels });`
 */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  options: CompileOptions = {},
): Promise<Program> {
  if (!isRuntime(runtime)) {
    throw new TypeError(
      `compile: the runtime is ${kindOf(runtime)} without InferenceSession and Tensor; pass all of it: import * as ort from "onnxruntime-node" (or "onnxruntime-web")`,
    );
  }
  const { model, checks } = buildChecked(outputs);
  const session = await Session.open(runtime, encodeModel(model), optionsFor(model, options));
  return new Program(session, model, checks);
}

/** A graph that is loaded and can run. */
export class Program {
  private readonly running = new Set<Promise<unknown>>();
  private released: Promise<void> | undefined;

  constructor(
    private readonly session: Session,
    readonly model: Model,
    private readonly checks: readonly IndexCheck[],
  ) {}

  /**
   * Runs the graph once. Outputs named in `into` are written there, which saves allocating them; such an array must
   * not be one of the inputs. Arrays must stay as they are until the promise is settled. Errors name a missing, unknown
   * or wrongly sized input, and an index that is out of range, with its place.
   */
  async run(
    feeds: Data,
    into: Readonly<Record<string, TypedArray>> = {},
  ): Promise<Record<string, TypedArray>> {
    if (this.released) throw new Error("run: this program is disposed; compile it again");
    const { inputs, outputs } = this.model;
    if (typeof feeds !== "object" || feeds === null)
      throw new TypeError(`run: the feeds are ${kindOf(feeds)}, expected an object of arrays by name`);
    for (const name of Object.keys(feeds)) {
      if (!inputs.some((known) => known.name === name)) {
        throw new TypeError(
          `run: there is no input "${name}"; the graph takes ${inputs.map((known) => known.name).join(", ") || "none"}`,
        );
      }
    }
    const given = inputs.map((info) => [info.name, this.array(info, own(feeds, info.name))] as const);
    for (const check of this.checks) checkIndexValues(check, feeds[check.name]!);
    for (const [output, array] of Object.entries(into)) {
      const info = outputs.find(({ name }) => name === output);
      if (!info) {
        throw new TypeError(
          `run: there is no output "${output}" to write; the graph gives ${outputs.map(({ name }) => name).join(", ")}`,
        );
      }
      this.array(info, array);
      for (const [name, { data }] of given) {
        if (data.buffer === array.buffer) {
          throw new TypeError(
            `run: an output shares memory with input "${name}"; give it an array of its own`,
          );
        }
      }
    }
    // null: the runtime allocates.
    const wanted = outputs.map((info) => {
      const array = own(into, info.name);
      return [info.name, array ? this.array(info, array) : null] as const;
    });
    const running = this.session.run(Object.fromEntries(given), Object.fromEntries(wanted));
    this.running.add(running);
    const results = await running.finally(() => this.running.delete(running));
    return Object.fromEntries(
      outputs.map(({ name }) => {
        const data = results[name]!;
        const target = own(into, name);
        return [name, target && target !== data ? copyInto(target, data) : data];
      }),
    );
  }

  /** Frees the graph, after the runs that are under way. Later runs are errors; a second call does nothing. */
  async dispose(): Promise<void> {
    this.released ??= Promise.allSettled(this.running).then(() => this.session.release());
    await this.released;
  }

  private array(info: ValueInfo, data: TypedArray | readonly number[] | undefined): ShapedArray {
    const { name, dtype, shape } = info;
    const size = sizeOf(shape);
    if (data === undefined) throw new TypeError(`run: input "${name}" (${dtype} [${shape}]) is missing`);
    if (typeof data !== "object" || data === null || typeof data.length !== "number") {
      throw new TypeError(
        `run: "${name}" is ${kindOf(data)}, expected an array of ${size} element${size === 1 ? "" : "s"}`,
      );
    }
    if (data.length !== size) {
      throw new RangeError(`run: "${name}" has ${data.length} elements; its shape [${shape}] needs ${size}`);
    }
    if (isBigInts(data)) {
      if (dtype !== "int64")
        throw new TypeError(`run: "${name}" is a BigInt64Array, but its element type is ${dtype}`);
      const own = data instanceof BigInt64Array ? data : BigInt64Array.from(data);
      return { data: own, dims: shape };
    }
    if (!(data instanceof Int32Array && dtype === "int32")) checkValues(`run: "${name}"`, dtype, data);
    return { data: typedArray(dtype, data), dims: shape };
  }
}

/** The value that an object itself has under a name, never one that it inherits (a name may be "toString"). */
function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Whether this is a BigInt64Array, also one of another realm (an iframe's, a test runner's). */
function isBigInts(data: TypedArray | readonly number[]): data is BigInt64Array {
  return Object.prototype.toString.call(data) === "[object BigInt64Array]";
}

function copyInto(target: TypedArray, data: TypedArray): TypedArray {
  if (isBigInts(target) || isBigInts(data)) {
    throw new TypeError(
      "run: int64 outputs cannot be written into an array of the caller's; leave them out of `into`",
    );
  }
  target.set(data);
  return target;
}
