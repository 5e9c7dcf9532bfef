// Matrix products as WGSL. A workgroup computes a tile of the result from tiles of the factors, which it loads into its shared
// memory. Products that share a factor are computed together. An epilogue says what happens to the sums before they are written.
//
//                   right tile                                          the quad at.x: four columns
//                    64 columns                                               |
//                 +--------------+ 16 of the inner                    +-------+------+
//                 |              |    dimension                       |       v      |
//                 +--------------+    (depth)                         |     +----+   |
//        +----+   +--------------+                    tile of the     |     |sum0|   | <- rows 4 at.y to 4 at.y + 3:
//   left |    |   |   tile of    |                    result:         |     |sum1|   |    invocation (at.x, at.y) has
//   tile |    |   |  the result  | 64 or 32 rows                      |     |sum2|   |    four sums of four columns
//        |    |   |              |                                    |     |sum3|   |
//        +----+   +--------------+                                    +--------------+
import type { Storage } from "../device/options.js";
import { type Binding, type Bindings, declarations } from "../device/signature.js";

/**
 * What the rows of a factor are: `outer` rows are those of the result (for a right factor, its columns), `inner` rows go along the
 * inner dimension, over which the product sums.
 */
export type Rows = "outer" | "inner";

/** What a kernel does with finished sums: a function `fn store(row, quad, sum0, ...)` for the four columns from 4 quad on. */
export interface Epilogue<B extends Bindings = Bindings, W extends string = string> {
  /** Equal for equal code, and only then. */
  readonly key: string;
  /** The kernel's comment: what it stores. */
  readonly title: string;
  /** What it reads and writes, besides the factors. */
  readonly bindings: B;
  /** The names of further uniform numbers (u32), which the code finds as `sizes.name`. */
  readonly words: readonly W[];
  /** Functions in WGSL, among them `store`. It computes with vec4f, and stores `numbers(...)` of them. */
  readonly code: string;
}

/** Products that are computed together. `sums[i]` adds up the products of those pairs of factors. */
export interface Product<B extends Bindings = Bindings, W extends string = string> {
  readonly storage: Storage;
  readonly lefts: Rows;
  readonly rights: Rows;
  /** For each sum the pairs of factors that it adds up, by number. */
  readonly sums: readonly (readonly (readonly [left: number, right: number])[])[];
  readonly epilogue: Epilogue<B, W>;
}

/** The columns of a tile. A workgroup goes along the inner dimension in steps of `depth`. */
export const tileColumns = 64;
const depth = 16;
const quads = tileColumns / 4;
/** The rows of a tile, in a product of `rows` rows. */
export const tileRows = (rows: number): 32 | 64 => (rows <= 32 ? 32 : 64);

const count = (product: Pick<Product, "sums">, side: 0 | 1): number =>
  1 + Math.max(...product.sums.flatMap((pairs) => pairs.map((pair) => pair[side])));
export const leftCount = (product: Pick<Product, "sums">): number => count(product, 0);
export const rightCount = (product: Pick<Product, "sums">): number => count(product, 1);

const range = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

/** The uniform numbers of every product. Those of the epilogue follow. */
const commonWords = ["rows", "columns", "inner", "leftStride", "rightStride"] as const;

/** The signature of a product: its factors, then what its epilogue takes. */
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

/** The text that all kernels for products begin with: bindings, sizes and the epilogue. */
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

/** In WGSL, for each side of a product: the stride of its rows, the first row or column of the tile, and the size of the result. */
const sides = {
  left: { stride: "sizes.leftStride", first: "firstRow", outer: "sizes.rows" },
  right: { stride: "sizes.rightStride", first: "firstColumn", outer: "sizes.columns" },
};

/** The function that loads a quad of a factor. Beyond the edges it returns zeros. */
function reader(name: string, side: keyof typeof sides, rows: Rows): string {
  const { stride, outer } = sides[side];
  const [rowCount, columnCount] = rows === "inner" ? ["sizes.inner", outer] : [outer, "sizes.inner"];
  return `fn ${name}At(row: u32, quad: u32) -> numbers {
  if (row >= ${rowCount} || 4u * quad >= ${columnCount}) { return numbers(); }
  return ${name}[row * ${stride} + quad];
}`;
}

/** A factor, and how many quads its tile has for each position of the inner dimension. */
interface Loaded {
  readonly name: string;
  readonly side: keyof typeof sides;
  readonly rows: Rows;
  readonly quads: number;
}

/**
 * WGSL that loads the tiles of the factors, for the inner dimension from `k` on. A factor whose rows are outer is transposed on
 * the way, in blocks of 4 x 4. Where there are enough invocations, different ones load different factors.
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

/** The kernel for a product in tiles of `rows` rows. Its grid counts tiles: those of the columns, then those of the rows. */
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
