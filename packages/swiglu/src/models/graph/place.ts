// A block found in a graph, and where the names of its nodes say it lies.
import type { BlockReport } from "../check/block-report.js";

/** A block of a graph, and what is odd about it. */
export interface GraphBlock {
  readonly report: BlockReport;
  readonly findings: readonly string[];
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
