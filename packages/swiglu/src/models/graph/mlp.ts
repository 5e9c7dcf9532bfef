// ONNX Runtime's fused operator of gate, activation and up in quantised weights, MatMulNBitsMlp: its attributes say what it computes.
// Source: contrib operators' documentation, August 2026: inputs gate_B ... and up_B ..., an activation by name.
import { catalogueName } from "../check/activation.js";
import { field, unknown } from "../check/field.js";
import type { OnnxNode } from "../readers/onnx.js";
import { type GraphBlock, layerOf, stackOf } from "./place.js";

/** The block of a MatMulNBitsMlp node; undefined for any other. */
export function fusedMlp(node: OnnxNode, index: number): GraphBlock | undefined {
  if (node.domain !== "com.microsoft" || node.op !== "MatMulNBitsMlp") return undefined;
  const { attributes } = node;
  const name = attributes.get("activation");
  const activation = typeof name === "string" ? catalogueName(name, true) : undefined;
  const evidence = `${node.op}: activation is ${String(name ?? "not given")}`;
  const size = (attribute: "N" | "K") => {
    const value = attributes.get(attribute);
    return typeof value === "number"
      ? field(value, "graph", `${attribute} of ${node.op}`)
      : unknown<number>(`${node.op} has no ${attribute}`);
  };
  const bits = attributes.get("bits");
  const names = [node.name, ...node.inputs];
  const place = names.find((input) => layerOf(input) !== undefined) ?? (node.name || node.op);
  return {
    findings: [],
    report: {
      stack: stackOf(place),
      layer: layerOf(place) ?? index,
      role: "dense",
      activation:
        activation === undefined
          ? unknown(`${evidence}, which the catalogue does not have`)
          : field(activation, "graph", evidence),
      parameters: field({}, "graph", evidence),
      layout: field("separate", "graph", `${node.op} takes gate and up as inputs of their own`),
      orientation: field("[out,in]", "graph", `${node.op} keeps [out, blocks of in]`),
      dModel: size("K"),
      dFf: size("N"),
      experts: field(1, "graph", `${node.op} is one block`),
      biases: field([], "graph", "biases of this operator are not looked at"),
      stored: field(`${node.op}, ${typeof bits === "number" ? bits : 4} bits`, "graph", node.op),
      extras: [],
    },
  };
}
