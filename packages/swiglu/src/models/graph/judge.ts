// The feed-forward blocks of an ONNX graph: which products belong together, what lies between them, and what that computes.

import type { Slot } from "../blocks/names.js";
import type { BlockReport } from "../check/block-report.js";
import { type Field, field, unknown } from "../check/field.js";
import type { BlockLayout } from "../check/shape.js";
import type { OnnxHeader, OnnxNode } from "../readers/onnx.js";
import type { TensorInfo } from "../tensor.js";
import { type Cone, Graph, type GraphWeight, isProduct, type Source } from "./cone.js";
import { fingerprint, type Match, matchCone } from "./match.js";
import { fusedMlp } from "./mlp.js";
import { experts } from "./moe.js";
import { operatorOf } from "./operators.js";
import { type GraphBlock, type GraphMatrices, type GraphMatrix, layerOf, stackOf } from "./place.js";

/** Finds and judges all blocks, in the order of the graph. */
export function graphBlocks(header: OnnxHeader): GraphBlock[] {
  const graph = new Graph(header);
  const tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  const blocks: GraphBlock[] = [];
  const seen = new Map<string, Match | undefined>();
  for (const node of header.nodes) {
    const whole = experts(node, tensors, blocks.length) ?? fusedMlp(node, blocks.length);
    if (whole !== undefined) blocks.push(whole);
    if (!isProduct(node)) continue;
    const cone = graph.coneOf(node.inputs[0] ?? "");
    if (cone === undefined || !isBlock(cone, node, graph)) continue;
    // Layers repeat one formula: it is matched once.
    const key = fingerprint(cone);
    if (!seen.has(key)) seen.set(key, matchCone(cone));
    const match = seen.get(key);
    blocks.push({
      report: reportOf(graph, tensors, node, cone, match, blocks.length),
      findings: [],
      matrices: matricesOf(graph, node, cone, match),
    });
  }
  return blocks;
}

/** Where the block's numbers are. */
function matricesOf(
  graph: Graph,
  down: OnnxNode,
  { sources }: Cone,
  match: Match | undefined,
): GraphMatrices {
  const matrix = (product: OnnxNode, part: Source["part"], bias: string | undefined): GraphMatrix => {
    const weight = matrixOf(graph, product) as GraphWeight;
    const orientation = orientationOf(graph, product, weight.name).value;
    return {
      product,
      weight,
      orientation,
      part,
      bias: bias === undefined ? undefined : graph.weightOf(bias),
    };
  };
  const [first, second] = sources.map(({ product, part, bias }) => matrix(product, part, bias)) as [
    GraphMatrix,
    GraphMatrix?,
  ];
  const gateFirst = match?.gateFirst ?? true;
  return {
    gate: second === undefined ? undefined : gateFirst ? first : second,
    up: second === undefined || !gateFirst ? first : second,
    down: matrix(down, "whole", biasOfDown(graph, down)),
  };
}

/** What is added to down's output, inside the product or after it. */
const biasOfDown = (graph: Graph, down: OnnxNode): string | undefined =>
  (down.op === "Gemm" || down.op === "Conv" ? down.inputs[2] : undefined) ||
  graph.addedTo(down.outputs[0] ?? "");

/** Whether the products before a formula have one input, weights of the model, and a product with weights after them. */
function isBlock(cone: Cone, down: OnnxNode, graph: Graph): boolean {
  const inputs = new Set(cone.sources.map(({ product }) => product.inputs[0]));
  const weighted = [down, ...cone.sources.map(({ product }) => product)].every(
    (product) => matrixOf(graph, product) !== undefined,
  );
  return inputs.size === 1 && weighted;
}

const matrixOf = (graph: Graph, product: OnnxNode) => graph.weightOf(product.inputs[1] ?? "");

function reportOf(
  graph: Graph,
  tensors: ReadonlyMap<string, TensorInfo>,
  down: OnnxNode,
  cone: Cone,
  match: Match | undefined,
  index: number,
): BlockReport {
  const names = [...new Set(cone.nodes.map(operatorOf))].reverse().join(", ");
  const [weight, other] = cone.sources.map(({ product }) => matrixOf(graph, product)?.name) as [
    string,
    string?,
  ];
  const place = down.name === "" ? weight : down.name;
  const downName = matrixOf(graph, down)?.name as string;
  const sizes = [
    sizesOf(graph, tensors, down),
    sizesOf(graph, tensors, (cone.sources[0] as Source).product),
  ] as const;
  const [inner, outer] = [sizes[0]?.inputs, sizes[0]?.outputs];
  const size = (value: number | undefined): Field<number> =>
    value === undefined
      ? unknown(`${downName} has no shape of two axes`)
      : field(value, "graph", `${down.op} by ${downName}`);
  const biases: Slot[] = cone.sources.flatMap((source, i) =>
    source.bias !== undefined
      ? [
          cone.sources.length === 1
            ? ("up" as const)
            : (match?.gateFirst ?? true) === (i === 0)
              ? ("gate" as const)
              : ("up" as const),
        ]
      : [],
  );
  return {
    stack: stackOf(place),
    layer: layerOf(place) ?? layerOf(weight) ?? index,
    role: "dense",
    activation:
      match === undefined
        ? unknown(`the formula is ${names}, which no entry of the catalogue computes`)
        : field(match.activation, "graph", `${names}, evaluated`),
    parameters:
      match === undefined
        ? unknown("the formula has no entry")
        : field(match.parameters, "graph", `${names}, evaluated`),
    layout: layoutOf(cone, match, [weight, other]),
    orientation: orientationOf(graph, down, downName),
    dModel: size(outer),
    dFf: size(inner),
    experts: field(1, "graph", `${down.op} by one matrix`),
    biases: field(
      [...biases, ...(biasOfDown(graph, down) === undefined ? [] : ["down" as const])],
      "graph",
      biases.length === 0 ? "no Add of a weight" : "an Add of a weight",
    ),
    stored: field(storedOf(tensors, down, downName), "graph", downName),
    extras: [],
  };
}

function layoutOf(
  { sources }: Cone,
  match: Match | undefined,
  names: readonly (string | undefined)[],
): Field<BlockLayout> {
  const [first, second] = sources;
  if (second === undefined) return field("ungated", "graph", `one product, by ${names[0]}`);
  if (first?.product !== second.product) {
    if (match?.gateFirst === undefined)
      return field("separate", "graph", `two products, by ${names[0]} and ${names[1]}`);
    const [gate, up] = match.gateFirst ? names : [names[1], names[0]];
    return field("separate", "graph", `gate is the product by ${gate}, up by ${up}`);
  }
  if (match?.gateFirst === undefined) return unknown("which part is gate depends on the formula");
  const gate = (match.gateFirst ? first : second).part;
  const layouts: Readonly<Record<Source["part"], BlockLayout | undefined>> = {
    first: "gate-first",
    second: "gate-second",
    even: "interleaved",
    odd: undefined,
    whole: undefined,
  };
  const layout = layouts[gate];
  return layout === undefined
    ? unknown(`gate is the ${gate} part, which no layout has`)
    : field(layout, "graph", `gate is the ${gate} part of the product by ${names[0]}`);
}

function orientationOf(graph: Graph, product: OnnxNode, name: string): BlockReport["orientation"] {
  const nBits = product.op === "MatMulNBits" || product.op === "Conv";
  const turned = matrixOf(graph, product)?.transposed !== (product.attributes.get("transB") === 1);
  return field(nBits || turned ? "[out,in]" : "[in,out]", "graph", `${product.op} by ${name}`);
}

/** How many inputs and outputs a product has. */
function sizesOf(graph: Graph, tensors: ReadonlyMap<string, TensorInfo>, product: OnnxNode) {
  const [n, k] = ["N", "K"].map((name) => product.attributes.get(name));
  if (typeof n === "number" && typeof k === "number") return { inputs: k, outputs: n };
  const matrix = matrixOf(graph, product);
  const shape = matrix && tensors.get(matrix.name)?.shape;
  if (shape === undefined || shape.length < 2) return undefined;
  const outFirst = orientationOf(graph, product, "").value === "[out,in]";
  const [a, b] = [shape[0] as number, shape[1] as number];
  return outFirst ? { inputs: b, outputs: a } : { inputs: a, outputs: b };
}

function storedOf(tensors: ReadonlyMap<string, TensorInfo>, product: OnnxNode, name: string): string {
  const bits = product.attributes.get("bits");
  return product.op === "MatMulNBits"
    ? `MatMulNBits, ${typeof bits === "number" ? bits : 4} bits`
    : (tensors.get(name)?.type ?? "unknown");
}
