// The fused elementwise kernels of an activation: one pass forward, one pass backward with all gradients.
// A kernel goes through `runs` runs of `count` consecutive elements; every operand advances by its own stride per run.
import { type Activation, gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, mul, toExpr } from "../../expression/expr.js";
import { Arguments } from "../assembler/arguments.js";
import type { ValueType } from "../assembler/code.js";
import type { ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import { emitVectors } from "../vector/emit.js";
import type { Vector } from "../vector/writer.js";
import { inputTypes, Kernel, type KernelShape, parameterTypes, streamTypes } from "./kernel-loops.js";
import { channelSums, finiteFlag, numberSum } from "./kernel-totals.js";

type AddKernel = (module: ModuleBuilder, activation: Activation, shape: KernelShape, simd: Simd) => void;

/**
 * Adds the kernel `forward(runs, count, out, outStride, (input, stride)..., parameter...)`: a parameter is an f32, or
 * an address and a stride where there is one value for each channel. Strides and addresses are in bytes.
 */
const addForward: AddKernel = (module, activation, shape, simd) => {
  const inputs = inputTypes(activation, shape);
  const types: ValueType[] = ["i32", "i32", ...streamTypes, ...inputs, ...parameterTypes(shape)];
  module.function("forward", types, (body, ...all) => {
    const kernel = new Kernel(body, new Arguments(all), activation, shape, simd);
    const out = kernel.stream();
    kernel.operands();
    return kernel.loops((place) => {
      const variables = kernel.load(place);
      const [y] = emitVectors(kernel.write, [activation.expression], variables) as [Vector];
      kernel.store(place, out, y);
    });
  });
};

/**
 * Adds `record(runs, count, out, outStride, (slope, stride)..., (input, stride)..., parameter...)`: the value, and its
 * derivatives in the inputs, in the layout of the inputs. They share most of their work; a backward then only multiplies.
 */
const addRecord: AddKernel = (module, activation, shape, simd) => {
  const inputs = inputTypes(activation, shape);
  const types: ValueType[] = ["i32", "i32", ...streamTypes, ...inputs, ...inputs, ...parameterTypes(shape)];
  module.function("record", types, (body, ...all) => {
    const kernel = new Kernel(body, new Arguments(all), activation, shape, simd);
    const out = kernel.stream();
    const targets = kernel.inputStreams();
    kernel.operands();
    const results = [activation.expression, ...inputSlopes(activation)];
    return kernel.loops((place) => {
      const [y, ...slopes] = emitVectors(kernel.write, results, kernel.load(place)) as [Vector, ...Vector[]];
      kernel.store(place, out, y);
      kernel.storeInputs(place, targets, slopes);
    });
  });
};

/** The derivatives in the inputs, in their order. */
const inputSlopes = (activation: Activation): Expr[] =>
  Object.values(gradientExpressions(activation)).slice(0, activation.inputs.length);

/** Which derivatives a backward kernel multiplies with dy; `recordedBackward` is given them as its inputs. */
const slopesOf = {
  backward: (activation) => Object.values(gradientExpressions(activation)),
  inputsBackward: inputSlopes,
  recordedBackward: (activation) => activation.inputs.map(toExpr),
} satisfies Readonly<Record<string, (activation: Activation) => Expr[]>>;

/**
 * Adds `backward(runs, count, dy, dyStride, (gradient, stride)..., (input, stride)..., parameter..., sum..., flag)`:
 * gradients in the layout of the inputs, and for each parameter where its gradient is summed in float64: 4 numbers that
 * are to be added up, or one for each channel (an address and a stride). At `flag` there are 4 zeros before, and a NaN
 * among them after, if a result was infinite or NaN. The kernel `inputsBackward` has no sums and does not compute them;
 * nor has `recordedBackward`, which takes what `record` left in place of the inputs.
 */
const addGradients =
  (name: keyof typeof slopesOf): AddKernel =>
  (module, activation, shape, simd) => {
    const inputs = inputTypes(activation, shape);
    const summed = name === "backward" ? shape.perChannel : [];
    const sums = summed.flatMap((channels): ValueType[] => (channels ? [...streamTypes] : ["i32"]));
    const types: ValueType[] = [
      "i32",
      "i32",
      ...streamTypes,
      ...inputs,
      ...inputs,
      ...parameterTypes(shape),
      ...sums,
      "i32",
    ];
    module.function(name, types, (body, ...all) => {
      const given = new Arguments(all);
      const kernel = new Kernel(body, given, activation, shape, simd);
      const dy = kernel.stream();
      const gradients = kernel.inputStreams();
      kernel.operands();
      const totals = summed.map((channels) =>
        channels
          ? channelSums(kernel.write, kernel.stream().base)
          : numberSum(kernel.write, given.take("i32")),
      );
      const flag = finiteFlag(kernel.write, given.take("i32"));
      const slopes = slopesOf[name](activation).map((slope) => mul(slope, "dy"));
      return [
        ...kernel.loops(
          (place) => {
            const variables = { ...kernel.load(place), dy: kernel.loadOne(place, dy) };
            const results = emitVectors(kernel.write, slopes, variables);
            flag.add(place, results);
            const [forInputs, forParameters] = [
              results.slice(0, activation.inputs.length),
              results.slice(activation.inputs.length),
            ];
            kernel.storeInputs(place, gradients, forInputs);
            forParameters.forEach((slope, i) => {
              totals[i]?.add(place, slope);
            });
          },
          totals.flatMap((total) => total.flush()),
        ),
        ...totals.flatMap((total) => total.finish()),
        ...flag.finish(),
      ];
    });
  };

/** The kernels of an activation, each in a module of its own: many programs need only one. */
export const elementwiseKernels = {
  forward: addForward,
  record: addRecord,
  backward: addGradients("backward"),
  inputsBackward: addGradients("inputsBackward"),
  recordedBackward: addGradients("recordedBackward"),
} satisfies Readonly<Record<string, AddKernel>>;
export type ElementwiseKernel = keyof typeof elementwiseKernels;
