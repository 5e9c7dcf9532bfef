// Elementwise calls on the WebAssembly backend: data to addresses, kernels made once for each activation and shape,
// pieces to threads, sums of parameter gradients brought together.
import { repeated } from "../../backend/channels.js";
import type { ActivationPlan } from "../../backend/check.js";
import type { ParameterValue } from "../../backend/data.js";
import { repair } from "../../backend/repair.js";
import { addToSums, gradientsByName, zeroSums } from "../../backend/sums.js";
import { type Activation, definitionText } from "../../catalogue/activation.js";
import { type View, wholeView } from "../../layout.js";
import type { Engine, LoadedModule } from "../machine/engine.js";
import type { Scratch } from "../machine/scratch.js";
import type { KernelShape } from "./kernel-loops.js";
import { type ElementwiseKernel, elementwiseKernels } from "./kernels.js";
import { channelLength, divide, type Piece, pieces, streamOf } from "./pieces.js";

/** An operand in the heap. */
interface Placed {
  readonly address: number;
  readonly view: View;
}

/** A checked call whose data is in the heap. `inputs` has one entry for an interleaved tensor. */
interface PlacedCall {
  readonly module: LoadedModule;
  readonly pieces: readonly Piece[];
  readonly inputs: readonly Placed[];
  /** Addresses of channel values, or numbers. */
  readonly parameters: readonly (number | { readonly address: number })[];
  readonly channels: number;
  readonly interleaved: boolean;
}

/** Runs an activation forward: from the inputs' addresses, in the order of the plan, to `out`. */
export function forward(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  out: number,
  scratch: Scratch,
): void {
  const call = placeCall(engine, plan, addresses, scratch, "forward");
  const groups = divide(call.pieces, engine.threads);
  call.module.run(
    "forward",
    groups.map((group) => group.map((piece) => operandArguments(call, piece, plan, out))),
  );
}

/** Runs an activation forward to `out`, and leaves its derivatives in the inputs at `slopes`, in the layout of the inputs. */
export function record(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  out: number,
  slopes: readonly number[],
  scratch: Scratch,
): void {
  const call = placeCall(engine, plan, addresses, scratch, "record");
  const groups = divide(call.pieces, engine.threads);
  call.module.run(
    "record",
    groups.map((group) => group.map((piece) => operandArguments(call, piece, plan, out, slopes))),
  );
}

/**
 * Runs an activation backward into the gradients' addresses, from dy and the slopes that `record` left. Returns whether all
 * gradients are finite; where not, only `backward` knows whether they should be.
 */
export function recordedBackward(
  engine: Engine,
  plan: ActivationPlan,
  slopes: readonly number[],
  dy: number,
  gradients: readonly number[],
  scratch: Scratch,
): boolean {
  const call = placeCall(engine, plan, slopes, scratch, "recordedBackward");
  return runFlagged(
    engine,
    call,
    "recordedBackward",
    scratch,
    () => (piece) => operandArguments(call, piece, plan, dy, gradients),
  );
}

/**
 * Runs a kernel that raises a flag where a result is infinite or NaN, on arguments made for each group and then piece, the
 * flag aside. Returns whether all results are finite.
 */
function runFlagged(
  engine: Engine,
  call: PlacedCall,
  kernel: ElementwiseKernel,
  scratch: Scratch,
  argumentsOfGroup: () => (piece: Piece) => number[],
): boolean {
  const flags: number[] = [];
  const groups = divide(call.pieces, engine.threads).map((group) => {
    const flag = scratch.place(Float32Array.of(0, 0, 0, 0));
    flags.push(flag);
    const argumentsOf = argumentsOfGroup();
    return group.map((piece) => [...argumentsOf(piece), flag]);
  });
  call.module.run(kernel, groups);
  return !flags.some((flag) => engine.heap.at(flag, 4).some(Number.isNaN));
}

/** Arguments for what has the result's shape, what has the inputs' layout if there is any, the inputs and the parameters. */
function operandArguments(
  call: PlacedCall,
  piece: Piece,
  plan: ActivationPlan,
  y: number,
  slopes?: readonly number[],
): number[] {
  return [
    piece.runs,
    piece.count,
    ...streamOf(piece, wholeView(plan.count), y),
    ...(slopes
      ? call.inputs.flatMap(({ view }, i) => inputStream(call, piece, view, slopes[i] as number))
      : []),
    ...inputStreams(call, piece),
    ...parameterArguments(call, piece),
  ];
}

/**
 * Runs an activation backward into the gradients' addresses; returns the parameters' gradients by name, or none if they
 * are not asked for.
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
  const call = placeCall(engine, plan, addresses, scratch, kernel);
  const asked = parameterGradients ? plan.parameters : {};
  const summed = parameterGradients ? call.parameters : [];
  const sums: { readonly parameter: number; readonly address: number; readonly count: number }[] = [];
  /** Room for the sums of one group in one parameter, in float64: a register pair, or one for each channel. */
  const sumRoom = (parameter: number): number => {
    const count = typeof call.parameters[parameter] === "number" ? 4 : call.channels;
    const address = scratch.place(2 * count + 2);
    engine.heap.at(address, 2 * count + 2).fill(0);
    sums.push({ parameter, address, count });
    return address;
  };
  const finite = runFlagged(engine, call, kernel, scratch, () => {
    const channelRoom = summed.map((value, i) => (typeof value === "number" ? 0 : sumRoom(i)));
    return (piece) => [
      ...operandArguments(call, piece, plan, dy, gradients),
      ...summed.flatMap((value, i) =>
        typeof value === "number"
          ? [sumRoom(i)]
          : [(channelRoom[i] as number) + 8 * piece.channel, 8 * piece.channelStep],
      ),
    ];
  });
  const { heap } = engine;
  const totals = Object.values(asked).map(zeroSums);
  for (const { parameter, address, count } of sums)
    addToSums(totals[parameter] as Float64Array, new Float64Array(heap.memory.buffer, address, count));
  if (!finite) {
    const extent = plan.packed ? 2 * plan.count : plan.count;
    const all = (places: readonly number[]) => places.map((place) => heap.at(place, extent));
    const data = { inputs: all(addresses), gradients: all(gradients), dy: heap.at(dy, plan.count) };
    repair(plan, data, totals);
  }
  return gradientsByName(asked, totals);
}

function placeCall(
  engine: Engine,
  plan: ActivationPlan,
  addresses: readonly number[],
  scratch: Scratch,
  kernel: ElementwiseKernel,
): PlacedCall {
  const { activation, count, packed } = plan;
  const views = plan.inputs.map(({ view }) => view);
  const run = Math.min(count, (views[0] as View).run);
  // Gate and up one by one, gate first: read as pairs, in one go.
  const interleaved = packed && run === 1 && views[0]?.offset === 0;
  const stretch = interleaved ? count : run;
  const values = Object.values(plan.parameters);
  const channels = channelLength(values, stretch, count);
  const shape: KernelShape = { interleaved, perChannel: values.map((value) => typeof value !== "number") };
  return {
    module: loadKernel(engine, activation, shape, kernel),
    pieces: pieces(count, stretch, channels),
    inputs: interleaved
      ? [{ address: addresses[0] as number, view: wholeView(count) }]
      : views.map((view, i) => ({ address: addresses[i] as number, view })),
    parameters: values.map((value) =>
      typeof value === "number" ? value : { address: scratch.place(repeated(value, channels)) },
    ),
    channels,
    interleaved,
  };
}

function inputStream({ interleaved }: PlacedCall, piece: Piece, view: View, address: number): number[] {
  const [first, stride] = streamOf(piece, view, 0);
  // A pair of numbers for each element.
  return interleaved ? [address + 2 * first, 2 * stride] : [address + first, stride];
}

function inputStreams(call: PlacedCall, piece: Piece): number[] {
  return call.inputs.flatMap(({ address, view }) => inputStream(call, piece, view, address));
}

function parameterArguments({ parameters }: PlacedCall, { channel, channelStep }: Piece): number[] {
  return parameters.flatMap((value) =>
    typeof value === "number" ? [value] : [value.address + 4 * channel, 4 * channelStep],
  );
}

/** A kernel of an activation, assembled once. Activations with the same definition share it. */
function loadKernel(
  engine: Engine,
  activation: Activation,
  shape: KernelShape,
  kernel: ElementwiseKernel,
): LoadedModule {
  return engine.load(`${kernel} ${definitionText(activation)} ${JSON.stringify(shape)}`, (module) => {
    elementwiseKernels[kernel](module, activation, shape, engine.simd);
  });
}
