// Writes the graphs of elementwise calls: one graph for an activation forward and one backward, each for inputs of any size.
// Elements have the shape [count], or [rows, channels] where a parameter has one value for each channel.
import { type Activation, gradientExpressions } from "../../catalogue/activation.js";
import { type Expr, mul } from "../../expression/expr.js";
import type { OnnxMath } from "../../onnx/expression/options.js";
import type { Model } from "../../onnx/model/model.js";
import { CallGraph } from "./call-graph.js";

/** Which graph an activation needs. */
export interface ActivationCase {
  /** Gate and up in one tensor, [outer, 2, run]. */
  readonly packed: boolean;
  /** Where gate is along the axis of 2. */
  readonly gateSlot: number;
  /** Whether any parameter has one value for each channel. */
  readonly perChannel: boolean;
  readonly math: OnnxMath;
}

const elements = ({ perChannel }: ActivationCase): readonly string[] =>
  perChannel ? ["rows", "channels"] : ["count"];

/**
 * The model of an activation's value. Inputs: each input of the activation, or `packed` and, for its halves, the `shape` of
 * elements; each parameter, `parameter_` and its name. Output: `y`.
 */
export function forwardModel(activation: Activation, of: ActivationCase): Model {
  const graph = new CallGraph(of.math);
  const inputs = of.packed ? unpack(graph, of).halves : separate(graph, activation, of);
  const [y] = graph.emit([activation.expression], { ...inputs, ...parameters(graph, activation, of) });
  graph.output("y", y as string, elements(of));
  return graph.model();
}

/**
 * The model of an activation's gradients. Inputs: those of its value, and `dy`. Outputs: `gradient_` and the name of
 * each input (or `gradient_packed`), and if asked for `gradient_` and the name of each parameter: the sum over all, or
 * for each channel, in float64.
 */
export function backwardModel(
  activation: Activation,
  of: ActivationCase,
  parameterGradients: boolean,
): Model {
  const graph = new CallGraph(of.math);
  const halves = of.packed ? unpack(graph, of) : undefined;
  const inputs = halves?.halves ?? separate(graph, activation, of);
  const dy = graph.input("dy", elements(of));
  const slopes = gradientExpressions(activation);
  const summed = parameterGradients ? Object.keys(activation.parameters) : [];
  const names = [...activation.inputs, ...summed];
  const gradients = graph.emit(
    names.map((name) => mul("dy", slopes[name] as Expr)),
    { ...inputs, ...parameters(graph, activation, of), dy },
  );
  const found = Object.fromEntries(names.map((name, i) => [name, gradients[i] as string]));
  if (halves === undefined)
    for (const name of activation.inputs)
      graph.output(`gradient_${name}`, found[name] as string, elements(of));
  else graph.output("gradient_packed", halves.pack(found.gate as string, found.up as string), packedShape);
  for (const name of summed) {
    const rows = graph.constant([1], [0], "int64");
    const precise = graph.node("Cast", [found[name] as string], { to: { int: 11 } });
    const sum = graph.node("ReduceSum", [precise, rows], { keepdims: { int: 0 } });
    graph.output(`gradient_${name}`, sum, of.perChannel ? ["channels"] : [], "float64");
  }
  return graph.model();
}

function separate(graph: CallGraph, activation: Activation, of: ActivationCase): Record<string, string> {
  return Object.fromEntries(activation.inputs.map((name) => [name, graph.input(name, elements(of))]));
}

/** Inputs for the parameters. Where one is per channel, another may have one value, so each size has its own name. */
function parameters(
  graph: CallGraph,
  activation: Activation,
  { perChannel }: ActivationCase,
): Record<string, string> {
  return Object.fromEntries(
    Object.keys(activation.parameters).map((name) => [
      name,
      graph.input(`parameter_${name}`, perChannel ? [`channels_of_${name}`] : []),
    ]),
  );
}

const packedShape = ["outer", 2, "run"] as const;

/** The halves of `packed` as elements, and the function that packs two halves again. */
function unpack(graph: CallGraph, { gateSlot, perChannel }: ActivationCase) {
  const packed = graph.input("packed", packedShape);
  const shape = graph.input("shape", [perChannel ? 2 : 1], "int64");
  const slots = graph.split("Split", [packed], 2, { axis: { int: 1 }, num_outputs: { int: 2 } });
  const halfShape = graph.node("Shape", [slots[0] as string]);
  const [gate, up] = [slots[gateSlot], slots[1 - gateSlot]].map((slot) =>
    graph.node("Reshape", [slot as string, shape]),
  ) as [string, string];
  return {
    halves: { gate, up },
    pack: (dGate: string, dUp: string): string => {
      const ordered = gateSlot === 0 ? [dGate, dUp] : [dUp, dGate];
      const slopes = ordered.map((tensor) => graph.node("Reshape", [tensor, halfShape]));
      return graph.node("Concat", slopes, { axis: { int: 1 } });
    },
  };
}
