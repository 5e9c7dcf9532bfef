// Checks a model against ONNX's published operator schemas (operators.json): every node's operator exists in the opset, its
// inputs, attributes and element types are allowed, tensors are computed before they are read, and once.
import {
  type ElementType,
  elementCode,
  type Model,
  type OnnxAttribute,
  type OnnxNode,
} from "../../src/onnx-entry.js";
import published from "./operators.json" with { type: "json" };

interface Schema {
  readonly name: string;
  readonly since: number;
  /** Type variables or types; `?` marks an optional input, `...` one that may repeat. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, readonly string[]>>;
}
const schemas: readonly Schema[] = published.operators as never;

function schemaOf(name: string, opset: number): Schema {
  const found = schemas.filter((each) => each.name === name && each.since <= opset);
  if (found.length === 0) throw new Error(`${name} does not exist in opset ${opset}`);
  return found.reduce((a, b) => (a.since > b.since ? a : b));
}

type Types = Map<string, ElementType>;

/** Throws an error that says what is wrong with the model. */
export function checkModel(model: Model): void {
  const types: Types = new Map();
  for (const { name, dtype } of [...model.inputs, ...model.initializers]) define(types, name, dtype);
  checkNodes(model, model.nodes, model.opset, types, {});
  for (const { name, dtype } of model.outputs)
    if (types.get(name) !== dtype) throw new Error(`output ${name} is ${types.get(name)}, declared ${dtype}`);
}

function define(types: Types, name: string, type: ElementType): void {
  if (types.has(name)) throw new Error(`${name} is defined twice`);
  types.set(name, type);
}

function checkNodes(
  model: Model,
  nodes: readonly OnnxNode[],
  opset: number,
  types: Types,
  attributes: Readonly<Record<string, number>>,
): void {
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => {
      const type = types.get(name);
      if (type === undefined) throw new Error(`${node.opType} reads ${name} before it is computed`);
      return type;
    });
    for (const value of Object.values(node.attributes ?? {}))
      if ("floatOf" in value && !(value.floatOf in attributes))
        throw new Error(`${node.opType} refers to ${value.floatOf}, which is no attribute of the function`);
    const outputs = node.domain ? calledTypes(model, node, inputs) : outputTypes(node, inputs, opset);
    if (outputs.length !== node.outputs.length)
      throw new Error(`${node.opType} has ${node.outputs.length} outputs`);
    node.outputs.forEach((name, i) => {
      define(types, name, outputs[i] as ElementType);
    });
  }
}

function outputTypes(node: OnnxNode, inputs: readonly ElementType[], opset: number): ElementType[] {
  const schema = schemaOf(node.opType, opset);
  const where = `${schema.name}-${schema.since}`;
  const [least, most] = [
    schema.inputs.filter((port) => !port.endsWith("?")).length,
    schema.inputs.some((port) => port.endsWith("...")) ? Number.POSITIVE_INFINITY : schema.inputs.length,
  ];
  if (inputs.length < least || inputs.length > most) throw new Error(`${where} has ${inputs.length} inputs`);
  const bound = new Map<string, ElementType>();
  inputs.forEach((type, i) => {
    const port = (schema.inputs[Math.min(i, schema.inputs.length - 1)] as string).replace(/[?.]+$/, "");
    const allowed = schema.types[port] ?? [port];
    if (!allowed.includes(type))
      throw new Error(`${where} does not take ${type} as input ${i} in opset ${opset}`);
    if ((bound.get(port) ?? type) !== type) throw new Error(`${where} mixes ${bound.get(port)} and ${type}`);
    bound.set(port, type);
  });
  const given = node.attributes ?? {};
  for (const [name, value] of Object.entries(given))
    if (schema.attributes[name]?.split(" ")[0] !== kindOf(value))
      throw new Error(
        `${where}: attribute ${name} is ${kindOf(value)}, published ${schema.attributes[name]}`,
      );
  for (const [name, kind] of Object.entries(schema.attributes))
    if (kind.endsWith("required") && !(name in given))
      throw new Error(`${where}: attribute ${name} is missing`);
  return schema.outputs.map((port) => {
    const type = bound.get(port) ?? madeType(given) ?? (schema.types[port] ?? [])[0];
    if (!schema.types[port]?.includes(type as string)) throw new Error(`${where} cannot give ${type}`);
    return type as ElementType;
  });
}

const kindOf = (value: OnnxAttribute): string =>
  "floatOf" in value ? "float" : (Object.keys(value)[0] as string);

/** The type that Cast and Constant are asked for. */
function madeType(attributes: Readonly<Record<string, OnnxAttribute>>): ElementType | undefined {
  const { to, value, value_float } = attributes;
  if (to && "int" in to) return floats.find((type) => elementCode(type) === to.int);
  if (value && "tensor" in value) return value.tensor.dtype;
  return value_float && "float32";
}
const floats = ["float32", "float16", "bfloat16", "float64"] as const;

/** A call of one of the model's own functions: its nodes are checked with the types of this call. */
function calledTypes(model: Model, node: OnnxNode, inputs: readonly ElementType[]): ElementType[] {
  const definition = model.functions?.find(
    ({ domain, name }) => domain === node.domain && name === node.opType,
  );
  if (!definition) throw new Error(`there is no function ${node.domain}.${node.opType}`);
  if (model.domains?.[definition.domain] === undefined)
    throw new Error(`domain ${definition.domain} is not imported`);
  if (definition.inputs.length !== inputs.length)
    throw new Error(`${definition.name} has ${inputs.length} inputs`);
  for (const [name, value] of Object.entries(node.attributes ?? {}))
    if (!(name in definition.attributes) || kindOf(value) !== "float")
      throw new Error(`${definition.name} has no float attribute ${name}`);
  const types: Types = new Map(definition.inputs.map((name, i) => [name, inputs[i] as ElementType]));
  checkNodes(model, definition.nodes, definition.opset, types, definition.attributes);
  return definition.outputs.map((name) => types.get(name) as ElementType);
}
