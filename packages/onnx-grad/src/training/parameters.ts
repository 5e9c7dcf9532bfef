// All parameters in one flat vector. The graph splits the vector, and the gradient is one vector too. So the optimiser, the
// global norm and a checkpoint each handle one array instead of one for every parameter.
//
//     | decayed: w1 | w2 | ... | not decayed: b1 | b2 | ... |
//     0                        `decayed`                    `size`
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

/** The range of each parameter in the flat vector. Decayed parameters come first; otherwise the given order is kept. */
export class ParameterLayout {
  readonly parameters: readonly Parameter[];
  /** The number of elements of all parameters. */
  readonly size: number;
  /** The number of elements that decay; they are the first ones. */
  readonly decayed: number;
  private readonly ranges = new Map<string, { start: number; end: number }>();

  constructor(parameters: readonly Parameter[]) {
    if (parameters.length === 0) throw new TypeError("there are no parameters; give at least one to train");
    this.parameters = [...parameters.filter((p) => p.decay), ...parameters.filter((p) => !p.decay)];
    let start = 0;
    for (const { name, shape } of this.parameters) {
      if (typeof name !== "string")
        throw new TypeError(`a parameter's name is ${kindOf(name)}, expected a text`);
      checkShape(`parameter "${name}"`, shape);
      if (this.ranges.has(name))
        throw new TypeError(`two parameters are called "${name}"; rename one of them`);
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
