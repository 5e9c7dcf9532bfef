// The weights of a feed-forward call, packed from the tensors' memory into panels when these are asked for. Weights change with
// every training step, so panels that neither forward nor backward asks for are never packed.
import type { BlockPlan } from "../../block/plan.js";
import {
  type Columns,
  type Engine,
  type PackedWeight,
  type PackedWeights,
  packRight,
  packRightTransposed,
  padded,
  type RightFactor,
  type Scratch,
  sourcesOf,
  tileColumns,
  weightsOf,
  writePadded,
} from "../../wasm/face.js";
import type { Run } from "./workplace.js";

/** Row-major matrices of one size: their addresses, and the distance between rows. */
interface Matrices {
  readonly addresses: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly rowLength: number;
}

/** The weights of a call, for as long as its scratch memory. */
export const tensorWeights = (run: Run, plan: BlockPlan): PackedWeights =>
  weightsOf(plan, run.scratch, (names, rows, columns) => tensorWeight(run, plan, names, rows, columns));

/** One weight, or gate and up together. */
export function tensorWeight(
  run: Run,
  plan: BlockPlan,
  names: readonly string[],
  rows: number,
  columns: number,
): PackedWeight {
  const sources = sourcesOf(plan, names, columns);
  const matrices = matricesOf(run, sources, rows, columns);
  const biases = sources.map(({ name, from }) => biasOf(run, `${name}Bias`, columns, from));
  return new TensorWeight(run.engine, run.scratch, names, matrices, biases);
}

/** The tensors' own matrices if they need no padding and their columns are not interleaved; otherwise copies. */
function matricesOf(
  run: Run,
  sources: readonly { readonly name: string; readonly from: Columns }[],
  rows: number,
  columns: number,
): Matrices {
  const [k, width] = [padded(rows), padded(columns)];
  if (k === rows && width === columns && sources.every(({ from }) => from.step === 1))
    return {
      addresses: sources.map(({ name, from }) => run.address(name) + 4 * from.offset),
      rows,
      columns,
      rowLength: sources[0]?.from.rowLength ?? columns,
    };
  const addresses = sources.map(({ name, from }) => {
    const address = run.scratch.allocate(k * width);
    writePadded(run.engine, address, () => run.numbers(name), [rows, columns], { allRows: k, from });
    return address;
  });
  return { addresses, rows: k, columns: width, rowLength: width };
}

/** A bias as a row with padding; zeros where there is none. */
function biasOf(run: Run, name: string, columns: number, from: Columns): number {
  const address = run.scratch.allocate(padded(columns));
  if (name in run.inputs) writePadded(run.engine, address, () => run.numbers(name), [1, columns], { from });
  else run.engine.heap.at(address, padded(columns)).fill(0);
  return address;
}

class TensorWeight implements PackedWeight {
  private row: number | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly scratch: Scratch,
    readonly names: readonly string[],
    private readonly matrices: Matrices,
    private readonly biases: readonly number[],
  ) {}

  get panels(): RightFactor {
    const { addresses, rows, columns, rowLength } = this.matrices;
    // Each matrix has an equal share of a panel's eight columns.
    const share = tileColumns / addresses.length;
    return this.inPanels(columns / share, rows, (column, count, to) => {
      const from = addresses.map((address) => address + 4 * share * column);
      return packRight(this.engine, from, rows, share * count, to, rowLength);
    });
  }

  get bias(): number {
    const { engine, scratch, biases, matrices } = this;
    this.row ??= packRight(
      engine,
      biases,
      1,
      matrices.columns,
      scratch.allocate(biases.length * matrices.columns),
    ).address;
    return this.row;
  }

  transposed(): RightFactor {
    const { addresses, rows, columns, rowLength } = this.matrices;
    return this.inPanels(rows / tileColumns, addresses.length * columns, (row, count, to) => {
      const from = addresses.map((address) => address + 4 * rowLength * tileColumns * row);
      return packRightTransposed(this.engine, from, tileColumns * count, columns, to, rowLength);
    });
  }

  /** The right matrix of a product, in `panels` panels; `pack` writes some of them to an address when they are needed. */
  private inPanels(
    panels: number,
    k: number,
    pack: (column: number, count: number, to: number) => RightFactor,
  ): RightFactor {
    const panelBytes = 4 * tileColumns * k;
    let [address, room] = [0, 0];
    return {
      address: 0,
      panels,
      panelBytes,
      k,
      pack: (column, count) => {
        if (count > room) address = this.scratch.allocate((count * panelBytes) / 4);
        room = Math.max(room, count);
        const packed = pack(column, count, address);
        return { ...packed, address: address - column * panelBytes };
      },
    };
  }
}
