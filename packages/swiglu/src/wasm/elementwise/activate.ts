// Elementwise calls on the WebAssembly backend: finds the kernel of a call, divides the call into pieces for threads, and adds up
// the gradients of parameters that they leave.
import { repeated } from "../../call/channels.js";
import type { ActivationPlan } from "../../call/check.js";
import type { ParameterValue } from "../../call/data.js";
import { repair } from "../../call/repair.js";
import { addToSums, gradientsByName, zeroSums } from "../../call/sums.js";
import { type Activation, definitionText } from "../../catalogue/activation.js";
import { type View, wholeView } from "../../layout.js";
import type { Engine } from "../machine/engine.js";
import type { Scratch } from "../machine/scratch.js";
import type { Given } from "../machine/signature.js";
import type { ElementwiseArguments, KernelShape } from "./kernel-loops.js";
import { type ElementwiseKernel, elementwiseKernel } from "./kernels.js";
import { channelLength, divide, type Piece, pieces, streamOf } from "./pieces.js";

/** An input in the heap. */
interface InputInHeap {
  readonly address: number;
  readonly view: View;
}

/** What an elementwise kernel is called with. */
type Arguments = Given<ElementwiseArguments>;

/** A checked call whose data is in the heap. An interleaved tensor is one input. */
interface CallInHeap {
  readonly run: (groups: readonly (readonly Arguments[])[]) => void;
  readonly pieces: readonly Piece[];
  readonly inputs: readonly InputInHeap[];
  /** For each parameter a number, or the address of the channel values. */
  readonly parameters: readonly (number | { readonly address: number })[];
  readonly channels: number;
  readonly interleaved: boolean;
}

/** Computes an activation's value, from inputs at `addresses`, in the order of the plan, to the address `out`. */
export function forward(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  out: number,
  scratch: Scratch,
): void {
  const call = callInHeap(engine, plan, addresses, scratch, "forward");
  const groups = divide(call.pieces, engine.threads);
  call.run(groups.map((group) => group.map((piece) => kernelArguments(call, piece, plan, out))));
}

/** Computes an activation's value, and its derivatives in the inputs at the addresses `slopes`, in the layout of the inputs. */
export function record(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  out: number,
  slopes: readonly number[],
  scratch: Scratch,
): void {
  const call = callInHeap(engine, plan, addresses, scratch, "record");
  const groups = divide(call.pieces, engine.threads);
  call.run(groups.map((group) => group.map((piece) => kernelArguments(call, piece, plan, out, slopes))));
}

/**
 * Computes the gradients of the inputs from dy and the derivatives that `record` stored at `slopes`. Returns whether all of them
 * are finite. If not, call `backward`, which finds out whether they should be.
 */
export function recordedBackward(
  engine: Engine,
  plan: ActivationPlan,
  slopes: readonly number[],
  dy: number,
  gradients: readonly number[],
  scratch: Scratch,
): boolean {
  const call = callInHeap(engine, plan, slopes, scratch, "recordedBackward");
  return runFlagged(
    engine,
    call,
    scratch,
    () => (piece) => kernelArguments(call, piece, plan, dy, gradients),
  );
}

/**
 * Runs a kernel that has a flag for results that are infinite or NaN. `argumentsOfGroup` is called for each group of pieces, and
 * what it returns for each piece; the flag is added here. Returns whether all results are finite.
 */
function runFlagged(
  engine: Engine,
  call: CallInHeap,
  scratch: Scratch,
  argumentsOfGroup: () => (piece: Piece) => Arguments,
): boolean {
  const flags: number[] = [];
  const groups = divide(call.pieces, engine.threads).map((group) => {
    const flag = scratch.allocate(Float32Array.of(0, 0, 0, 0));
    flags.push(flag);
    const argumentsOf = argumentsOfGroup();
    return group.map((piece) => ({ ...argumentsOf(piece), flag }));
  });
  call.run(groups);
  return !flags.some((flag) => engine.heap.at(flag, 4).some(Number.isNaN));
}

/** The arguments of a kernel for one piece. `result` and `targets` are addresses; see `elementwiseArguments`. */
function kernelArguments(
  call: CallInHeap,
  piece: Piece,
  plan: ActivationPlan,
  result: number,
  targets?: readonly number[],
): Arguments {
  return {
    runs: piece.runs,
    count: piece.count,
    result: streamOf(piece, wholeView(plan.count), result),
    targets: targets
      ? call.inputs.map(({ view }, i) => inputStream(call, piece, view, targets[i] as number))
      : [],
    inputs: call.inputs.map(({ address, view }) => inputStream(call, piece, view, address)),
    parameters: call.parameters.map((value) =>
      typeof value === "number"
        ? value
        : { base: value.address + 4 * piece.channel, stride: 4 * piece.channelStep },
    ),
    sums: [],
    flag: undefined,
  };
}

/**
 * Computes the gradients of the inputs, to the addresses `gradients`. Returns the gradients of the parameters by name, or none if
 * `parameterGradients` is false.
 */
export function backward(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  dy: number,
  gradients: readonly number[],
  scratch: Scratch,
  parameterGradients = true,
): Record<string, ParameterValue> {
  const kernel = parameterGradients ? "backward" : "inputsBackward";
  const call = callInHeap(engine, plan, addresses, scratch, kernel);
  const asked = parameterGradients ? plan.parameters : {};
  const summed = parameterGradients ? call.parameters : [];
  const sums: { readonly parameter: number; readonly address: number; readonly count: number }[] = [];
  /** Room for the sums of one group and one parameter, in float64: 4 parts of one sum, or a sum for each channel. */
  const sumRoom = (parameter: number): number => {
    const count = typeof call.parameters[parameter] === "number" ? 4 : call.channels;
    const address = scratch.allocate(2 * count + 2);
    engine.heap.at(address, 2 * count + 2).fill(0);
    sums.push({ parameter, address, count });
    return address;
  };
  const finite = runFlagged(engine, call, scratch, () => {
    const channelRoom = summed.map((value, i) => (typeof value === "number" ? 0 : sumRoom(i)));
    return (piece) => ({
      ...kernelArguments(call, piece, plan, dy, gradients),
      sums: summed.map((value, i) =>
        typeof value === "number"
          ? sumRoom(i)
          : { base: (channelRoom[i] as number) + 8 * piece.channel, stride: 8 * piece.channelStep },
      ),
    });
  });
  const { heap } = engine;
  const totals = Object.values(asked).map(zeroSums);
  for (const { parameter, address, count } of sums)
    addToSums(totals[parameter] as Float64Array, new Float64Array(heap.memory.buffer, address, count));
  if (!finite) {
    const extent = plan.packed ? 2 * plan.count : plan.count;
    const all = (at: readonly number[]) => at.map((address) => heap.at(address, extent));
    const data = { inputs: all(addresses), gradients: all(gradients), dy: heap.at(dy, plan.count) };
    repair(plan, data, totals);
  }
  return gradientsByName(asked, totals);
}

function callInHeap(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  scratch: Scratch,
  kernel: ElementwiseKernel,
): CallInHeap {
  const { activation, count, packed } = plan;
  const views = plan.inputs.map(({ view }) => view);
  const run = Math.min(count, (views[0] as View).run);
  // Gate and up alternate element by element, gate first: the kernel reads them as pairs.
  const interleaved = packed && run === 1 && views[0]?.offset === 0;
  const stretch = interleaved ? count : run;
  const values = Object.values(plan.parameters);
  const channels = channelLength(values, stretch, count);
  const shape: KernelShape = { interleaved, perChannel: values.map((value) => typeof value !== "number") };
  return {
    run: loadKernel(engine, activation, shape, kernel),
    pieces: pieces(count, stretch, channels),
    inputs: interleaved
      ? [{ address: addresses[0] as number, view: wholeView(count) }]
      : views.map((view, i) => ({ address: addresses[i] as number, view })),
    parameters: values.map((value) =>
      typeof value === "number" ? value : { address: scratch.allocate(repeated(value, channels)) },
    ),
    channels,
    interleaved,
  };
}

/** The stream of what has the inputs' layout. An interleaved tensor has two numbers for each element. */
function inputStream({ interleaved }: CallInHeap, piece: Piece, view: View, address: number) {
  const { base, stride } = streamOf(piece, view, 0);
  const numbers = interleaved ? 2 : 1;
  return { base: address + numbers * base, stride: numbers * stride };
}

/** Loads a kernel of an activation, which is assembled once. Activations with the same definition share it. */
function loadKernel(
  engine: Engine,
  activation: Activation,
  shape: KernelShape,
  name: ElementwiseKernel,
): CallInHeap["run"] {
  const key = `${name} ${definitionText(activation)} ${JSON.stringify(shape)}`;
  const descriptions = described.get(engine) ?? new Map<string, ReturnType<typeof elementwiseKernel>>();
  described.set(engine, descriptions);
  const known = descriptions.get(key) ?? elementwiseKernel(name, activation, shape);
  descriptions.set(key, known);
  const module = engine.load(key, (module) => known.add(module, engine.simd));
  return (groups) => module.run(known.described, groups);
}

/** Descriptions of kernels by key: calls of small arrays would notice the time that it takes to make them again. */
const described = new WeakMap<Engine, Map<string, ReturnType<typeof elementwiseKernel>>>();
