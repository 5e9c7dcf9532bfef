// The matrices of a graph's block as weights of this library: what `openBlock` reads from an ONNX file.
import type { FfnWeights, SeparateWeights } from "../../block/weights.js";
import { transpose } from "../../transpose.js";
import { ModelFileError } from "../files/bytes.js";
import type { GraphMatrices, GraphMatrix } from "../graph/place.js";
import type { Model } from "../model.js";

interface Size {
  readonly inputs: number;
  readonly outputs: number;
}
interface Matrix {
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
}

/** Reads a block's matrices as [in, out]. Throws a ModelFileError for numbers that are stored in a way that is not read. */
export async function graphWeights(
  model: Model,
  { gate, up, down }: GraphMatrices,
  dModel: number,
  dFf: number,
): Promise<SeparateWeights | FfnWeights> {
  const into = { inputs: dModel, outputs: dFf };
  const [first, second, last] = [
    gate && (await matrixOf(model, gate, into)),
    await matrixOf(model, up, into),
    await matrixOf(model, down, { inputs: dFf, outputs: dModel }),
  ];
  return {
    ...(first && named("gate", first)),
    ...named("up", second),
    ...named("down", last),
  } as Readonly<Record<string, Float32Array>> as unknown as SeparateWeights | FfnWeights;
}

const named = (slot: string, { weight, bias }: Matrix): Record<string, Float32Array> =>
  bias === undefined ? { [slot]: weight } : { [slot]: weight, [`${slot}Bias`]: bias };

async function matrixOf(model: Model, matrix: GraphMatrix, size: Size): Promise<Matrix> {
  const { product, weight, part, bias, orientation } = matrix;
  refuseOthers(matrix);
  const stored = await model.read(weight.name);
  const width = stored.length / size.inputs;
  const all = orientation === "[out,in]" ? transpose(stored, width, size.inputs) : stored;
  const pick = picks[part](size.outputs);
  const outputs = Array.from({ length: size.outputs }, (_, i) => pick(i));
  if (width !== (part === "whole" ? 1 : 2) * size.outputs)
    throw new ModelFileError(
      `${weight.name} has ${stored.length} numbers, which do not fit ${product.op} with ${size.inputs} inputs and ${size.outputs} outputs`,
    );
  const picked = new Float32Array(size.inputs * size.outputs);
  for (let row = 0; row < size.inputs; row++)
    for (let i = 0; i < size.outputs; i++)
      picked[row * size.outputs + i] = all[row * width + (outputs[i] as number)] as number;
  const added = bias && (await model.read(bias.name));
  return {
    weight: part === "whole" ? all : picked,
    // What is added after a split has one number for each output of the part.
    bias:
      added &&
      (added.length === size.outputs ? added : Float32Array.from(outputs, (at) => added[at] as number)),
  };
}

/** Which outputs of the product are which of the part's. */
const picks: Readonly<Record<GraphMatrix["part"], (outputs: number) => (i: number) => number>> = {
  whole: () => (i) => i,
  first: () => (i) => i,
  second: (outputs) => (i) => outputs + i,
  even: () => (i) => 2 * i,
  odd: () => (i) => 2 * i + 1,
};

/** Throws for products that do more than multiply by the stored numbers. */
function refuseOthers({ product, weight, bias }: GraphMatrix): void {
  const plain = ["MatMul", "Gemm", "Conv"].includes(product.op);
  if (!plain || weight.quantised || bias?.quantised)
    throw new ModelFileError(
      `${weight.name} is stored for ${weight.quantised ? "DequantizeLinear" : product.op}, which is recognised but not read as numbers`,
    );
  for (const name of ["alpha", "beta"]) {
    const value = product.attributes.get(name) ?? 1;
    if (product.op === "Gemm" && value !== 1)
      throw new ModelFileError(
        `${product.name || "Gemm"} has ${name} ${String(value)}, which a block has no place for`,
      );
  }
}
