// The ONNX emitter of swiglu on ONNX Runtime: exact mode holds the library's error bound for values and gradients of every
// activation, over all exponents, and treats NaN and infinities as the formula does.
import { encodeModel } from "onnx-grad";
import * as ort from "onnxruntime-node";
import {
  type Activation,
  activations,
  compile,
  expressions as e,
  errorBound,
  gradientExpressions,
} from "swiglu";
import { emitNodes } from "swiglu/onnx";
import { expect, test } from "vitest";
import { numbers } from "./finite-differences.js";

const random = numbers(11);
const points = [
  ...[0, -0, 1, -1, 3, -3, 7, -7, 10, -10, 0.5, -0.5, -1.278464542761074, -2.43, -18, -20, 20, 30, -30],
  ...[-87, -88.7, -90, -100, -104, -200, 88, 89, 100, 1e4, -1e4, 1e-10, -1e-10, 1e-30, 2 ** -24, 2 ** -12],
  ...Array.from({ length: 150 }, () => 16 * random() - 8),
  ...Array.from({ length: 60 }, () => (random() < 0.5 ? -1 : 1) * 2 ** (200 * random() - 100)),
].map(Math.fround);
const specials = [Number.NaN, Infinity, -Infinity, 1, -1, 0];

async function run(
  expressions: readonly e.Expr[],
  data: Readonly<Record<string, Float32Array>>,
): Promise<readonly Float32Array[]> {
  const count = Object.values(data)[0]!.length;
  const outputs = expressions.map((_, i) => `y${i}`);
  const names = Object.fromEntries(Object.keys(data).map((name) => [name, name]));
  const { nodes, constants } = emitNodes(expressions, { inputs: names, outputs, prefix: "p_" });
  const info = (name: string) => ({ name, dtype: "float32" as const, shape: [count] });
  const isScalar = (i: number) => e.variablesOf(expressions[i]!).size === 0;
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const inputs = Object.keys(data).filter((name) => used.has(name));
  const bytes = encodeModel({
    inputs: inputs.map(info),
    outputs: outputs.map((name, i) => (isScalar(i) ? { ...info(name), shape: [] } : info(name))),
    initializers: constants.map(({ name, value }) => ({ name, dtype: "float32", shape: [], data: [value] })),
    nodes,
  });
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const feeds = inputs.map((name) => [name, new ort.Tensor("float32", data[name]!, [count])]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  // A gradient without variables is a scalar.
  return outputs.map((name) => {
    const data = results[name]!.data as Float32Array;
    return data.length === 1 ? new Float32Array(count).fill(data[0]!) : data;
  });
}

/** Every value with every other for gated activations, thinned; with the parameters at their defaults. */
function arguments_(activation: Activation, values: readonly number[], every: number): number[][] {
  const rest = Object.values(activation.parameters).map(Math.fround);
  if (activation.kind === "unary") return values.map((x) => [x, ...rest]);
  return values.flatMap((gate) => values.map((up) => [gate, up, ...rest])).filter((_, i) => i % every === 0);
}

const columns = (names: readonly string[], rows: readonly number[][]): Record<string, Float32Array> =>
  Object.fromEntries(names.map((name, i) => [name, Float32Array.from(rows, (row) => row[i]!)]));

test.each(Object.values(activations) as Activation[])(
  "$name: values and gradients within the error bound on onnxruntime-node",
  async (activation) => {
    const names = [...activation.inputs, ...Object.keys(activation.parameters)];
    const expressions = [activation.expression, ...Object.values(gradientExpressions(activation))];
    const rows = arguments_(activation, points, 7);
    const results = await run(expressions, columns(names, rows));
    expressions.forEach((expression, k) => {
      const [exact, bound] = [compile([expression], names), errorBound(expression, names)];
      rows.forEach((row, i) => {
        const [got, value] = [results[k]![i]!, exact.run(row)[0]!];
        // Beyond float32 the exact result is infinite there.
        if (Math.abs(value) >= 3.4e38) return;
        if (!(Math.abs(got - value) <= bound(row)))
          expect.fail(`output ${k} at ${names} = ${row}: got ${got}, exact ${value}`);
      });
    });
  },
);

test.each(Object.values(activations) as Activation[])("$name: NaN and infinities", async (activation) => {
  const names = [...activation.inputs, ...Object.keys(activation.parameters)];
  const rows = arguments_(activation, specials, 1);
  const [results] = await run([activation.expression], columns(names, rows));
  const exact = compile([activation.expression], names);
  rows.forEach((row, i) => {
    const [got, value] = [results![i]!, exact.run(row)[0]!];
    const close = Number.isFinite(value) && Math.abs(got - value) <= 4 * 2 ** -23 * Math.abs(value);
    expect(close || Object.is(got, value) || got === value, `at ${row}: got ${got}, exact ${value}`).toBe(
      true,
    );
  });
});
