// All parameters in one flat vector: the graph splits it, the gradient arrives as one vector, and the optimiser, the
// global norm and a checkpoint each handle a single array instead of one for every parameter.
import { checkShape, kindOf } from "../graph/checks.js";
import type { Tensor } from "../graph/tensor.js";
import { type Shape, sizeOf } from "../graph/types.js";
import { reshape } from "../operations/broadcast.js";
import { split } from "../operations/movement.js";

export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** Whether weight decay applies: usually to matrices, not to biases and norms. */
  readonly decay: boolean;
}

/** Where each parameter lies in the flat vector. Decayed ones come first, otherwise in the given order. */
export class ParameterLayout {
  readonly parameters: readonly Parameter[];
  /** Elements in all. */
  readonly size: number;
  /** How many of them, at the beginning, decay. */
  readonly decayed: number;
  private readonly ranges = new Map<string, { start: number; end: number }>();

  constructor(parameters: readonly Parameter[]) {
    if (parameters.length === 0) throw new TypeError("there are no parameters; give at least one to train");
    this.parameters = [...parameters.filter((p) => p.decay), ...parameters.filter((p) => !p.decay)];
    let start = 0;
    for (const { name, shape } of this.parameters) {
      if (typeof name !== "string") throw new TypeError(`a parameter's name is ${kindOf(name)}, expected a text`);
      checkShape(`parameter "${name}"`, shape);
      if (this.ranges.has(name)) throw new TypeError(`two parameters are called "${name}"; rename one of them`);
      const end = start + sizeOf(shape);
      this.ranges.set(name, { start, end });
      start = end;
    }
    this.size = start;
    this.decayed = parameters.reduce((sum, p) => sum + (p.decay ? sizeOf(p.shape) : 0), 0);
  }

  /** The parameters as tensors of the graph, from the flat vector. */
  unpack(flat: Tensor): Record<string, Tensor> {
    const pieces = split(
      flat,
      this.parameters.map(({ shape }) => sizeOf(shape)),
      0,
    );
    return Object.fromEntries(
      this.parameters.map(({ name, shape }, i) => [name, reshape(pieces[i]!, shape)]),
    );
  }

  /** The part of a flat array that belongs to a parameter: a view, not a copy. */
  view(flat: Float32Array, name: string): Float32Array {
    const range = this.ranges.get(name);
    if (!range)
      throw new TypeError(`there is no parameter "${name}"; there are ${[...this.ranges.keys()].join(", ")}`);
    return flat.subarray(range.start, range.end);
  }
}
