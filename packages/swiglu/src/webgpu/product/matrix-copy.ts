// Copies between the GPU's matrices, whose rows are padded to whole quads, and matrices as the caller has them; and column sums.
import type { Place } from "../device/buffers.js";
import type { Call } from "../device/call.js";
import { flatGroups, flatIndex } from "../device/grid.js";
import type { Storage } from "../device/options.js";
import { type Bindings, declarations, type Signature } from "../device/signature.js";
import { type Matrix, padded, quadsOf } from "./product.js";

/** Where the elements of a matrix are in an array: (row, column) is at `offset + row * rowStep + column * step`. */
export interface MatrixView {
  readonly offset: number;
  readonly rowStep: number;
  readonly step: number;
}

/** A matrix whose rows follow each other without gaps. */
export const dense = (columns: number): MatrixView => ({ offset: 0, rowStep: columns, step: 1 });

interface Numbers {
  readonly place: Place;
  readonly as: Storage;
}

const header = (from: Storage, to: Storage): string =>
  from === "f16" || to === "f16" ? "enable f16;\n" : "";
/** The bindings of a kernel that copies or sums up one array, and its uniform numbers. */
const arrays = <const W extends string>(
  [name, result]: readonly [string, string],
  types: readonly [string, string],
  words: readonly W[],
) =>
  ({
    bindings: {
      from: { name, access: "read", type: types[0] },
      to: { name: result, access: "read_write", type: types[1] },
    },
    uniform: { variable: "sizes", struct: "Sizes", words },
  }) as const;
const head = <B extends Bindings, W extends string>(takes: Signature<B, W>): string => {
  const { struct, bound } = declarations(takes);
  return `${struct}\n${bound}`;
};
const viewWords = ["offset", "rowStep", "step"] as const;

function gather(from: Storage, to: Storage) {
  const words = ["rows", "columns", ...viewWords, "first"] as const;
  const takes = arrays(["numbers", "copied"], [from, `vec4<${to}>`], words);
  const code =
    () => `${header(from, to)}// Copies a matrix that lies in steps to one with padded rows, from vector \`first\` on.
${head(takes)}

${flatIndex}
  let quads = (sizes.columns + 3u) / 4u;
  let row = i / quads;
  if (row >= sizes.rows) { return; }
  var value = vec4<${to}>();
  for (var part = 0u; part < 4u; part++) {
    let column = 4u * (i % quads) + part;
    if (column < sizes.columns) {
      value[part] = ${to}(numbers[sizes.offset + row * sizes.rowStep + column * sizes.step]);
    }
  }
  copied[sizes.first + i] = value;
}
`;
  return { key: `gather ${from} ${to}`, takes, code };
}

function scatter(storage: Storage) {
  const words = ["rows", "columns", ...viewWords] as const;
  const takes = arrays(["numbers", "copied"], [storage, storage], words);
  const code =
    () => `${header(storage, storage)}// Copies a matrix with padded rows to one that lies in steps.
${head(takes)}

${flatIndex}
  let row = i / sizes.columns;
  let column = i % sizes.columns;
  if (row >= sizes.rows) { return; }
  copied[sizes.offset + row * sizes.rowStep + column * sizes.step] =
    numbers[row * 4u * ((sizes.columns + 3u) / 4u) + column];
}
`;
  return { key: `scatter ${storage}`, takes, code };
}

/** Records a copy into a matrix with padded rows, which begins at quad `first` of `to`. */
export function copyIn(
  call: Call,
  from: Numbers & MatrixView,
  to: Numbers,
  [rows, columns]: readonly [number, number],
  first = 0,
): void {
  if (rows * columns === 0) return;
  const groups = flatGroups(rows * quadsOf(columns));
  const { offset, rowStep, step } = from;
  const words = { rows, columns, offset, rowStep, step, first };
  call.run(gather(from.as, to.as), { from: from.place, to: to.place }, words, groups);
}

/** Records a copy of a matrix with padded rows to an array, where `view` says where each element goes. */
export function copyOut(
  call: Call,
  from: Place,
  to: Place,
  view: MatrixView,
  [rows, columns]: readonly [number, number],
  as: Storage = call.gpu.storage,
): void {
  if (rows * columns === 0) return;
  const { offset, rowStep, step } = view;
  call.run(scatter(as), { from, to }, { rows, columns, offset, rowStep, step }, flatGroups(rows * columns));
}

/** The place of a matrix without padding: its own where rows need none, else that of a copy. */
export function unpadded(call: Call, { place, columns }: Matrix, rows: number): Place {
  if (padded(columns) === columns) return place;
  const copied = call.room(rows * columns);
  copyOut(call, place, copied, dense(columns), [rows, columns]);
  return copied;
}

/** The workgroup of the column sums: how many quads of columns it has, and how many invocations share the rows of each. */
const sumQuads = 16;
const sumSlices = 16;

function columnSumKernel(storage: Storage) {
  const takes = arrays(["numbers", "sums"], [`vec4<${storage}>`, "vec4f"], ["rows", "quads"]);
  const code = () => `${header(storage, storage)}// The sums of a matrix's columns, in float32.
${head(takes)}
var<workgroup> part: array<array<vec4f, ${sumQuads}>, ${sumSlices}>;

@compute @workgroup_size(${sumQuads}, ${sumSlices})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let quad = group.x * ${sumQuads}u + at.x;
  var sum = vec4f();
  if (quad < sizes.quads) {
    for (var row = at.y; row < sizes.rows; row += ${sumSlices}u) { sum += vec4f(numbers[row * sizes.quads + quad]); }
  }
  part[at.y][at.x] = sum;
  workgroupBarrier();
  if (at.y > 0u || quad >= sizes.quads) { return; }
  for (var i = 1u; i < ${sumSlices}u; i++) { sum += part[i][at.x]; }
  sums[quad] = sum;
}
`;
  return { key: `columnSums ${storage}`, takes, code };
}

/** Records the sums of the columns of a matrix with padded rows. Returns the place of the sums, which are f32. */
export function columnSums(call: Call, { place, columns }: Matrix, rows: number): Place {
  const quads = quadsOf(columns);
  const sums = call.room(padded(columns), "f32");
  const places = { from: place, to: sums };
  call.run(columnSumKernel(call.gpu.storage), places, { rows, quads }, [Math.ceil(quads / sumQuads)]);
  return sums;
}
