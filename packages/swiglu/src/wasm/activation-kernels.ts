// The fused elementwise kernels of an activation: one pass forward, one pass backward with all gradients.
// A kernel goes through `runs` runs of `count` consecutive elements; every operand advances by its own stride per run.
import { type Activation, gradientExpressions } from "../catalogue/activation.js";
import { mul } from "../expression/expr.js";
import { block, brIf, type Code, loop, type ValueType, when } from "./assembler/code.js";
import { f32, f32x4, f64x2, i8x16, i32, i32x4, v128 } from "./assembler/instructions.js";
import type { Body, Local, ModuleBuilder } from "./assembler/module.js";
import type { Simd } from "./features.js";
import { emitVectors } from "./vector/emit.js";
import { type Vector, VectorWriter } from "./vector/writer.js";

/** What a pair of kernels is made for. */
export interface KernelShape {
  /** Gate and up alternate in one tensor; otherwise each operand is a pointer of its own. */
  readonly interleaved: boolean;
  /** For each parameter of the activation: one value for each element of a run, or one number. */
  readonly perChannel: readonly boolean[];
}

/** Memory that a kernel goes through: where it begins, and how many bytes on each following run begins. */
interface Stream {
  readonly base: Local<"i32">;
  readonly stride: Local<"i32">;
}

/** Elements whose parameter gradients are summed in float32 before float64 takes them: 64, in bytes. */
const blockBytes = 256;

/** Four elements at a time, or the one that is left. */
type Width = 4 | 1;

/** Gate and up from two consecutive vectors of pairs, and back. */
const evenLanes = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const oddLanes = evenLanes.map((lane) => lane + 4);
const lowPairs = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highPairs = lowPairs.map((lane) => lane + 8);

/** Hands out a kernel's parameters in order. */
class Arguments {
  private next = 0;
  constructor(private readonly all: readonly Local[]) {}

  take<T extends ValueType>(type: T): Local<T> {
    const local = this.all[this.next++];
    if (local?.type !== type) throw new TypeError(`kernel argument ${this.next} is not ${type}`);
    return local as Local<T>;
  }

  stream(): Stream {
    return { base: this.take("i32"), stride: this.take("i32") };
  }
}

const stream = ["i32", "i32"] as const;
const pointersOf = (activation: Activation, { interleaved }: KernelShape): number =>
  interleaved ? 1 : activation.inputs.length;
const parameterTypes = ({ perChannel }: KernelShape): ValueType[] =>
  perChannel.flatMap((channels): ValueType[] => (channels ? [...stream] : ["f32"]));

/**
 * Adds the kernel `forward(runs, count, out, outStride, (input, stride)..., parameter...)`: a parameter is an f32, or
 * an address and a stride where there is one value for each channel. Strides and addresses are in bytes.
 */
export function addForward(
  module: ModuleBuilder,
  activation: Activation,
  shape: KernelShape,
  simd: Simd,
): void {
  const inputs = Array.from({ length: pointersOf(activation, shape) }, () => stream).flat();
  module.function(
    "forward",
    ["i32", "i32", ...stream, ...inputs, ...parameterTypes(shape)],
    (body, ...all) => {
      const kernel = new Kernel(body, new Arguments(all), activation, shape, simd);
      const out = kernel.stream();
      kernel.operands();
      return kernel.loops((width, offset) => {
        const variables = kernel.load(width, offset);
        const [y] = emitVectors(kernel.write, [activation.expression], variables) as [Vector];
        kernel.store(width, out, offset, y);
      });
    },
  );
}

/**
 * Adds `backward(runs, count, dy, dyStride, (gradient, stride)..., (input, stride)..., parameter..., sum..., flag)`:
 * gradients in the layout of the inputs, and for each parameter where its gradient is summed in float64: 4 numbers that
 * are to be added up, or one for each channel (an address and a stride). At `flag` there are 4 zeros before, and a NaN
 * among them after, if a result was infinite or NaN.
 */
export function addBackward(
  module: ModuleBuilder,
  activation: Activation,
  shape: KernelShape,
  simd: Simd,
): void {
  const inputs = Array.from({ length: pointersOf(activation, shape) }, () => stream).flat();
  const sums = shape.perChannel.flatMap((channels): ValueType[] => (channels ? [...stream] : ["i32"]));
  const types = [
    "i32",
    "i32",
    ...stream,
    ...inputs,
    ...inputs,
    ...parameterTypes(shape),
    ...sums,
    "i32",
  ] as ValueType[];
  module.function("backward", types, (body, ...all) => {
    const kernel = new Kernel(body, new Arguments(all), activation, shape, simd);
    const dy = kernel.stream();
    const gradients = Array.from({ length: pointersOf(activation, shape) }, () => kernel.stream());
    kernel.operands();
    const totals = shape.perChannel.map((channels) =>
      channels ? kernel.channelSums() : kernel.numberSum(body),
    );
    const flag = kernel.flag();
    const slopes = Object.values(gradientExpressions(activation)).map((slope) => mul(slope, "dy"));
    return [
      ...kernel.loops(
        (width, offset) => {
          const variables = { ...kernel.load(width, offset), dy: kernel.loadOne(width, dy, offset) };
          const results = emitVectors(kernel.write, slopes, variables);
          for (const result of results) flag.add(width, offset, result);
          const [forInputs, forParameters] = [
            results.slice(0, activation.inputs.length),
            results.slice(activation.inputs.length),
          ];
          if (shape.interleaved)
            kernel.storePair(width, gradients[0] as Stream, offset, forInputs as [Vector, Vector]);
          else
            forInputs.forEach((slope, i) => {
              kernel.store(width, gradients[i] as Stream, offset, slope);
            });
          forParameters.forEach((slope, i) => {
            totals[i]?.add(width, offset, slope);
          });
        },
        totals.flatMap((total) => total.flush()),
      ),
      ...[...totals, flag].flatMap((total) => total.finish()),
    ];
  });
}

/** Where the gradient of one parameter is summed. */
interface Total {
  add(width: Width, offset: Local<"i32">, slope: Vector): void;
  /** After each block of elements, few enough that float32 sums them well. */
  flush(): Code<"none">[];
  finish(): Code<"none">[];
}

/** One kernel while it is written: its streams, its loops, its loads and stores. */
class Kernel {
  readonly write: VectorWriter;
  private readonly runs: Local<"i32">;
  private readonly count: Local<"i32">;
  private readonly streams: Stream[] = [];
  private inputs: Stream[] = [];
  private parameters: (Stream | Vector)[] = [];

  constructor(
    private readonly body: Body,
    private readonly given: Arguments,
    private readonly activation: Activation,
    private readonly shape: KernelShape,
    simd: Simd,
  ) {
    this.write = new VectorWriter(body, simd);
    this.runs = given.take("i32");
    this.count = given.take("i32");
  }

  stream(): Stream {
    const taken = this.given.stream();
    this.streams.push(taken);
    return taken;
  }

  /** Takes the arguments of the inputs and parameters. */
  operands(): void {
    this.inputs = Array.from({ length: pointersOf(this.activation, this.shape) }, () => this.stream());
    this.parameters = this.shape.perChannel.map((channels, i) => {
      if (channels) return this.stream();
      const scalar = this.given.take("f32");
      return this.write.outside(`parameter ${i}`, () => f32x4.splat(scalar.get()));
    });
  }

  /** The loop over runs, and in each the loop over elements: by fours, in blocks that `flush` ends, then one by one. */
  loops(
    step: (width: Width, offset: Local<"i32">) => void,
    flush: readonly Code<"none">[] = [],
  ): Code<"none">[] {
    const offset = this.body.local("i32");
    const whole = this.body.local("i32");
    const written = (width: Width): Code<"none">[] => {
      step(width, offset);
      return this.write.take();
    };
    const [fours, ones] = [written(4), written(1)];
    const elements = (width: Width, end: Local<"i32">, statements: readonly Code<"none">[]): Code<"none"> =>
      block((done) => [
        brIf(done, i32.ge_u(offset.get(), end.get())),
        loop((again) => [
          ...statements,
          offset.set(i32.add(offset.get(), i32.const(4 * width))),
          brIf(again, i32.lt_u(offset.get(), end.get())),
        ]),
      ]);
    const end = this.body.local("i32");
    const blocks: Code<"none">[] =
      flush.length === 0
        ? [elements(4, whole, fours)]
        : [
            block((done) => [
              brIf(done, i32.ge_u(offset.get(), whole.get())),
              loop((again) => [
                end.set(i32.add(offset.get(), i32.const(blockBytes))),
                when(i32.gt_u(end.get(), whole.get()), [end.set(whole.get())]),
                elements(4, end, fours),
                ...flush,
                brIf(again, i32.lt_u(offset.get(), whole.get())),
              ]),
            ]),
          ];
    const advance = this.streams.map(({ base, stride }) => base.set(i32.add(base.get(), stride.get())));
    return [
      ...this.write.prelude,
      this.count.set(i32.shl(this.count.get(), i32.const(2))),
      whole.set(i32.and(this.count.get(), i32.const(-16))),
      block((done) => [
        brIf(done, i32.eqz(this.runs.get())),
        loop((nextRun) => [
          offset.set(i32.const(0)),
          ...blocks,
          elements(1, this.count, ones),
          ...flush,
          ...advance,
          this.runs.set(i32.sub(this.runs.get(), i32.const(1))),
          brIf(nextRun, this.runs.get()),
        ]),
      ]),
    ];
  }

  /** All variables of the activation at an offset. */
  load(width: Width, offset: Local<"i32">): Record<string, Vector> {
    const { inputs, parameters } = this.activation;
    const loaded = this.shape.interleaved
      ? this.loadPair(width, this.inputs[0] as Stream, offset)
      : this.inputs.map((input) => this.loadOne(width, input, offset));
    const named: Record<string, Vector> = {};
    inputs.forEach((name, i) => {
      named[name] = loaded[i] as Vector;
    });
    Object.keys(parameters).forEach((name, i) => {
      const parameter = this.parameters[i] as Stream | Vector;
      named[name] = "base" in parameter ? this.loadOne(width, parameter, offset) : parameter;
    });
    return named;
  }

  loadOne(width: Width, { base }: Stream, offset: Local<"i32">): Vector {
    const address = i32.add(base.get(), offset.get());
    return this.write.let(width === 4 ? v128.load(address) : v128.load32_zero(address));
  }

  private loadPair(width: Width, { base }: Stream, offset: Local<"i32">): Vector[] {
    const { write } = this;
    const address = pairAddress(base, offset);
    if (width === 1) return [0, 4].map((at) => write.let(v128.load32_zero(address, at)));
    const [low, high] = [write.let(v128.load(address)), write.let(v128.load(address, 16))];
    return [evenLanes, oddLanes].map((lanes) => write.let(i8x16.shuffle(low.get(), high.get(), lanes)));
  }

  store(width: Width, { base }: Stream, offset: Local<"i32">, value: Vector): void {
    const address = i32.add(base.get(), offset.get());
    this.write.do(
      width === 4 ? v128.store(address, value.get()) : f32.store(address, f32x4.extract_lane(0, value.get())),
    );
  }

  storePair(
    width: Width,
    { base }: Stream,
    offset: Local<"i32">,
    [gate, up]: readonly [Vector, Vector],
  ): void {
    const address = pairAddress(base, offset);
    if (width === 1)
      [gate, up].forEach((value, i) => {
        this.write.do(f32.store(address, f32x4.extract_lane(0, value.get()), 4 * i));
      });
    else
      [lowPairs, highPairs].forEach((lanes, i) => {
        this.write.do(v128.store(address, i8x16.shuffle(gate.get(), up.get(), lanes), 16 * i));
      });
  }

  /** Sums over all elements: blocks in float32, and their sums in two registers of float64. */
  numberSum(body: Body): Total {
    const target = this.given.take("i32");
    const sums = [body.local("v128"), body.local("v128")] as const;
    const blockSum = body.local("v128");
    return {
      add: (width, _, slope) => {
        const value = width === 4 ? slope : this.firstLane(slope);
        this.write.do(blockSum.set(f32x4.add(blockSum.get(), value.get())));
      },
      flush: () => [
        ...this.halves(blockSum).map((half, i) => {
          const sum = sums[i] as Vector;
          return sum.set(f64x2.add(sum.get(), half));
        }),
        blockSum.set(f32x4.splat(f32.const(0))),
      ],
      finish: () => sums.map((sum, i) => v128.store(target.get(), sum.get(), 16 * i)),
    };
  }

  /** Collects 0 times each result, which is NaN where the result is not finite. */
  flag(): Total {
    const target = this.given.take("i32");
    const collected = this.body.local("v128");
    const { write } = this;
    return {
      add: (width, _, result) => {
        const value = width === 4 ? result : this.firstLane(result);
        write.do(collected.set(write.multiplyAdd(value, write.constant(0), collected).get()));
      },
      flush: () => [],
      finish: () => [v128.store(target.get(), f32x4.add(v128.load(target.get()), collected.get()))],
    };
  }

  /** Sums for each channel, in memory, as float64. */
  channelSums(): Total {
    const { base } = this.stream();
    return {
      add: (width, offset, slope) => {
        const address = pairAddress(base, offset);
        const value = width === 4 ? slope : this.firstLane(slope);
        this.halves(value).forEach((half, i) => {
          if (width === 1 && i === 1) return;
          const at = 16 * i;
          // One element's sum is 8 bytes; the second lane of the half is 0, and lies within the padding of the sums.
          this.write.do(v128.store(address, f64x2.add(v128.load(address, at), half), at));
        });
      },
      flush: () => [],
      finish: () => [],
    };
  }

  private firstLane(value: Vector): Vector {
    const mask = this.write.outside("first lane", () =>
      i8x16.shuffle(i32x4.splat(i32.const(-1)), i32x4.splat(i32.const(0)), [
        0,
        1,
        2,
        3,
        ...Array(12).fill(16),
      ]),
    );
    return this.write.let(v128.and(value.get(), mask.get()));
  }

  /** The lower and the upper two lanes as float64. */
  private halves(value: Vector): Code<"v128">[] {
    const upper = i8x16.shuffle(value.get(), value.get(), [
      8,
      9,
      10,
      11,
      12,
      13,
      14,
      15,
      ...Array(8).fill(0),
    ]);
    return [f64x2.promote_low_f32x4(value.get()), f64x2.promote_low_f32x4(upper)];
  }
}

/** Where element `offset / 4` of a stream of pairs, or of float64 numbers, begins. */
const pairAddress = (base: Local<"i32">, offset: Local<"i32">): Code<"i32"> =>
  i32.add(base.get(), i32.shl(offset.get(), i32.const(1)));
