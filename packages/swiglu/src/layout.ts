// Packed layouts: where gate and up are in one tensor, along any axis.
// Each is a view: runs of consecutive elements at a fixed distance. So packed tensors need not be copied.
//
//     a view      | offset |<- run ->|         |<- run ->|         |<- run ->|
//                          |<----- stride ---->|
import { listing, shown } from "./errors.js";

/** `gate-first` and `gate-second` split an axis in halves; `interleaved` alternates gate, up, gate, up ... along it. */
export type PackedLayout = "gate-first" | "gate-second" | "interleaved";
/** All layouts; `separate` means two tensors. */
export type Layout = PackedLayout | "separate";

/** For each layout: whether gate is the first or the second of a pair, and whether halves or single elements alternate. */
const layouts: Readonly<Record<PackedLayout, { readonly gateSlot: 0 | 1; readonly halves: boolean }>> = {
  "gate-first": { gateSlot: 0, halves: true },
  "gate-second": { gateSlot: 1, halves: true },
  interleaved: { gateSlot: 0, halves: false },
};

/** Element `i` of a view is `data[floor(i / run) * stride + offset + i % run]`. */
export interface View {
  readonly run: number;
  readonly stride: number;
  readonly offset: number;
}

/** The two halves of a packed tensor: how many elements each has, in what shape, and where they are. */
export interface PackedViews {
  readonly count: number;
  readonly shape: readonly number[];
  readonly gate: View;
  readonly up: View;
}

/** The number of elements of a shape. Throws a RangeError unless every size is a whole number, 0 or greater. */
export function sizeOf(shape: readonly number[], argument = "shape"): number {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new RangeError(
      `${argument} is [${String(shape)}], expected an array of whole numbers, each 0 or more`,
    );
  return shape.reduce((product: number, size: number) => product * size, 1);
}

/**
 * The views of gate and up in a packed tensor of the given shape, split along `axis` (negative axes count from the
 * end). Throws a RangeError for an unknown layout, an axis outside the shape, or an odd size along it.
 *
 * @example
 * packedViews([2, 6], { layout: "gate-second" }).gate // { run: 3, stride: 6, offset: 3 }
 */
export function packedViews(
  shape: readonly number[],
  { layout, axis = -1 }: { readonly layout: PackedLayout; readonly axis?: number },
): PackedViews {
  const total = sizeOf(shape);
  if (!Object.hasOwn(layouts, layout)) throw new RangeError(layoutError(layout));
  const position = axis < 0 ? shape.length + axis : axis;
  if (!Number.isInteger(axis) || position < 0 || position >= shape.length)
    throw new RangeError(
      `axis is ${axis}, expected a whole number from ${-shape.length} to ${shape.length - 1} for shape [${shape.join(", ")}]`,
    );
  const size = shape[position] as number;
  if (size % 2 !== 0)
    throw new RangeError(
      `packed has ${size} elements along axis ${axis}, which cannot be split into gate and up: the size must be even`,
    );
  const { gateSlot, halves } = layouts[layout];
  const inner = shape.slice(position + 1).reduce((product, length) => product * length, 1);
  const run = halves ? (size / 2) * inner : inner;
  const slot = (index: number): View => ({ run, stride: 2 * run, offset: index * run });
  return {
    count: total / 2,
    shape: shape.map((length, i) => (i === position ? length / 2 : length)),
    gate: slot(gateSlot),
    up: slot(1 - gateSlot),
  };
}

function layoutError(layout: unknown): string {
  if (layout === "separate")
    return 'layout "separate" means two tensors: pass { gate, up } instead of { packed }';
  return `layout is ${shown(layout)}, expected ${listing(Object.keys(layouts))}`;
}

/** The view of a whole contiguous tensor. */
export function wholeView(count: number): View {
  return { run: Math.max(count, 1), stride: Math.max(count, 1), offset: 0 };
}

/** The position in the data of a view's element `i`. */
export function viewIndex({ run, stride, offset }: View, i: number): number {
  const within = i % run;
  return ((i - within) / run) * stride + offset + within;
}

/**
 * Packs gate and up, each of the given (unpacked) shape, into one tensor whose size along `axis` is doubled.
 * The exact inverse of `unpack`.
 *
 * @example
 * const [gate, up] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
 * pack({ gate, up }, [2], { layout: "interleaved" }) // Float32Array [1, 3, 2, 4]
 */
export function pack(
  { gate, up }: { readonly gate: Float32Array; readonly up: Float32Array },
  shape: readonly number[],
  options: { readonly layout: PackedLayout; readonly axis?: number },
): Float32Array {
  const { axis = -1 } = options;
  const position = axis < 0 ? shape.length + axis : axis;
  const views = packedViews(
    shape.map((size, i) => (i === position ? 2 * size : size)),
    options,
  );
  for (const [name, data] of Object.entries({ gate, up }))
    if (data.length !== views.count)
      throw new RangeError(
        `${name} has ${data.length} elements, shape [${shape.join(", ")}] has ${views.count}`,
      );
  const packed = new Float32Array(2 * views.count);
  for (let i = 0; i < views.count; i++) {
    packed[viewIndex(views.gate, i)] = gate[i] as number;
    packed[viewIndex(views.up, i)] = up[i] as number;
  }
  return packed;
}

/**
 * Splits a packed tensor of the given (packed) shape into gate and up. The exact inverse of `pack`.
 *
 * @example
 * const { gate } = unpack(Float32Array.of(1, 3, 2, 4), [4], { layout: "interleaved" });
 * Array.from(gate) // [1, 2]
 */
export function unpack(
  packed: Float32Array,
  shape: readonly number[],
  options: { readonly layout: PackedLayout; readonly axis?: number },
): { gate: Float32Array; up: Float32Array } {
  const views = packedViews(shape, options);
  if (packed.length !== 2 * views.count)
    throw new RangeError(
      `packed has ${packed.length} elements, shape [${shape.join(", ")}] has ${2 * views.count}`,
    );
  const take = (view: View): Float32Array =>
    Float32Array.from({ length: views.count }, (_, i) => packed[viewIndex(view, i)] as number);
  return { gate: take(views.gate), up: take(views.up) };
}
