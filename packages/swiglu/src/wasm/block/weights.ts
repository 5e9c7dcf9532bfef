// The weights of a feed-forward block in the heap. They are packed once as right factors, gate and up as one, with their biases.
// The transposed factors, which only gradients need, are packed when they are first asked for.

import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { repeated } from "../../call/channels.js";
import type { Engine } from "../machine/engine.js";
import { Scratch } from "../machine/scratch.js";
import { type Columns, packedColumns, wholeRows, writePadded } from "../product/matrix-copy.js";
import { packRight, packTransposed } from "../product/packing.js";
import { padded, type RightFactor, type Stream } from "../product/product.js";

/** Gives the numbers of a weight. Call it each time: an array of the heap is invalid once the heap has grown. */
type Numbers = () => Float32Array;

/** A matrix or a bias: an array, and which of its elements are meant. */
interface Source {
  readonly numbers: Numbers;
  readonly from: Columns;
}

/** One weight matrix, or gate and up together, as a right factor, with its bias. */
export interface PackedWeight {
  /** The names of the weights: one, or gate and up. */
  readonly names: readonly string[];
  readonly panels: RightFactor;
  /** The address of the biases, in the order of the panels' columns. They are zeros where none were given. */
  readonly bias: number;
  /** The transposed matrix as a right factor. For gate and up together, its rows are in the order of the panels' columns. */
  transposed(): RightFactor;
}

/** Everything that a block keeps in the heap. */
export interface PackedWeights {
  /** The weight of the products of x: gate and up, up, or `in`. */
  readonly first: PackedWeight;
  /** Self-gated blocks: the weight of the product of `in`. */
  readonly square: PackedWeight | undefined;
  readonly down: PackedWeight;
  /** The activation's parameters: numbers, or addresses of a value for each hidden column. */
  readonly parameters: readonly number[];
  /** Zeros: the `start` of products to which nothing is added. */
  readonly start: Stream;
}

/** Makes a packed weight from the matrices of these names, each [rows, columns]. */
type MakeWeight = (names: readonly string[], rows: number, columns: number) => PackedWeight;

/** Zeros: the `start` of products to which nothing is added. */
export const zerosOf = (memory: Scratch): Stream => ({
  base: memory.allocate(new Float32Array(8)),
  row: 0,
  panel: 0,
  half: 16,
});

/** The weights of a block, each made by `make`. Zeros and parameters are stored in `memory`. */
export function weightsOf(plan: BlockPlan, memory: Scratch, make: MakeWeight): PackedWeights {
  const { form, dModel, dFf, parameters } = plan;
  const { first, second } = fusedForm(form);
  return {
    first: make(first, dModel, dFf),
    square: second === undefined ? undefined : make([second], dFf, dFf),
    down: make(["down"], dFf, dModel),
    start: zerosOf(memory),
    parameters: Object.values(parameters).map((value) =>
      typeof value === "number" ? value : memory.allocate(repeated(value, padded(dFf))),
    ),
  };
}

/** For each of the named weights: the weight that the caller gave for it, which may be the packed one, and its elements there. */
export function sourcesOf(
  { layout }: BlockPlan,
  names: readonly string[],
  columns: number,
): { readonly name: string; readonly from: Columns }[] {
  return names.length === 2 && layout !== undefined
    ? packedColumns(columns, layout).map((from) => ({ name: "packed", from }))
    : names.map((name) => ({ name, from: wholeRows(columns) }));
}

/** A weight that is packed when it is made. */
class KeptWeight implements PackedWeight {
  readonly panels: RightFactor;
  readonly bias: number;
  private turned: RightFactor | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly memory: Scratch,
    readonly names: readonly string[],
    matrices: readonly Source[],
    biases: readonly (Source | undefined)[],
    rows: number,
    columns: number,
  ) {
    const [k, width] = [padded(rows), padded(columns)];
    const to = memory.allocate(matrices.length * k * width);
    this.bias = memory.allocate(matrices.length * width);
    const scratch = new Scratch(engine);
    try {
      const addresses = matrices.map(({ numbers, from }) => {
        const address = scratch.allocate(k * width);
        writePadded(engine, address, numbers, [rows, columns], { allRows: k, from });
        return address;
      });
      this.panels = packRight(engine, addresses, k, width, to);
      const rowsOfOne = biases.map((bias) => {
        const address = scratch.allocate(width);
        if (bias) writePadded(engine, address, bias.numbers, [1, columns], { from: bias.from });
        else engine.heap.at(address, width).fill(0);
        return address;
      });
      packRight(engine, rowsOfOne, 1, width, this.bias);
    } finally {
      scratch.release();
    }
  }

  transposed(): RightFactor {
    const { panels, k } = this.panels;
    this.turned ??= packTransposed(this.engine, this.panels, this.memory.allocate(8 * panels * k));
    return this.turned;
  }
}

/** The weights of a block of this backend: copied into the heap once, when the block is made. */
export class KeptWeights {
  readonly packed: PackedWeights;
  private readonly memory: Scratch;
  private alive = true;

  constructor(engine: Engine, plan: BlockPlan, numbersOf: (name: string) => Numbers | undefined) {
    const memory = new Scratch(engine);
    this.memory = memory;
    const source = (name: string, from: Columns): Source | undefined => {
      const numbers = numbersOf(name);
      return numbers === undefined ? undefined : { numbers, from };
    };
    try {
      this.packed = weightsOf(plan, memory, (names, rows, columns) => {
        const sources = sourcesOf(plan, names, columns);
        const matrices = sources.map(({ name, from }) => source(name, from) as Source);
        const biases = sources.map(({ name, from }) => source(`${name}Bias`, from));
        return new KeptWeight(engine, memory, names, matrices, biases, rows, columns);
      });
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  release(): void {
    if (this.alive) this.memory.release();
    this.alive = false;
  }
}
