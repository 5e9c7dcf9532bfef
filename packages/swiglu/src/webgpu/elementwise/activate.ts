// Elementwise calls on the GPU: finds the kernel and the arguments of a checked call, and adds up the partial sums that it leaves.
import { leastCommonMultiple, lengthOf, repeated } from "../../call/channels.js";
import type { ActivationPlan } from "../../call/check.js";
import type { ParameterValue } from "../../call/data.js";
import { gradientsByName, zeroSums } from "../../call/sums.js";
import type { View } from "../../layout.js";
import type { Place } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import type { Words } from "../device/signature.js";
import type { KernelShape } from "./elements-kernel.js";
import { activationKernel } from "./kernels.js";
import { addPartialSums, keptThreads, workgroupSize } from "./sums-kernel.js";

/** The most threads that go through a tensor. */
const mostThreads = 2 ** 22;
/** The same where threads sum gradients of parameters. */
const mostSumming = 2 ** 17;
/** The most partial sums of a parameter, in vectors, since all of them are read back to the host. */
const mostPartials = 2 ** 15;
/** The most workgroups along a dimension that every device takes. */
const mostGroups = 65535;

/** Computes y from the inputs, in the order of the plan. There must be at least one element. */
export function forward(call: Call, plan: ActivationPlan, inputs: readonly Place[], out: Place): void {
  const run = prepare(call, plan, "forward", false);
  const { parameters } = run;
  const places = { parameters, sources: tensors(plan, inputs), targets: [out], partials: undefined };
  call.run(run.kernel, places, run.words, [run.groups]);
}

/**
 * Computes the gradients of the inputs to `targets`, in the order of the plan. Returns those of the parameters by name, or none if
 * `parameterGradients` is false.
 */
export async function backward(
  call: Call,
  plan: ActivationPlan,
  inputs: readonly Place[],
  dy: Place,
  targets: readonly Place[],
  parameterGradients: boolean,
): Promise<Record<string, ParameterValue>> {
  const summed = parameterGradients ? plan.parameters : {};
  const values = Object.values(summed);
  const sums = values.map(zeroSums);
  if (plan.count > 0) {
    const { kernel, width, kept, parameters, words, groups } = prepare(
      call,
      plan,
      "backward",
      values.length > 0,
    );
    const partials = new Float32Array(2 * width * kept * groups * values.length);
    const room = partials.length > 0 ? call.room(partials.length, "f32") : undefined;
    const places = {
      parameters,
      sources: [...tensors(plan, inputs), dy],
      targets: tensors(plan, targets),
      partials: room,
    };
    call.run(kernel, places, words, [groups]);
    await call.read(room ? [{ place: room, into: partials, as: "f32" }] : []);
    sums.forEach((into, parameter) => {
      addPartialSums(into, partials, { parameter, parameters: values.length, kept, width });
    });
  }
  return gradientsByName(summed, sums);
}

/** The tensors that a kernel takes. A packed one, which is both gate and up, is one. */
const tensors = ({ packed }: ActivationPlan, places: readonly Place[]): readonly Place[] =>
  packed ? places.slice(0, 1) : places;

/** The kernel of a call, and its arguments besides tensors. */
interface Run {
  readonly kernel: ReturnType<typeof activationKernel>;
  readonly width: 4 | 1;
  /** How many threads of a workgroup store partial sums. */
  readonly kept: number;
  readonly parameters: Place | undefined;
  readonly words: Words<ReturnType<typeof activationKernel>["takes"]["uniform"]["words"][number]>;
  readonly groups: number;
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
  const kept = keptThreads(channels, width);
  const threads = threadsFor(
    plan,
    Math.ceil(count / width),
    leastCommonMultiple(channels, width) / width,
    parameterGradients ? Math.min(mostSumming, (mostPartials / kept) * workgroupSize) : mostThreads,
  );
  const [first, second = first] = plan.inputs.map(({ view }) => view) as [View, View?];
  const words = {
    count,
    threads,
    zero: 0,
    channels,
    kept,
    run: first.run,
    stride: first.stride,
    gate: first.offset,
    up: second.offset,
  };
  return {
    kernel: activationKernel(activation, shape),
    width,
    kept,
    parameters: values.length === 0 ? undefined : call.upload(parameterData(values, channels), "f32"),
    words,
    groups: Math.ceil(threads / workgroupSize),
  };
}

/** How gate and up are packed, and how many elements a thread can read together. */
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

/** The number of threads for `work` items: a multiple of `multiple`, which keeps threads in their channels, and at most `most`. */
function threadsFor({ activation }: ActivationPlan, work: number, multiple: number, most: number): number {
  const times = Math.max(1, Math.floor(most / multiple));
  const threads = multiple * Math.min(Math.ceil(work / multiple), times);
  if (threads > mostGroups * workgroupSize)
    throw new RangeError(
      `the parameters of ${activation.name} have too many channels for one dispatch, which takes ${mostGroups * workgroupSize}: pass numbers, or fewer channels at once`,
    );
  return threads;
}

/** The data of all parameters: one number for each, then the channel values of each that has them. */
function parameterData(values: readonly ParameterValue[], channels: number): Float32Array {
  const perChannel = values.some((value) => typeof value !== "number");
  const data = new Float32Array(values.length * (1 + (perChannel ? channels : 0)));
  values.forEach((value, i) => {
    if (typeof value === "number") data[i] = value;
    else data.set(repeated(value, channels), values.length + i * channels);
  });
  return data;
}
