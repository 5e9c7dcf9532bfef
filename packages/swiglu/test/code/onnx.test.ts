// Printed ONNX text, read by a small parser of that form and run in ONNX Runtime, with defaults and without.

import * as runtime from "onnxruntime-node";
import { expect, test } from "vitest";
import { activations } from "../../src/catalogue/catalogue.js";
import { toCode } from "../../src/code/to-code.js";
import { float32 } from "../../src/expression/bound.js";
import {
  encodeModel,
  type Initializer,
  type Model,
  type OnnxAttribute,
  type ValueInfo,
} from "../../src/onnx-entry.js";
import { all, casesOf } from "./points.js";

test("reads as one would write it", () => {
  expect(toCode(activations.swiglu, "onnx")).toBe(`# swiglu: gate * sigmoid(beta * gate) * up
# Source: Shazeer 2020 (arXiv 2002.05202); beta = 1 in Llama, Mistral, Qwen, Phi-3 and most language models since
<ir_version: 10, opset_import: ["" : 21]>
swiglu (float[N] gate, float[N] up, float beta = {1.0}) => (float[N] y)
{
  t1 = Mul (beta, gate)
  t2 = Sigmoid (t1)
  t3 = Mul (gate, t2)
  y = Mul (t3, up)
}
`);
});

test.each(all)("$name: gives what the reference does", async (activation) => {
  const session = await runtime.InferenceSession.create(encodeModel(parse(toCode(activation, "onnx"))), {
    logSeverityLevel: 3,
  });
  const cases = casesOf(activation, float32, 100);
  const names = [...session.inputNames];
  const inputs = activation.inputs.map((_, k) => Float32Array.from(cases, (one) => one.inputs[k] as number));
  const feeds = Object.fromEntries(
    inputs.map((data, k) => [names[k], new runtime.Tensor("float32", data, [data.length])]),
  );
  const explicit = cases[0]?.parameters.map((value, k) => [
    names[inputs.length + k],
    new runtime.Tensor("float32", [value], []),
  ]);
  const [byDefault, given] = [
    await session.run(feeds),
    await session.run({ ...feeds, ...Object.fromEntries(explicit ?? []) }),
  ];
  expect(given.y?.data).toEqual(byDefault.y?.data);
  cases.forEach(({ inputs: at, expected: [value = 0], bounds: [bound = 0] }, i) => {
    // The runtime's own operators are good to a few 1e-7 of the size of what comes in.
    const size = at.reduce((product, input) => product * Math.max(1, Math.abs(input)), 1);
    expect(Math.abs(Number(byDefault.y?.data[i]) - value), `at ${at}`).toBeLessThanOrEqual(
      4 * bound + 4e-7 * size,
    );
  });
});

/** Reads the part of ONNX's textual form that is printed. */
function parse(text: string): Model {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  const opset = Number(/opset_import: \["" : (\d+)\]/.exec(lines[0] ?? "")?.[1]);
  const [, taken = "", given = ""] = /^\w+ \((.*)\) => \((.*)\)$/.exec(lines[1] ?? "") ?? [];
  const initializers: Initializer[] = [];
  const declare = (list: string): ValueInfo[] =>
    [...list.matchAll(/(float)(?:\[(\w+)\])? (\w+)(?: = \{([^}]*)\})?/g)].map(
      ([, , size, name = "", value]) => {
        if (value !== undefined)
          initializers.push({ name, dtype: "float32", shape: [], data: [Number(value)] });
        return { name, dtype: "float32", shape: size === undefined ? [] : [size] };
      },
    );
  const [inputs, outputs] = [declare(taken), declare(given)];
  if (lines[2]?.startsWith("<")) declare(lines[2]);
  const body = lines.slice(lines.indexOf("{") + 1, lines.indexOf("}"));
  const nodes = body.map((line) => {
    const [, to = "", opType = "", attributes = "", from = ""] =
      /^ {2}(\w+) = (\w+)(?: <(.*)>)? \((.*)\)$/.exec(line) ?? [];
    return {
      opType,
      inputs: from.split(", "),
      outputs: [to],
      attributes: Object.fromEntries(attributes.split(", ").flatMap(attribute)),
    };
  });
  return { opset, inputs, outputs, initializers, nodes };
}

function attribute(text: string): [string, OnnxAttribute][] {
  const [, name, value = ""] = /^(\w+) = (.*)$/.exec(text) ?? [];
  if (name === undefined) return [];
  if (value.startsWith('"')) return [[name, { string: JSON.parse(value) as string }]];
  return [[name, /[.e]/.test(value) ? { float: Number(value) } : { int: Number(value) }]];
}
