// The weights of a feed-forward block in the heap: packed once into panels, gate and up side by side, with their biases.
// The transposed panels that gradients need are packed when first asked for.
import type { FfnPlan } from "../backend/ffn.js";
import { unpack } from "../layout.js";
import { Scratch } from "./activate.js";
import type { Engine } from "./engine.js";
import { packRight, packTransposed, padded, type Right, type Stream } from "./gemm.js";

/** The numbers of a weight, read anew each time: the heap's own move when it grows. */
type Numbers = () => Float32Array;

/** Copies a matrix to an address, its rows padded with zeros to a multiple of 8, and rows of zeros up to `allRows`. */
export function writePadded(
  engine: Engine,
  to: number,
  numbers: Numbers,
  [rows, columns]: readonly [number, number],
  allRows = rows,
): void {
  const width = padded(columns);
  const target = engine.heap.at(to, allRows * width);
  const source = numbers();
  target.fill(0, rows * width);
  if (width === columns) target.set(source);
  else
    for (let row = 0; row < rows; row++) {
      target.set(source.subarray(row * columns, (row + 1) * columns), row * width);
      target.fill(0, row * width + columns, (row + 1) * width);
    }
}

/** One weight matrix, or gate and up together, with what is added to its product. */
export class PackedWeight {
  readonly panels: Right;
  /** The address of the biases in the order of the panels' columns; zeros where there are none. */
  readonly bias: number;
  private turned: Right | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly memory: Scratch,
    /** Of the matrix, or of gate and up. */
    readonly names: readonly string[],
    matrices: readonly Numbers[],
    biases: readonly (Numbers | undefined)[],
    rows: number,
    columns: number,
  ) {
    const [k, width] = [padded(rows), padded(columns)];
    const to = memory.place(matrices.length * k * width);
    this.bias = memory.place(matrices.length * width);
    const scratch = new Scratch(engine);
    try {
      const places = matrices.map((numbers) => {
        const place = scratch.place(k * width);
        writePadded(engine, place, numbers, [rows, columns], k);
        return place;
      });
      this.panels = packRight(engine, places, k, width, to);
      const rowsOfOne = biases.map((numbers) => {
        const place = scratch.place(width);
        writePadded(engine, place, numbers ?? (() => new Float32Array(columns)), [1, columns]);
        return place;
      });
      packRight(engine, rowsOfOne, 1, width, this.bias);
    } finally {
      scratch.release();
    }
  }

  /** The panels of the transposed matrix; for gate and up together, its rows are in the order of these columns. */
  transposed(): Right {
    const { panels, k } = this.panels;
    this.turned ??= packTransposed(this.engine, this.panels, this.memory.place(8 * panels * k));
    return this.turned;
  }
}

/** Everything that a block keeps in the heap. */
export class PackedWeights {
  /** What the activation's inputs, or the first of them, are computed with. */
  readonly first: PackedWeight;
  /** Self-gated blocks: the other input is computed from the first one with this. */
  readonly square: PackedWeight | undefined;
  readonly down: PackedWeight;
  /** The activation's parameters: numbers, or where one value for each hidden column is. */
  readonly parameters: readonly number[];
  /** Zeros, for products to which nothing is added. */
  readonly start: Stream;
  private readonly memory: Scratch;
  private alive = true;

  constructor(engine: Engine, plan: FfnPlan, read: (name: string) => Numbers | undefined) {
    const { form, dModel, dFf, layout, parameters } = plan;
    const memory = new Scratch(engine);
    this.memory = memory;
    const weight = (names: readonly string[], rows: number, columns: number): PackedWeight => {
      const numbers = names.map((name) => read(name) as Numbers);
      const biases = names.map((name) => read(`${name}Bias`));
      return new PackedWeight(engine, memory, names, numbers, biases, rows, columns);
    };
    try {
      if (form === "packed") {
        const matrices = unpackNumbers(read("packed") as Numbers, [dModel, 2 * dFf], layout);
        const packedBias = read("packedBias");
        const biases = packedBias ? unpackNumbers(packedBias, [2 * dFf], layout) : [undefined, undefined];
        this.first = new PackedWeight(engine, memory, ["gate", "up"], matrices, biases, dModel, dFf);
      } else {
        const names = { gated: ["gate", "up"], ungated: ["up"], selfGated: ["in"] }[form];
        this.first = weight(names, dModel, dFf);
      }
      this.square = form === "selfGated" ? weight(["square"], dFf, dFf) : undefined;
      this.down = weight(["down"], dFf, dModel);
      this.start = { base: memory.place(new Float32Array(8)), row: 0, panel: 0, half: 16 };
      this.parameters = Object.values(parameters).map((value) =>
        typeof value === "number"
          ? value
          : memory.place(
              Float32Array.from({ length: padded(dFf) }, (_, i) => value[i % value.length] as number),
            ),
      );
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

function unpackNumbers(numbers: Numbers, shape: readonly number[], layout: FfnPlan["layout"]): Numbers[] {
  const { gate, up } = unpack(numbers(), shape, { layout: layout as NonNullable<typeof layout> });
  return [() => gate, () => up];
}
