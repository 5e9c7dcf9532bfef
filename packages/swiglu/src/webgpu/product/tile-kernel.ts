// Matrix products as WGSL: a tile of the result for each workgroup, computed from tiles of the operands in its shared
// memory, several products at once where they share an operand, and whatever is to be done with the sums before they are written.
import type { Storage } from "../device/options.js";
import { type Binding, type Bindings, declarations } from "../device/signature.js";

/** Whether an operand's rows are those of the result (columns, for a right operand), or go along the inner dimension. */
export type Rows = "outer" | "inner";

/** What a kernel does with finished sums: `fn store(row, quad, sum0, ...)` for the quad of columns from 4 quad on. */
export interface Epilogue<B extends Bindings = Bindings, W extends string = string> {
  /** The same for the same code. */
  readonly key: string;
  /** Completes the kernel's comment: what is stored. */
  readonly title: string;
  /** What it reads and writes, beside the operands. */
  readonly bindings: B;
  /** Names of further uniform numbers, u32; the code has them as `sizes.name`. */
  readonly words: readonly W[];
  /** Functions, among them `store`. Numbers are stored as `numbers(...)`, and computed as vec4f. */
  readonly code: string;
}

/** Which products are computed together: `sums[i]` adds up the products of those pairs of operands. */
export interface Product<B extends Bindings = Bindings, W extends string = string> {
  readonly storage: Storage;
  readonly lefts: Rows;
  readonly rights: Rows;
  /** For each sum, the operands that are multiplied and added up: numbers of left and right ones. */
  readonly sums: readonly (readonly (readonly [left: number, right: number])[])[];
  readonly epilogue: Epilogue<B, W>;
}

/**
 * A workgroup computes a tile of so many columns, and as many rows or, where a result has few, half of it; every invocation
 * four rows of four. It goes along the inner dimension in steps of `depth`.
 */
export const tileColumns = 64;
const depth = 16;
const quads = tileColumns / 4;
export const tileRows = (rows: number): 32 | 64 => (rows <= 32 ? 32 : 64);

const count = (product: Pick<Product, "sums">, side: 0 | 1): number =>
  1 + Math.max(...product.sums.flatMap((pairs) => pairs.map((pair) => pair[side])));
export const leftCount = (product: Pick<Product, "sums">): number => count(product, 0);
export const rightCount = (product: Pick<Product, "sums">): number => count(product, 1);

const range = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

/** The uniform numbers of every product, in order; then those of the epilogue. */
const commonWords = ["rows", "columns", "inner", "leftStride", "rightStride"] as const;

/** What a product takes: its operands, then what its epilogue does. */
export function productSignature<B extends Bindings, W extends string>(product: Product<B, W>) {
  const { storage, epilogue } = product;
  const factor = (name: string): Binding => ({ name, access: "read", type: `vec4<${storage}>` });
  return {
    bindings: {
      lefts: range(leftCount(product), (i) => factor(`left${i}`)),
      rights: range(rightCount(product), (i) => factor(`right${i}`)),
      ...epilogue.bindings,
    },
    uniform: { variable: "sizes", struct: "Sizes", words: [...commonWords, ...epilogue.words] },
  };
}

/** The text that kernels for products share: bindings, sizes, and the epilogue. */
export function head(product: Product, title: string): string {
  const { storage, epilogue } = product;
  const { struct, bound } = declarations(productSignature(product));
  return `${storage === "f16" ? "enable f16;\n" : ""}// ${title}
alias numbers = vec4<${storage}>;
// Strides are in vectors of four numbers.
${struct}
${bound}

${epilogue.code}`;
}

/** The side of a result that an operand is for: its stride, the first row or column of the tile, how many there are. */
const sides = {
  left: { stride: "sizes.leftStride", first: "firstRow", outer: "sizes.rows" },
  right: { stride: "sizes.rightStride", first: "firstColumn", outer: "sizes.columns" },
};

/** The function that reads a vector of an operand: beyond the edges there are zeros. */
function reader(name: string, side: keyof typeof sides, rows: Rows): string {
  const { stride, outer } = sides[side];
  const [rowCount, columnCount] = rows === "inner" ? ["sizes.inner", outer] : [outer, "sizes.inner"];
  return `fn ${name}At(row: u32, quad: u32) -> numbers {
  if (row >= ${rowCount} || 4u * quad >= ${columnCount}) { return numbers(); }
  return ${name}[row * ${stride} + quad];
}`;
}

/** An operand of a kernel, and how many vectors of four its tile has in each step along the inner dimension. */
interface Loaded {
  readonly name: string;
  readonly side: keyof typeof sides;
  readonly rows: Rows;
  readonly quads: number;
}

/**
 * Loads the operands' tiles for the inner dimension from `k` on. Those whose rows are outer are turned on the way, in blocks
 * of four by four, by different invocations where there are enough.
 */
function loads(factors: readonly Loaded[], storage: Storage, lanes: number): string {
  const across = depth / 4;
  let start = 0;
  const text = factors.map(({ name, side, rows, quads }) => {
    const { first } = sides[side];
    if (rows === "inner")
      return range((depth * quads) / lanes, (turn) => {
        const item = turn === 0 ? "lane" : `(lane + ${turn * lanes}u)`;
        return `    ${name}Tile[${item} / ${quads}u][${item} % ${quads}u] = ${name}At(k + ${item} / ${quads}u, ${first} / 4u + ${item} % ${quads}u);`;
      }).join("\n");
    const blocks = quads * across;
    if (start + blocks > lanes) start = 0;
    const [from, block] = start === 0 ? ["", "lane"] : [`lane >= ${start}u && `, `lane - ${start}u`];
    const lines = `    if (${from}lane < ${start + blocks}u) {
      let block = ${block};
      let row = ${first} + 4u * (block / ${across}u);
      let quad = k / 4u + block % ${across}u;
      let columns = transpose(mat4x4<${storage}>(
        ${name}At(row, quad), ${name}At(row + 1u, quad), ${name}At(row + 2u, quad), ${name}At(row + 3u, quad),
      ));
      let to = 4u * (block % ${across}u);
      ${range(4, (i) => `${name}Tile[to + ${i}u][block / ${across}u] = columns[${i}];`).join("\n      ")}
    }`;
    start += blocks;
    return lines;
  });
  return text.join("\n");
}

/** A kernel that computes tiles with so many rows. Its grid: columns, then rows, in tiles. */
export function tileKernel<B extends Bindings, W extends string>(product: Product<B, W>, rows: 32 | 64) {
  const { storage, lefts, rights, sums, epilogue } = product;
  const [leftNames, rightNames] = [
    range(leftCount(product), (i) => `left${i}`),
    range(rightCount(product), (i) => `right${i}`),
  ];
  const rowQuads = rows / 4;
  const factors: Loaded[] = [
    ...leftNames.map((name) => ({ name, side: "left" as const, rows: lefts, quads: rowQuads })),
    ...rightNames.map((name) => ({ name, side: "right" as const, rows: rights, quads })),
  ];
  const step = sums.flatMap((pairs, sum) =>
    pairs.flatMap(([left, right]) =>
      ["x", "y", "z", "w"].map(
        (part, row) =>
          `        sum${sum}[${row}] = fma(vec4f(rows${left}.${part}), columns${right}, sum${sum}[${row}]);`,
      ),
    ),
  );
  const code = () => `${head(product, epilogue.title)}

${factors.map((factor) => reader(factor.name, factor.side, factor.rows)).join("\n")}

${factors
  .map((factor) => `var<workgroup> ${factor.name}Tile: array<array<numbers, ${factor.quads}>, ${depth}>;`)
  .join("\n")}

@compute @workgroup_size(${quads}, ${rowQuads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) at: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let firstRow = group.y * ${rows}u;
  let firstColumn = group.x * ${tileColumns}u;
${sums.map((_, i) => `  var sum${i} = array<vec4f, 4>();`).join("\n")}
  for (var k = 0u; k < sizes.inner; k += ${depth}u) {
${loads(factors, storage, quads * rowQuads)}
    workgroupBarrier();
    let end = min(k + ${depth}u, sizes.inner);
    for (var inner = k; inner < end; inner += 4u) {
      for (var part = 0u; part < 4u; part++) { // four at a time, for compilers to unroll; past the end there are zeros
        let i = inner % ${depth}u + part;
${leftNames.map((name, i) => `        let rows${i} = vec4f(${name}Tile[i][at.y]);`).join("\n")}
${rightNames.map((name, i) => `        let columns${i} = vec4f(${name}Tile[i][at.x]);`).join("\n")}
${step.join("\n")}
      }
    }
    workgroupBarrier();
  }
  let quad = firstColumn / 4u + at.x;
  if (4u * quad >= sizes.columns) { return; }
  let first = firstRow + 4u * at.y;
  // Copies, so that the sums themselves can stay in registers.
${sums.map((_, i) => `  var finished${i} = sum${i};`).join("\n")}
  for (var row = first; row < min(first + 4u, sizes.rows); row++) {
    store(row, quad, ${sums.map((_, i) => `finished${i}[row - first]`).join(", ")});
  }
}
`;
  const key = `tile ${rows} ${storage} ${lefts} ${rights} ${JSON.stringify(sums)} ${epilogue.key}`;
  return { key, takes: productSignature(product), code };
}
