// How an elementwise kernel goes through memory: its arguments, the loops over runs and elements, loads and stores.
//
//     one run    |<----------------------- count elements ---------------------->|
//     blocks     |    64 elements    |    64 elements    |the last fours |          only where sums are collected: see `flush`
//     groups     |4444|4444|4444|4444|4444|4444|4444|4444|4444|4444|4|4|4|          1, 2 or 4 vectors in one turn of the loop
//     ones                                                               |1|1|1|    so that nothing behind the run is written
//
// After each run, every stream goes on by its stride.
import type { Activation } from "../../catalogue/activation.js";
import { block, brIf, type Code, loop, when } from "../assembler/code.js";
import { f32, f32x4, i8x16, i32, v128 } from "../assembler/instructions.js";
import type { Body, Local } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import type { Taken } from "../machine/signature.js";
import { type Vector, VectorWriter } from "../vector/writer.js";

/** What tells one elementwise kernel of an activation from another. */
export interface KernelShape {
  /** Gate and up of each element are side by side in one tensor. Otherwise every input is a stream of its own. */
  readonly interleaved: boolean;
  /** For each parameter of the activation: whether it has a value for each element of a run, or is one number. */
  readonly perChannel: readonly boolean[];
}

/** Memory that a kernel goes through: the address of its first run, and the distance to the next run in bytes. */
const stream = { base: "i32", stride: "i32" } as const;
export type Stream = Taken<typeof stream>;

/** The arguments of an elementwise kernel. */
export type ElementwiseArguments = ReturnType<typeof elementwiseArguments>;

/**
 * The signature of an elementwise kernel.
 *
 * - `result` has the shape of the activation's result. It is the result itself, or dy.
 * - `targets` are written, in the layout of `inputs`: gradients or slopes.
 * - `sums` are the gradients of parameters, in float64: the address of 4 numbers, which the caller adds up, or a stream of one
 *   number for each channel.
 * - `flag` is the address of 4 numbers. They are 0 before the call, and one is NaN after it if a result was infinite or NaN.
 */
export function elementwiseArguments(
  activation: Activation,
  { interleaved, perChannel }: KernelShape,
  { targets, sums, flag }: { readonly targets: boolean; readonly sums: boolean; readonly flag: boolean },
) {
  const inputs = Array.from({ length: interleaved ? 1 : activation.inputs.length }, () => stream);
  return {
    runs: "i32",
    count: "i32",
    result: stream,
    targets: targets ? inputs : [],
    inputs,
    parameters: perChannel.map((channels) => (channels ? stream : ("f32" as const))),
    sums: sums ? perChannel.map((channels) => (channels ? stream : ("i32" as const))) : [],
    flag: flag ? "i32" : undefined,
  } as const;
}

/** The gradients of parameters are summed in float32 over 64 elements, this many bytes, and over those sums in float64. */
const blockBytes = 256;

/** The elements of one step: four (a vector), or one at the end of a run. They are `at` bytes behind the loop's `offset`. */
export interface Step {
  readonly width: 4 | 1;
  readonly offset: Local<"i32">;
  readonly at: number;
}

/** The bytes of gate and up in two consecutive vectors of pairs, and the bytes of the pairs in a vector of each. */
const evenLanes = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const oddLanes = evenLanes.map((lane) => lane + 4);
const lowPairs = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highPairs = lowPairs.map((lane) => lane + 8);

/**
 * How many vectors one turn of a kernel's loop computes side by side. The steps of one vector wait for each other, so a second
 * vector keeps the processor busy. Long kernels take fewer: their intermediate values would not fit into registers, above all
 * without fused multiply-add.
 */
function sideBySide(steps: number, simd: Simd): 1 | 2 | 4 {
  if (steps <= (simd === "relaxed" ? 128 : 48)) return 4;
  return steps <= 200 ? 2 : 1;
}

/** Writes one kernel: its loops, loads and stores. */
export class ElementwiseWriter {
  readonly write: VectorWriter;
  /** The parameters of the activation, in order: a stream of values for channels, or a vector with one number in all lanes. */
  private readonly parameters: readonly (Stream | Vector)[];

  constructor(
    private readonly body: Body,
    private readonly given: Taken<ElementwiseArguments>,
    private readonly activation: Activation,
    private readonly shape: KernelShape,
    simd: Simd,
  ) {
    this.write = new VectorWriter(body, simd);
    this.parameters = given.parameters.map((parameter, i) =>
      "base" in parameter
        ? parameter
        : this.write.outside(`parameter ${i}`, () => f32x4.splat(parameter.get())),
    );
  }

  /** The loops of the picture above. `each` writes the code for a step; `flush` is run after each block and each run. */
  loops(each: (step: Step) => void, flush: readonly Code<"none">[] = []): Code<"none">[] {
    const offset = this.body.local("i32");
    const whole = this.body.local("i32");
    const written = (width: 4 | 1, at: number): Code<"none">[] => {
      each({ width, offset, at });
      return this.write.take();
    };
    const fours = written(4, 0);
    const abreast = sideBySide(fours.length, this.write.simd);
    const others = Array.from({ length: abreast - 1 }, (_, k) => written(4, 16 * (k + 1)));
    const grouped = fours.flatMap((statement, i) => [
      statement,
      ...others.map((statements) => statements[i] as Code<"none">),
    ]);
    const ones = written(1, 0);
    const elements = (bytes: number, end: Local<"i32">, statements: readonly Code<"none">[]): Code<"none"> =>
      block((done) => [
        brIf(done, i32.ge_u(offset.get(), end.get())),
        loop((again) => [
          ...statements,
          offset.set(i32.add(offset.get(), i32.const(bytes))),
          brIf(again, i32.lt_u(offset.get(), end.get())),
        ]),
      ]);
    const end = this.body.local("i32");
    const groups = this.body.local("i32");
    /** Several vectors in a turn, then the last ones singly. */
    const vectors = (until: Local<"i32">): Code<"none">[] => [
      groups.set(i32.and(until.get(), i32.const(-16 * abreast))),
      elements(16 * abreast, groups, grouped),
      elements(16, until, fours),
    ];
    const blocks: Code<"none">[] =
      flush.length === 0
        ? vectors(whole)
        : [
            block((done) => [
              brIf(done, i32.ge_u(offset.get(), whole.get())),
              loop((again) => [
                end.set(i32.add(offset.get(), i32.const(blockBytes))),
                when(i32.gt_u(end.get(), whole.get()), [end.set(whole.get())]),
                ...vectors(end),
                ...flush,
                brIf(again, i32.lt_u(offset.get(), whole.get())),
              ]),
            ]),
          ];
    const { runs, count } = this.given;
    const advance = this.streams().map(({ base, stride }) => base.set(i32.add(base.get(), stride.get())));
    return [
      ...this.write.prelude,
      count.set(i32.shl(count.get(), i32.const(2))),
      whole.set(i32.and(count.get(), i32.const(-16))),
      block((done) => [
        brIf(done, i32.eqz(runs.get())),
        loop((nextRun) => [
          offset.set(i32.const(0)),
          ...blocks,
          elements(4, count, ones),
          ...flush,
          ...advance,
          runs.set(i32.sub(runs.get(), i32.const(1))),
          brIf(nextRun, runs.get()),
        ]),
      ]),
    ];
  }

  /** All streams, in the order of the signature. */
  private streams(): Stream[] {
    const { result, targets, inputs, parameters, sums } = this.given;
    const all = [result, ...targets, ...inputs, ...parameters, ...sums];
    return all.filter((argument): argument is Stream => "base" in argument);
  }

  /** Loads all variables of the activation for a step. */
  load(step: Step): Record<string, Vector> {
    const { inputs, parameters } = this.activation;
    const loaded = this.shape.interleaved
      ? this.loadPair(step, this.given.inputs[0] as Stream)
      : this.given.inputs.map((input) => this.loadOne(step, input));
    const named: Record<string, Vector> = {};
    inputs.forEach((name, i) => {
      named[name] = loaded[i] as Vector;
    });
    Object.keys(parameters).forEach((name, i) => {
      const parameter = this.parameters[i] as Stream | Vector;
      named[name] = "base" in parameter ? this.loadOne(step, parameter) : parameter;
    });
    return named;
  }

  loadOne({ width, offset, at }: Step, { base }: Stream): Vector {
    const address = i32.add(base.get(), offset.get());
    return this.write.let(width === 4 ? v128.load(address, at) : v128.load32_zero(address, at));
  }

  private loadPair({ width, offset, at }: Step, { base }: Stream): Vector[] {
    const { write } = this;
    const address = pairAddress(base, offset);
    if (width === 1) return [0, 4].map((byte) => write.let(v128.load32_zero(address, byte)));
    const low = write.let(v128.load(address, 2 * at));
    const high = write.let(v128.load(address, 2 * at + 16));
    return [evenLanes, oddLanes].map((lanes) => write.let(i8x16.shuffle(low.get(), high.get(), lanes)));
  }

  store({ width, offset, at }: Step, { base }: Stream, value: Vector): void {
    const address = i32.add(base.get(), offset.get());
    this.write.do(
      width === 4
        ? v128.store(address, value.get(), at)
        : f32.store(address, f32x4.extract_lane(0, value.get())),
    );
  }

  /** Stores a result for each input in the targets, which have the layout of the inputs. */
  storeTargets(step: Step, results: readonly Vector[]): void {
    const { targets } = this.given;
    if (this.shape.interleaved)
      this.storePair(step, targets[0] as Stream, results as readonly [Vector, Vector]);
    else
      results.forEach((result, i) => {
        this.store(step, targets[i] as Stream, result);
      });
  }

  private storePair(
    { width, offset, at }: Step,
    { base }: Stream,
    [gate, up]: readonly [Vector, Vector],
  ): void {
    const address = pairAddress(base, offset);
    if (width === 1)
      [gate, up].forEach((value, i) => {
        this.write.do(f32.store(address, f32x4.extract_lane(0, value.get()), 4 * i));
      });
    else
      [lowPairs, highPairs].forEach((lanes, i) => {
        this.write.do(v128.store(address, i8x16.shuffle(gate.get(), up.get(), lanes), 2 * at + 16 * i));
      });
  }
}

/** The address of element `offset / 4` in a stream of pairs. */
const pairAddress = (base: Local<"i32">, offset: Local<"i32">): Code<"i32"> =>
  i32.add(base.get(), i32.shl(offset.get(), i32.const(1)));
