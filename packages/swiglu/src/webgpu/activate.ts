// Elementwise calls on the GPU: a checked call to a kernel and its arguments; sums of parameter gradients brought together.
import { leastCommonMultiple, lengthOf, repeated } from "../backend/channels.js";
import type { ActivationPlan } from "../backend/check.js";
import type { ParameterValue } from "../backend/data.js";
import { sumsOf } from "../backend/sums.js";
import { definitionText } from "../catalogue/activation.js";
import type { View } from "../layout.js";
import { type KernelCall, type KernelShape, kernelWords } from "./activation-elements.js";
import { activationShader, workgroupSize } from "./activation-kernels.js";
import { type SumCall, sumKernel, sumWords } from "./activation-sums.js";
import type { Place } from "./buffers.js";
import type { Call } from "./call.js";
import type { Kernel } from "./pipelines.js";

/** How many threads go through a large tensor; each keeps sums of its own. */
const mostThreads = { forward: 2 ** 22, backward: 2 ** 15 };
/** How many sums of a channel are made side by side where there are more than their square. */
const sumsBeside = 64;
/** Workgroups along a dimension: every device takes so many. */
const mostGroups = 65535;

/** Computes y from the inputs' places, in the order of the plan. There must be elements. */
export function forward(call: Call, plan: ActivationPlan, inputs: readonly Place[], out: Place): void {
  const run = prepare(call, plan, "forward", false);
  call.run(run.kernel, [...run.parameters, ...tensors(plan, inputs), out], run.words, run.groups);
}

/**
 * Computes the gradients of inputs to `targets`, in the order of the plan, and returns those of parameters by name, if
 * they are asked for.
 */
export async function backward(
  call: Call,
  plan: ActivationPlan,
  inputs: readonly Place[],
  dy: Place,
  targets: readonly Place[],
  parameterGradients: boolean,
): Promise<Record<string, ParameterValue>> {
  const summed = parameterGradients ? Object.entries(plan.parameters) : [];
  const ends: number[] = [];
  for (const [, value] of summed) ends.push((ends.at(-1) ?? 0) + lengthOf(value));
  const totals = new Float32Array(2 * (ends.at(-1) ?? 0));
  if (plan.count > 0) {
    const run = prepare(call, plan, "backward", parameterGradients);
    const places = [...run.parameters, ...tensors(plan, inputs), dy, ...tensors(plan, targets)];
    const length = run.width * run.threads;
    const partials = summed.length > 0 ? [call.room(2 * length * summed.length, "f32")] : [];
    call.run(run.kernel, [...places, ...partials], run.words, run.groups);
    const sums = summed.length > 0 ? call.room(totals.length, "f32") : undefined;
    summed.forEach(([, value], i) => {
      const channels = lengthOf(value);
      const add = (from: Place, to: Place, words: SumCall): void =>
        call.run(sumKernel, [from, to], sumWords(words), [Math.min(words.channels, mostGroups)]);
      const all = { length, first: i * length, at: (ends[i] as number) - channels, channels };
      const columns = channels * sumsBeside;
      if (length <= columns * sumsBeside) add(partials[0] as Place, sums as Place, all);
      else {
        // So many that one workgroup for each channel would take long: side by side first.
        const between = call.room(2 * columns, "f32");
        add(partials[0] as Place, between, { ...all, at: 0, channels: columns });
        add(between, sums as Place, { ...all, length: columns, first: 0 });
      }
    });
    if (sums) await call.read([{ place: sums, into: totals, as: "f32" }]);
  }
  return Object.fromEntries(
    summed.map(([name, value], i) => {
      const end = ends[i] as number;
      const pairs = Array.from({ length: lengthOf(value) }, (_, k) => end - lengthOf(value) + k);
      return [
        name,
        sumsOf(
          value,
          pairs.map((at) => joinedPair(totals[2 * at] as number, totals[2 * at + 1] as number)),
        ),
      ];
    }),
  );
}

/** Beside a total that overflowed, the rest is NaN. */
const joinedPair = (total: number, rest: number): number => (Number.isFinite(total) ? total + rest : total);

/** The tensors that a kernel is given: a packed one once. */
const tensors = ({ packed }: ActivationPlan, places: readonly Place[]): readonly Place[] =>
  packed ? places.slice(0, 1) : places;

/** A kernel for a call, and what it takes besides tensors. */
interface Run {
  readonly kernel: Kernel;
  readonly width: 4 | 1;
  readonly threads: number;
  readonly parameters: readonly Place[];
  readonly words: readonly number[];
  readonly groups: readonly number[];
}

function prepare(
  call: Call,
  plan: ActivationPlan,
  direction: KernelShape["direction"],
  parameterGradients: boolean,
): Run {
  const { activation, count } = plan;
  const values = Object.values(plan.parameters);
  const channels = values.map(lengthOf).reduce(leastCommonMultiple, 1);
  const { layout, width } = placement(plan);
  const shape: KernelShape = {
    direction,
    layout,
    width,
    storage: call.gpu.storage,
    perChannel: values.map((value) => typeof value !== "number"),
    parameterGradients,
  };
  const threads = threadsFor(
    plan,
    Math.ceil(count / width),
    leastCommonMultiple(channels, width) / width,
    direction,
  );
  const [first, second = first] = plan.inputs.map(({ view }) => view) as [View, View?];
  const words: KernelCall = {
    count,
    threads,
    zero: 0,
    channels,
    run: first.run,
    stride: first.stride,
    gate: first.offset,
    up: second.offset,
  };
  return {
    kernel: {
      key: `${JSON.stringify(shape)} ${definitionText(activation)}`,
      code: () => activationShader(activation, shape),
    },
    width,
    threads,
    parameters: values.length === 0 ? [] : [call.place(parameterData(values, channels), "f32")],
    words: kernelWords(words),
    groups: [Math.ceil(threads / workgroupSize)],
  };
}

/** How gate and up lie, and how many elements can be read at once. */
function placement({ packed, inputs }: ActivationPlan): Pick<KernelShape, "layout" | "width"> {
  if (!packed) return { layout: "separate", width: 4 };
  const views = inputs.map(({ view }) => view);
  const [gate] = views as [View];
  if (gate.run === 1 && gate.offset === 0) return { layout: "interleaved", width: 4 };
  const whole = views.every(({ run, stride, offset }) =>
    [run, stride, offset].every((size) => size % 4 === 0),
  );
  return { layout: "halves", width: whole ? 4 : 1 };
}

/** As many threads as there is work for, so many at most, and a multiple of what channels need. */
function threadsFor(
  { activation }: ActivationPlan,
  work: number,
  multiple: number,
  direction: KernelShape["direction"],
): number {
  const most = Math.max(1, Math.floor(mostThreads[direction] / multiple));
  const threads = multiple * Math.min(Math.ceil(work / multiple), most);
  if (threads > mostGroups * workgroupSize)
    throw new RangeError(
      `the parameters of ${activation.name} have too many channels for one dispatch, which takes ${mostGroups * workgroupSize}: pass numbers, or fewer channels at once`,
    );
  return threads;
}

/** One number for each parameter, then the channels of each that has them. */
function parameterData(values: readonly ParameterValue[], channels: number): Float32Array {
  const perChannel = values.some((value) => typeof value !== "number");
  const data = new Float32Array(values.length * (1 + (perChannel ? channels : 0)));
  values.forEach((value, i) => {
    if (typeof value === "number") data[i] = value;
    else data.set(repeated(value, channels), values.length + i * channels);
  });
  return data;
}
