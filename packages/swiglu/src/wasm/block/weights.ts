// The weights of a feed-forward block in the heap: packed once into panels, gate and up side by side, with their biases.
// The transposed panels that gradients need are packed when first asked for.

import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { repeated } from "../../call/channels.js";
import type { Engine } from "../machine/engine.js";
import { Scratch } from "../machine/scratch.js";
import { type Columns, packedColumns, wholeRows, writePadded } from "../product/matrix-copy.js";
import { packRight, packTransposed } from "../product/packing.js";
import { padded, type RightFactor, type Stream } from "../product/product.js";

/** The numbers of a weight, read anew each time: the heap's own move when it grows. */
type Numbers = () => Float32Array;

/** A matrix or a bias, and which elements of an array it is. */
interface Source {
  readonly numbers: Numbers;
  readonly from: Columns;
}

/** One weight matrix, or gate and up together, as the operand of products, with what is added to them. */
export interface PackedWeight {
  /** Of the matrix, or of gate and up. */
  readonly names: readonly string[];
  readonly panels: RightFactor;
  /** The address of the biases in the order of the panels' columns; zeros where there are none. */
  readonly bias: number;
  /** The panels of the transposed matrix; for gate and up together, its rows are in the order of these columns. */
  transposed(): RightFactor;
}

/** Everything that a block keeps in the heap. */
export interface PackedWeights {
  /** What the activation's inputs, or the first of them, are computed with. */
  readonly first: PackedWeight;
  /** Self-gated blocks: the other input is computed from the first one with this. */
  readonly square: PackedWeight | undefined;
  readonly down: PackedWeight;
  /** The activation's parameters: numbers, or where one value for each hidden column is. */
  readonly parameters: readonly number[];
  /** Zeros, for products to which nothing is added. */
  readonly start: Stream;
}

/** Makes the weight of these names, whose matrices have so many rows and columns. */
type MakeWeight = (names: readonly string[], rows: number, columns: number) => PackedWeight;

/** Zeros, for products to which nothing is added. */
export const zerosOf = (memory: Scratch): Stream => ({
  base: memory.allocate(new Float32Array(8)),
  row: 0,
  panel: 0,
  half: 16,
});

/** The weights of a block, each made by `make`; what else there is takes memory of the scratch. */
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

/** Where the matrices of the named weights, or of gate and up in a packed one, are in the weights that were given. */
export function sourcesOf(
  { layout }: BlockPlan,
  names: readonly string[],
  columns: number,
): { readonly name: string; readonly from: Columns }[] {
  return names.length === 2 && layout !== undefined
    ? packedColumns(columns, layout).map((from) => ({ name: "packed", from }))
    : names.map((name) => ({ name, from: wholeRows(columns) }));
}

/** A weight that is copied into panels at once. */
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

/** The weights of a block that stays: copied into the heap once. */
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
