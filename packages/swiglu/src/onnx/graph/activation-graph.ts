// An activation alone as a graph: on separate tensors, or on gate and up packed in one.
import type { Activation } from "../../catalogue/activation.js";
import { activationByName } from "../../catalogue/catalogue.js";
import { type PackedLayout, packedViews } from "../../layout.js";
import type { Dimension } from "../model/model.js";
import type { Graph } from "./graph.js";
import { type GraphParameter, graphParameters } from "./parameters.js";

/** How an activation is to be computed in a graph. */
export interface ActivationGraphOptions {
  /** The shape of its inputs; names stand for sizes known only at run time. Default `["count"]`. */
  readonly shape?: readonly Dimension[];
  /** Where gate and up lie in one input, `packed`, of that shape. Left out: they are two inputs. */
  readonly layout?: PackedLayout;
  /** The axis that holds both, whose size must be a number; default the last. Only with `layout`. */
  readonly axis?: number;
  /** The activation's parameters; its defaults otherwise. */
  readonly parameters?: Readonly<Record<string, GraphParameter>>;
}

/**
 * The graph of an activation, or of the catalogue's entry of that name. It takes `x`, or `gate` and `up`, or `packed`.
 * Throws a TypeError or RangeError that names the argument: an unknown name, layout or parameter, an odd packed axis, a
 * parameter whose shape does not fit.
 *
 * @example
 * toNodes(activationGraph("relu"), { inputs: { x: "input" }, output: "output" }).nodes[0].opType // "Max"
 */
export function activationGraph(
  activation: Activation | string,
  { shape = ["count"], layout, axis, parameters = {} }: ActivationGraphOptions = {},
): Graph {
  const definition = typeof activation === "string" ? activationByName(activation) : activation;
  if (layout !== undefined) return packedGraph(definition, shape, layout, axis ?? -1, parameters);
  if (axis !== undefined)
    throw new TypeError("axis is for packed inputs: give a layout too, or leave it out");
  const { inputs, ...fixed } = graphParameters(definition, parameters, shape);
  return {
    ...fixed,
    name: definition.name,
    inputs: [...definition.inputs.map((name) => ({ name, shape })), ...inputs],
    output: { name: "y", shape },
    write: (to) => {
      to.activation(definition, definition.inputs.map(to.tensor), to.tensor("y"));
    },
  };
}

function packedGraph(
  activation: Activation,
  shape: readonly Dimension[],
  layout: PackedLayout,
  axis: number,
  parameters: Readonly<Record<string, GraphParameter>>,
): Graph {
  if (activation.kind !== "gated")
    throw new TypeError(`${activation.name} is unary and takes x; packed layouts are for gated activations`);
  const position = axis < 0 ? shape.length + axis : axis;
  const size = shape[position];
  if (typeof size === "string")
    throw new TypeError(
      `shape[${position}] is "${size}", but the packed axis is split in two: its size must be a number`,
    );
  // Checks the axis in terms of the whole shape; the views are those along the axis alone.
  const sizes = shape.map((length) => (typeof length === "string" ? 1 : length));
  packedViews(sizes, { layout, axis });
  const { gate, up } = packedViews([size as number], { layout });
  const half = shape.map((length, i) => (i === position ? (size as number) / 2 : length));
  const { inputs, ...fixed } = graphParameters(activation, parameters, half);
  return {
    ...fixed,
    name: activation.name,
    inputs: [{ name: "packed", shape }, ...inputs],
    output: { name: "y", shape: half },
    write: (to) => {
      const parts = [gate, up].map((view) => to.part(to.tensor("packed"), position, size as number, view));
      to.activation(activation, parts, to.tensor("y"));
    },
  };
}
