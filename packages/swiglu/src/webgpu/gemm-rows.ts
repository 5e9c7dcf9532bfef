// Products with few rows as WGSL: the right operand streams past once, each workgroup adds up some columns for all rows,
// with its invocations sharing the inner dimension. What limits it is reading the weights.
import { head, leftCount, type Product, rightCount } from "./gemm-tile.js";
import type { Kernel } from "./pipelines.js";

/** So many rows, and no more, are worth streaming. */
export const mostStreamedRows = 4;
/** A workgroup's columns, in quads, and the parts into which it divides the inner dimension. */
export const streamedQuads = 8;
const slices = 16;

/**
 * A kernel for a product with `rows` rows whose left rows are outer and right ones inner, with zeros up to a whole number of
 * fours. Its grid: columns.
 */
export function rowsKernel(product: Product, rows: number): Kernel {
  const { storage, sums, epilogue } = product;
  const each = Array.from({ length: rows }, (_, row) => row);
  const lefts = Array.from({ length: leftCount(product) }, (_, i) => i);
  const rights = Array.from({ length: rightCount(product) }, (_, i) => i);
  const add = (part: string) =>
    sums
      .flatMap((pairs, sum) =>
        pairs.flatMap(([left, right]) =>
          each.map(
            (row) =>
              `      sum${sum}[${row}] = fma(vec4f(row${left}_${row}.${part}), columns${right}, sum${sum}[${row}]);`,
          ),
        ),
      )
      .join("\n");
  const code =
    () => `${head(product, `${epilogue.title}; ${rows} row${rows === 1 ? "" : "s"}, weights streamed`)}

${sums.map((_, i) => `var<workgroup> part${i}: array<array<array<vec4f, ${streamedQuads}>, ${slices}>, ${rows}>;`).join("\n")}

@compute @workgroup_size(${streamedQuads}, ${slices})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let quad = group.x * ${streamedQuads}u + at.x;
  let inside = 4u * quad < sizes.columns;
${sums.map((_, i) => `  var sum${i} = array<vec4f, ${rows}>();`).join("\n")}
  for (var k = 4u * at.y; inside && k < sizes.inner; k += ${4 * slices}u) {
${lefts
  .flatMap((left) =>
    each.map((row) => `    let row${left}_${row} = vec4f(left${left}[${row}u * sizes.leftStride + k / 4u]);`),
  )
  .join("\n")}
${["x", "y", "z", "w"]
  .map(
    (part, i) => `    {
${rights
  .map((right) => `      let columns${right} = vec4f(right${right}[(k + ${i}u) * sizes.rightStride + quad]);`)
  .join("\n")}
${add(part)}
    }`,
  )
  .join("\n")}
  }
${each.flatMap((row) => sums.map((_, i) => `  part${i}[${row}][at.y][at.x] = sum${i}[${row}];`)).join("\n")}
  workgroupBarrier();
  if (!inside || at.y >= ${rows}u) { return; }
${sums.map((_, i) => `  var total${i} = vec4f();`).join("\n")}
  let used = select(${slices}u, (sizes.inner + 3u) / 4u, sizes.inner < ${4 * slices}u);
  for (var i = 0u; i < used; i++) {
${sums.map((_, i) => `    total${i} += part${i}[at.y][i][at.x];`).join("\n")}
  }
  store(at.y, quad, ${sums.map((_, i) => `total${i}`).join(", ")});
}
`;
  return { key: `rows ${rows} ${storage} ${JSON.stringify(sums)} ${epilogue.key}`, code };
}
