// The elementwise kernels of an activation: the value in one pass over memory, and all gradients in one pass.
// The loops are in kernel-loops.ts; here stands what each kernel computes for an element.
import { type Activation, gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, mul, toExpr } from "../../expression/expr.js";
import type { Code } from "../assembler/code.js";
import type { Local, ModuleBuilder } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";
import { addKernel, kernel, type Taken } from "../machine/signature.js";
import { emitVectors } from "../vector/emit.js";
import type { Vector } from "../vector/writer.js";
import {
  type ElementwiseArguments,
  ElementwiseWriter,
  elementwiseArguments,
  type KernelShape,
} from "./kernel-loops.js";
import { channelSums, finiteFlag, numberSum } from "./kernel-totals.js";

/** What tells one elementwise kernel from another. */
interface Definition {
  /** Which optional arguments it takes; see `elementwiseArguments`. */
  readonly takes: { readonly targets: boolean; readonly sums: boolean; readonly flag: boolean };
  readonly write: (
    kernel: ElementwiseWriter,
    given: Taken<ElementwiseArguments>,
    activation: Activation,
  ) => Code<"none">[];
}

/** The value of the activation. */
const forward: Definition = {
  takes: { targets: false, sums: false, flag: false },
  write: (kernel, given, activation) =>
    kernel.loops((step) => {
      const [y] = emitVectors(kernel.write, [activation.expression], kernel.load(step)) as [Vector];
      kernel.store(step, given.result, y);
    }),
};

/** The value and its derivatives in the inputs, which share most of their work. A backward then only multiplies by dy. */
const record: Definition = {
  takes: { targets: true, sums: false, flag: false },
  write: (kernel, given, activation) => {
    const results = [activation.expression, ...inputSlopes(activation)];
    return kernel.loops((step) => {
      const [y, ...slopes] = emitVectors(kernel.write, results, kernel.load(step)) as [Vector, ...Vector[]];
      kernel.store(step, given.result, y);
      kernel.storeTargets(step, slopes);
    });
  },
};

/** The derivatives in the inputs, in the order of the inputs. */
const inputSlopes = (activation: Activation): Expr[] =>
  Object.values(gradientExpressions(activation)).slice(0, activation.inputs.length);

/** The gradients of the inputs from dy, and with `sums` those of the parameters. Sets the flag for results that are not finite. */
const gradients = (sums: boolean, slopesOf: (activation: Activation) => Expr[]): Definition => ({
  takes: { targets: true, sums, flag: true },
  write: (kernel, given, activation) => {
    const totals = given.sums.map((target) =>
      "base" in target ? channelSums(kernel.write, target.base) : numberSum(kernel.write, target),
    );
    const flag = finiteFlag(kernel.write, given.flag as Local<"i32">);
    const slopes = slopesOf(activation).map((slope) => mul(slope, "dy"));
    return [
      ...kernel.loops(
        (step) => {
          const variables = { ...kernel.load(step), dy: kernel.loadOne(step, given.result) };
          const results = emitVectors(kernel.write, slopes, variables);
          flag.add(step, results);
          kernel.storeTargets(step, results.slice(0, activation.inputs.length));
          results.slice(activation.inputs.length).forEach((slope, i) => {
            totals[i]?.add(step, slope);
          });
        },
        totals.flatMap((total) => total.flush()),
      ),
      ...totals.flatMap((total) => total.finish()),
      ...flag.finish(),
    ];
  },
});

/** The kernels of an activation. Each is a module of its own, since many programs need only one. */
const definitions = {
  forward,
  record,
  backward: gradients(true, (activation) => Object.values(gradientExpressions(activation))),
  /** `backward` without the gradients of parameters. */
  inputsBackward: gradients(false, inputSlopes),
  /** `inputsBackward` from the derivatives that `record` stored. Its inputs are those derivatives. */
  recordedBackward: gradients(false, (activation) => activation.inputs.map(toExpr)),
} satisfies Readonly<Record<string, Definition>>;
export type ElementwiseKernel = keyof typeof definitions;

/** A kernel for an activation: its signature, and the function that adds it to a module. */
export function elementwiseKernel(name: ElementwiseKernel, activation: Activation, shape: KernelShape) {
  const { takes, write } = definitions[name];
  const described = kernel(name, elementwiseArguments(activation, shape, takes));
  return {
    described,
    add: (module: ModuleBuilder, simd: Simd): void =>
      addKernel(module, described, (body, given) =>
        write(new ElementwiseWriter(body, given, activation, shape, simd), given, activation),
      ),
  };
}
