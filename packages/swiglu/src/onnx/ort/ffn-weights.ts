// A block's weights as its graphs hold them: gate and up are one matrix [dModel, 2 dFf], gate first.
import type { Data } from "../../backend/data.js";
import { type FfnPlan, weightShapes } from "../../backend/ffn.js";
import { type PackedLayout, pack, unpack } from "../../layout.js";

/** A matrix, row-major [rows, columns], and the bias of its product. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly bias?: Float32Array;
}

/** A block's matrices by name; `first` stands for gate and up, or packed. */
export type Matrices = Readonly<Record<string, Matrix>>;

/** Looks into data of this backend; throws where it belongs to another or is disposed. */
export type Read = (data: Data, name: string) => Float32Array;

/** An ONNX file holds at most this many bytes. */
const largest = 2 ** 31 - 2 ** 16;

/** Copies the weights. Throws a RangeError where they are too large for an ONNX file. */
export function copyWeights(plan: FfnPlan, read: Read): Matrices {
  const { form, dModel, dFf, weights, layout } = plan;
  const bytes = 4 * Object.values(weights).reduce((sum, { length }) => sum + length, 0);
  if (bytes > largest)
    throw new RangeError(
      `weights have ${bytes} bytes, but a model of ONNX Runtime holds at most ${largest}: divide the block, or use wasm()`,
    );
  const array = (name: string): Float32Array | undefined => {
    const data = weights[name];
    return data && read(data, `weights.${name}`);
  };
  const matrix = (name: string): Matrix => {
    const [rows = 0, columns = 0] = weightShapes[form][name]?.(dModel, dFf) ?? [];
    const bias = array(`${name}Bias`)?.slice();
    return { data: (array(name) as Float32Array).slice(), rows, columns, ...(bias && { bias }) };
  };
  const down = matrix("down");
  switch (form) {
    case "ungated":
      return { up: matrix("up"), down };
    case "selfGated":
      return { in: matrix("in"), square: matrix("square"), down };
    case "gated": {
      const halves = { gate: array("gate") as Float32Array, up: array("up") as Float32Array };
      const [gate, up] = [array("gateBias"), array("upBias")];
      const none = new Float32Array(dFf);
      const bias = (gate ?? up) && gateFirst({ gate: gate ?? none, up: up ?? none }, [dFf]);
      const data = gateFirst(halves, [dModel, dFf]);
      return { first: { data, rows: dModel, columns: 2 * dFf, ...(bias && { bias }) }, down };
    }
    case "packed": {
      const packed = matrix("packed");
      const reordered = (data: Float32Array, shape: readonly number[]): Float32Array =>
        layout === "gate-first"
          ? data
          : gateFirst(unpack(data, shape, { layout: layout as PackedLayout }), shape.with(-1, dFf));
      const bias = packed.bias && reordered(packed.bias, [2 * dFf]);
      const data = reordered(packed.data, [dModel, 2 * dFf]);
      return { first: { ...packed, data, ...(bias && { bias }) }, down };
    }
  }
}

function gateFirst(halves: { gate: Float32Array; up: Float32Array }, shape: readonly number[]): Float32Array {
  return pack(halves, shape, { layout: "gate-first" });
}
