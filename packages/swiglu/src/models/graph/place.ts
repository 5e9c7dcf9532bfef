// A block found in a graph, and where the names of its nodes say it lies.
import type { BlockReport } from "../check/block-report.js";
import type { OnnxNode } from "../readers/onnx.js";
import type { GraphWeight, Part } from "./cone.js";

/** Where the numbers of one of a block's matrices are in a graph. */
export interface GraphMatrix {
  readonly product: OnnxNode;
  readonly weight: GraphWeight;
  /** How the initializer lies. */
  readonly orientation: BlockReport["orientation"]["value"];
  /** Which of the product's outputs are this matrix's. */
  readonly part: Part;
  readonly bias: GraphWeight | undefined;
}
/** The matrices of a block; gate is undefined where there is none. */
export interface GraphMatrices {
  readonly gate: GraphMatrix | undefined;
  readonly up: GraphMatrix;
  readonly down: GraphMatrix;
}

/** A block of a graph, and what is odd about it. */
export interface GraphBlock {
  readonly report: BlockReport;
  readonly findings: readonly string[];
  /** Undefined for experts, which are one node. */
  readonly matrices?: GraphMatrices;
}

/** The layer's number in a node's or weight's name. */
export const layerOf = (name: string): number | undefined => {
  const found =
    /(?:^|[./_])(?:layers?|h|blocks?|blk)[./_](\d+)/.exec(name)?.[1] ?? /[./](\d+)[./]/.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
};
/** A name without its last part, and with the layer's number left open. */
export const stackOf = (name: string): string =>
  name
    .replace(
      /[./](down_proj|dense_4h_to_h|fc2|c_proj|wo|w2|output)?[./]?(MatMul|Gemm|weight|MatMul_Q4|MatMulNBits)?[^./]*$/,
      "",
    )
    .replace(/\d+/, "N");
