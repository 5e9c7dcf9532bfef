// ONNX's own textual form (what onnx.parser reads) of an activation's graph; its parameters are inputs with defaults.
import type { Activation } from "../catalogue/activation.js";
import { own } from "../errors.js";
import { activationGraph } from "../onnx/graph/activation-graph.js";
import type { Initializer, OnnxAttribute, ValueInfo } from "../onnx/model/model.js";
import { toModel } from "../onnx/write/faces.js";
import { Names } from "./names.js";
import { float32Text } from "./rules.js";

/** Element types as the textual form names them. */
const typeNames: Readonly<Record<string, string>> = { float32: "float", float64: "double" };

export function onnxText(activation: Activation, comment: readonly string[]): string {
  const parameters = Object.fromEntries(
    Object.keys(activation.parameters).map((name) => [name, { input: [] }]),
  );
  const { opset, inputs, outputs, initializers, nodes } = toModel(
    activationGraph(activation, { shape: ["N"], parameters }),
    { math: "fast" },
  );
  const names = new Names((name) => name);
  const nameOf = new Map<string, string>();
  for (const { name } of [...inputs, ...outputs]) nameOf.set(name, names.take(name));
  const short = (name: string): string => {
    const own = nameOf.get(name) ?? names.numbered();
    nameOf.set(name, own);
    return own;
  };
  const typed = ({ name, dtype, shape }: ValueInfo | Initializer): string =>
    `${own(typeNames, dtype) ?? dtype}${shape.length > 0 ? `[${shape.join(", ")}]` : ""} ${short(name)}`;
  const taken = inputs.map((info) => {
    const value = own(activation.parameters, info.name);
    return value === undefined ? typed(info) : `${typed(info)} = {${float32Text(value)}}`;
  });
  const constants = initializers.map(
    (tensor) => `${typed(tensor)} = {${Array.from(tensor.data, float32Text).join(", ")}}`,
  );
  const body = nodes.map(({ opType, inputs: from, outputs: to, attributes = {} }) => {
    const list = Object.entries(attributes).map(([name, value]) => `${name} = ${attributeText(value)}`);
    return `  ${to.map(short).join(", ")} = ${opType}${list.length > 0 ? ` <${list.join(", ")}>` : ""} (${from.map(short).join(", ")})`;
  });
  return `${[
    ...comment.map((line) => `# ${line}`),
    `<ir_version: 10, opset_import: ["" : ${opset}]>`,
    `${new Names((name) => name).take(activation.name)} (${taken.join(", ")}) => (${outputs.map(typed).join(", ")})`,
    ...(constants.length > 0 ? [`<${constants.join(", ")}>`] : []),
    "{",
    ...body,
    "}",
  ].join("\n")}\n`;
}

function attributeText(value: OnnxAttribute): string {
  if ("int" in value) return String(value.int);
  if ("ints" in value) return `[${value.ints.join(", ")}]`;
  if ("float" in value) return float32Text(value.float);
  if ("floats" in value) return `[${value.floats.map(float32Text).join(", ")}]`;
  if ("string" in value) return JSON.stringify(value.string);
  throw new RangeError("this attribute has no textual form in an activation's graph");
}
