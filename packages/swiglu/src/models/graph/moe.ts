// ONNX Runtime's operators for experts, MoE and QMoE: their attributes say the formula.
// Source: contrib operators' documentation and code, August 2026; an absent limit means none.
import { field, unknown } from "../check/field.js";
import type { OnnxNode } from "../readers/onnx.js";
import type { TensorInfo } from "../tensor.js";
import { type GraphBlock, layerOf, stackOf } from "./place.js";

const unary: Readonly<Record<string, string>> = {
  relu: "relu",
  gelu: "gelu",
  silu: "silu",
  identity: "identity",
};

/** The block of a MoE node; undefined for any other. */
export function experts(
  node: OnnxNode,
  tensors: ReadonlyMap<string, TensorInfo>,
  index: number,
): GraphBlock | undefined {
  if (node.domain !== "com.microsoft" || (node.op !== "MoE" && node.op !== "QMoE")) return undefined;
  const number = (name: string, otherwise: number): number => {
    const value = node.attributes.get(name);
    return typeof value === "number" ? value : otherwise;
  };
  const type = String(node.attributes.get("activation_type") ?? "relu");
  const fusion = number("swiglu_fusion", 0);
  const [alpha, beta] = [number("activation_alpha", 1), number("activation_beta", 0)];
  const limit = node.attributes.get("swiglu_limit");
  const findings: string[] = [];
  const evidence = `activation_type ${type}, alpha ${alpha}, beta ${beta}, limit ${typeof limit === "number" ? limit : "none"}`;
  const formula =
    type === "swiglu" ? swigluOf(alpha, beta, typeof limit === "number" ? limit : undefined) : undefined;
  if (typeof limit === "number" && !(limit > 1e-6))
    findings.push(`${node.name || node.op}: swiglu_limit is ${limit}, which makes every output 0`);
  if (formula !== undefined && formula.name !== "swiglu")
    findings.push(
      `${node.name || node.op}: ONNX Runtime before 1.28 ignores alpha, beta, limit and fusion of MoE on CUDA (onnxruntime#28738)`,
    );
  const [down, first] = [
    tensors.get(node.inputs[node.op === "MoE" ? 4 : 5] ?? ""),
    tensors.get(node.inputs[2] ?? ""),
  ];
  const shape = down?.shape.length === 3 && node.op === "MoE" ? down.shape : undefined;
  if (type === "silu" && shape !== undefined && first?.shape[1] === 2 * (shape[2] as number))
    findings.push(
      `${node.name || node.op}: activation_type is silu, but its first matrix holds gate and up: an exporter's mistake (mobius#324)`,
    );
  const layouts = ["separate", "interleaved", "gate-first"] as const;
  const layout = layouts[fusion];
  const place = node.name || (first?.name ?? node.op);
  const size = (axis: number, what: string) =>
    shape === undefined
      ? unknown<number>(`${what} is not in the shapes that are read`)
      : field(shape[axis] as number, "graph", `${down?.name} has shape [${shape.join(", ")}]`);
  const activation = type === "swiglu" ? formula?.name : unary[type];
  return {
    findings,
    report: {
      stack: stackOf(place),
      layer: layerOf(place) ?? index,
      role: "routed",
      activation:
        activation === undefined
          ? unknown(`${evidence}: no entry of the catalogue`)
          : field(activation, "graph", evidence),
      parameters: field(formula?.parameters ?? {}, "graph", evidence),
      layout:
        type !== "swiglu"
          ? field("ungated", "graph", evidence)
          : layout === undefined
            ? unknown(`swiglu_fusion is ${fusion}`)
            : field(layout, "graph", `swiglu_fusion is ${fusion}`),
      orientation: field("[out,in]", "graph", `${node.op} keeps [experts, out, in]`),
      dModel: size(1, "the width"),
      dFf: size(2, "the hidden width"),
      experts: size(0, "the number of experts"),
      biases: field([], "graph", "biases of experts are not looked at"),
      stored: field(
        node.op === "QMoE" ? `QMoE, ${number("expert_weight_bits", 4)} bits` : (first?.type ?? "unknown"),
        "graph",
        node.op,
      ),
      extras: [],
    },
  };
}

/** G * sigmoid(alpha G) * (L + beta) with G and L limited: the simplest entry that this is. */
function swigluOf(
  alpha: number,
  beta: number,
  given: number | undefined,
): { name: string; parameters: Readonly<Record<string, number>> } {
  const slope = Number(alpha.toPrecision(7));
  const limit = given ?? Number.POSITIVE_INFINITY;
  if (beta === 0 && limit === Number.POSITIVE_INFINITY)
    return { name: "swiglu", parameters: slope === 1 ? {} : { beta: slope } };
  if (beta === 0 && slope === 1) return { name: "swigluClamped", parameters: { limit } };
  return { name: "swigluOai", parameters: { alpha: slope, limit, offset: Number(beta.toPrecision(7)) } };
}
