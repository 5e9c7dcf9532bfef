// Matrix products as WGSL: a tile of the result for each workgroup, computed from tiles of the operands in its shared
// memory, several products at once where they share an operand, and whatever is to be done with the sums before they are written.
import type { Storage } from "./options.js";
import type { Kernel } from "./pipelines.js";

/** Whether an operand's rows are those of the result (columns, for a right operand), or go along the inner dimension. */
export type Rows = "outer" | "inner";

/** A binding of a kernel beside its operands: vectors of four numbers. */
export interface Binding {
  readonly name: string;
  readonly access: "read" | "read_write";
  readonly type: Storage;
}

/** What a kernel does with finished sums: `fn store(row, quad, sum0, ...)` for the quad of columns from 4 quad on. */
export interface Epilogue {
  /** The same for the same code. */
  readonly key: string;
  /** Completes the kernel's comment: what is stored. */
  readonly title: string;
  readonly bindings: readonly Binding[];
  /** Names of further uniform numbers, u32; the code has them as `sizes.name`. */
  readonly words: readonly string[];
  /** Functions, among them `store`. Numbers are stored as `numbers(...)`, and computed as vec4f. */
  readonly code: string;
}

/** Which products are computed together: `sums[i]` adds up the products of those pairs of operands. */
export interface Product {
  readonly storage: Storage;
  readonly lefts: Rows;
  readonly rights: Rows;
  /** For each sum, the operands that are multiplied and added up: numbers of left and right ones. */
  readonly sums: readonly (readonly (readonly [left: number, right: number])[])[];
  readonly epilogue: Epilogue;
}

/** A workgroup computes a square tile of so many rows and columns, in 16 x 16 invocations, in steps along the inner dimension. */
export const tile = 64;
const depth = 16;
const quads = tile / 4;

const count = (product: Product, side: 0 | 1): number =>
  1 + Math.max(...product.sums.flatMap((pairs) => pairs.map((pair) => pair[side])));
export const leftCount = (product: Product): number => count(product, 0);
export const rightCount = (product: Product): number => count(product, 1);

const range = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

/** The uniform numbers of every product, in order; then those of the epilogue. */
const commonWords = ["rows", "columns", "inner", "leftStride", "rightStride"] as const;

/** The text that kernels for products share: bindings, sizes, and the epilogue. */
export function head(product: Product, title: string): string {
  const { storage, epilogue } = product;
  const operands: Binding[] = [
    ...range(leftCount(product), (i) => ({ name: `left${i}`, access: "read" as const, type: storage })),
    ...range(rightCount(product), (i) => ({ name: `right${i}`, access: "read" as const, type: storage })),
  ];
  const bindings = [...operands, ...epilogue.bindings];
  const words = [...commonWords, ...epilogue.words];
  return `${storage === "f16" ? "enable f16;\n" : ""}// ${title}
alias numbers = vec4<${storage}>;
// Strides are in vectors of four numbers.
struct Sizes { ${words.map((word) => `${word}: u32`).join(", ")} }
${bindings
  .map(
    ({ name, access, type }, i) =>
      `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<vec4<${type}>>;`,
  )
  .join("\n")}
@group(0) @binding(${bindings.length}) var<uniform> sizes: Sizes;

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

/**
 * Loads an operand's tile for the inner dimension from `k` on. One whose rows are outer is turned on the way, by a quarter of
 * the invocations, the `turn`th, so that several are loaded at once.
 */
function load(name: string, side: keyof typeof sides, rows: Rows, storage: Storage, turn: number): string {
  const { first } = sides[side];
  if (rows === "inner")
    return `    ${name}Tile[lane / ${quads}u][lane % ${quads}u] = ${name}At(k + lane / ${quads}u, ${first} / 4u + lane % ${quads}u);`;
  const across = depth / 4;
  const count = quads * across;
  return `    if (lane / ${count}u == ${turn}u) {
      let block = lane % ${count}u;
      let row = ${first} + 4u * (block / ${across}u);
      let quad = k / 4u + block % ${across}u;
      let columns = transpose(mat4x4<${storage}>(
        ${name}At(row, quad), ${name}At(row + 1u, quad), ${name}At(row + 2u, quad), ${name}At(row + 3u, quad),
      ));
      let to = 4u * (block % ${across}u);
      ${[0, 1, 2, 3].map((i) => `${name}Tile[to + ${i}u][block / ${across}u] = columns[${i}];`).join("\n      ")}
    }`;
}

/** A kernel that computes tiles. Its grid: columns, then rows, in tiles. */
export function tileKernel(product: Product): Kernel {
  const { storage, lefts, rights, sums, epilogue } = product;
  const [leftNames, rightNames] = [
    range(leftCount(product), (i) => `left${i}`),
    range(rightCount(product), (i) => `right${i}`),
  ];
  const step = sums.flatMap((pairs, sum) =>
    pairs.flatMap(([left, right]) =>
      ["x", "y", "z", "w"].map(
        (part, row) =>
          `      sum${sum}[${row}] = fma(vec4f(rows${left}.${part}), columns${right}, sum${sum}[${row}]);`,
      ),
    ),
  );
  const code = () => `${head(product, epilogue.title)}

${[...leftNames.map((name) => reader(name, "left", lefts)), ...rightNames.map((name) => reader(name, "right", rights))].join("\n")}

${[...leftNames, ...rightNames]
  .map((name) => `var<workgroup> ${name}Tile: array<array<numbers, ${quads}>, ${depth}>;`)
  .join("\n")}

@compute @workgroup_size(${quads}, ${quads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) at: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let firstRow = group.y * ${tile}u;
  let firstColumn = group.x * ${tile}u;
${sums.map((_, i) => `  var sum${i} = array<vec4f, 4>();`).join("\n")}
  for (var k = 0u; k < sizes.inner; k += ${depth}u) {
${[
  ...leftNames.map((name, i) => load(name, "left", lefts, storage, i)),
  ...rightNames.map((name, i) => load(name, "right", rights, storage, leftNames.length + i)),
].join("\n")}
    workgroupBarrier();
    let end = min(k + ${depth}u, sizes.inner);
    for (var inner = k; inner < end; inner++) {
      let i = inner % ${depth}u;
${leftNames.map((name, i) => `      let rows${i} = vec4f(${name}Tile[i][at.y]);`).join("\n")}
${rightNames.map((name, i) => `      let columns${i} = vec4f(${name}Tile[i][at.x]);`).join("\n")}
${step.join("\n")}
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
  const key = `tile ${storage} ${lefts} ${rights} ${JSON.stringify(sums)} ${epilogue.key}`;
  return { key, code };
}
