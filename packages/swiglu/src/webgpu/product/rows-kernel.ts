// Products with few rows as WGSL. Their time is that of reading the weights, so the kernel reads each weight once:
//
//                   quads of columns
//                 0   1   2   3              a workgroup computes these quads for all rows;
//               +---+---+---+---+            its 128 invocations divide the inner dimension:
//       k       | 0 | 1 | 2 | 3 |   k 0-3    invocation `lane` takes quad lane % 4, and every 32nd
//               | 4 | 5 | 6 | 7 |   k 4-7    four of k from lane / 4 on (f32; for f16 there are 8 quads)
//               | 8 |...|   |   |
//               +---+---+---+---+
//
// In the end the invocations of the same quad add up their sums.

import type { Storage } from "../device/options.js";
import type { Bindings } from "../device/signature.js";
import { head, leftCount, type Product, productSignature, rightCount } from "./tile-kernel.js";

/** Products with more rows than this are faster in tiles. */
export const mostStreamedRows = 4;
/** The quads of a workgroup: 64 bytes of each row, which is what memory delivers at once. */
export const streamedQuads = (storage: Storage): 4 | 8 => (storage === "f16" ? 8 : 4);
/** The invocations of a workgroup. */
const lanes = 128;

/**
 * The kernel for a product with `rows` rows, whose left rows are outer and right rows inner. The inner dimension is padded with
 * zeros to a multiple of four. The grid divides the columns.
 *
 * `subgroup` is the size of the smallest subgroup that the device has, if it has any. Sums are then added up within subgroups
 * first, so that fewer pass through the workgroup's memory. This relies on subgroups being consecutive invocations, as they are
 * with all drivers where workgroups have one dimension.
 */
export function rowsKernel<B extends Bindings, W extends string>(
  product: Product<B, W>,
  rows: number,
  subgroup?: number,
) {
  const { storage, sums, epilogue } = product;
  const quads = streamedQuads(storage);
  const slices = lanes / quads;
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
  const ofAll = (line: (sum: string, part: string) => string): string =>
    each.flatMap((row) => sums.map((_, i) => line(`sum${i}[${row}]`, `part${i}[${row}]`))).join("\n");
  const leave = (slice: string, indent: string): string =>
    ofAll((sum, part) => `${indent}${part}[${slice}][at.x] = ${sum};`);
  const { enable, builtin, parts, left, bringTogether } =
    subgroup === undefined
      ? { enable: "", builtin: "", parts: slices, left: `${slices}u`, bringTogether: leave("at.y", "  ") }
      : {
          enable: "enable subgroups;\n",
          builtin: "\n  @builtin(subgroup_size) together: u32,",
          parts: lanes / Math.max(quads, subgroup),
          left: `${lanes}u / span`,
          bringTogether: `  // Invocations ${quads}, ${2 * quads}, ... apart have sums of the same columns.
  for (var step = ${quads}u; step < together; step *= 2u) {
${ofAll((sum) => `    ${sum} += subgroupShuffleXor(${sum}, step);`)}
  }
  let span = max(together, ${quads}u);
  if (lane % span < ${quads}u) {
${leave("lane / span", "    ")}
  }`,
        };
  const code =
    () => `${enable}${head(product, `${epilogue.title}; ${rows} row${rows === 1 ? "" : "s"}, weights streamed`)}

${sums.map((_, i) => `var<workgroup> part${i}: array<array<array<vec4f, ${quads}>, ${parts}>, ${rows}>;`).join("\n")}

@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,${builtin}
) {
  let at = vec2u(lane % ${quads}u, lane / ${quads}u);
  let quad = group.x * ${quads}u + at.x;
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
${bringTogether}
  workgroupBarrier();
  if (!inside || at.y >= ${rows}u) { return; }
${sums.map((_, i) => `  var total${i} = vec4f();`).join("\n")}
  for (var i = 0u; i < ${left}; i++) {
${sums.map((_, i) => `    total${i} += part${i}[at.y][i][at.x];`).join("\n")}
  }
  store(at.y, quad, ${sums.map((_, i) => `total${i}`).join(", ")});
}
`;
  const key = `rows ${rows} ${subgroup ?? ""} ${storage} ${JSON.stringify(sums)} ${epilogue.key}`;
  return { key, takes: productSignature(product), code };
}
