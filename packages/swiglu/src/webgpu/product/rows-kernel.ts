// Products with few rows as WGSL: the right operand streams past once, each workgroup adds up some columns for all rows,
// with its invocations sharing the inner dimension. What limits it is reading the weights.

import type { Storage } from "../device/options.js";
import type { Bindings } from "../device/signature.js";
import { head, leftCount, type Product, productSignature, rightCount } from "./tile-kernel.js";

/** So many rows, and no more, are worth streaming. */
export const mostStreamedRows = 4;
/** A workgroup's columns, in quads: 64 bytes of a row, so that what memory gives at once is used whole. */
export const streamedQuads = (storage: Storage): 4 | 8 => (storage === "f16" ? 8 : 4);
/** A workgroup's invocations: those of the same columns divide the inner dimension. */
const lanes = 128;

/**
 * A kernel for a product with `rows` rows whose left rows are outer and right ones inner, with zeros up to a whole number of
 * fours. Its grid: columns. With `subgroup`, the size of the smallest subgroup that the device has, sums are brought together
 * within subgroups first, which leaves fewer for the workgroup's memory. That invocations are in subgroups in the order of
 * their index is what all drivers do where workgroups have one dimension.
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
