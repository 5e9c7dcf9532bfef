// The bounds that docs/onnx.md states: fast mode, and the element types other than float32.
import { describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  compile,
  errorBound,
  errorScale,
  evaluate,
  float64,
} from "../../src/index.js";
import {
  activationGraph,
  encodeModel,
  type Model,
  toFile,
  toModel,
  typedArray,
} from "../../src/onnx-entry.js";
import { hardPoints, plainFloats } from "../conformance/samples.js";
import { half, type Load, runtimes } from "./runtime.js";

const all = Object.values(activations) as Activation[];
const limit = 1e4;
const points = [
  ...hardPoints.filter((x) => Math.abs(x) <= limit),
  ...plainFloats(700, 1, 20),
  ...plainFloats(200, 2, 1),
];

interface Samples {
  /** One array for each input, all of one length. */
  readonly inputs: readonly Float32Array[];
  /** The exact value there, in float64, and the values of inputs and parameters. */
  readonly exact: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

/** Points for an activation, each rounded as `round` does; pairs of gate and up are drawn at random. */
function samples(activation: Activation, round: (x: number) => number): Samples {
  const shuffled = plainFloats(2 * points.length, 3, points.length / 2).map((x) => Math.abs(Math.floor(x)));
  const inputs = activation.inputs.map((_, k) =>
    Float32Array.from(points, (x, i) => round(k === 0 ? x : (points[shuffled[i] as number] as number))),
  );
  const rows = points.map((_, i) => inputs.map((data) => data[i] as number));
  const exact = rows.map((row) =>
    evaluate(activation, Object.fromEntries(activation.inputs.map((name, k) => [name, row[k]])) as never),
  );
  return { inputs, exact, rows };
}

async function run(
  load: Load,
  file: Uint8Array,
  activation: Activation,
  { inputs }: Samples,
  dtype?: "float16" | "float64",
) {
  const loaded = await load(file, dtype);
  const feeds = inputs.map((data, k) => [activation.inputs[k] as string, { data, shape: [data.length] }]);
  return (await loaded(Object.fromEntries(feeds))).y as Float64Array;
}

/** Checks every result: NaN never, and the error within the bound, a function of the point. */
function expectWithin(
  activation: Activation,
  got: Float64Array,
  { exact, rows }: Samples,
  bound: (row: readonly number[], value: number) => number,
) {
  const parameters = Object.values(activation.parameters).map(Math.fround);
  rows.forEach((row, i) => {
    const value = exact[i] as number;
    const error = Math.abs((got[i] as number) - value);
    const allowed = bound([...row, ...parameters], value);
    if (!(error <= allowed))
      expect.fail(`${activation.name} at ${row}: got ${got[i]}, exact ${value}, allowed ${allowed}`);
  });
}

/** |f| + sum |v df/dv| + max(1, |x|) max(1, |up|): what an error of the operators inside is multiplied by. */
function fastScale(activation: Activation) {
  const scale = compile(
    [errorScale(activation.expression)],
    [...activation.inputs, ...Object.keys(activation.parameters)],
  );
  return (row: readonly number[]): number =>
    (scale.run(row)[0] as number) +
    activation.inputs.reduce((product, _, k) => product * Math.max(1, Math.abs(row[k] as number)), 1);
}

describe.each([
  ["onnxruntime-node", 21],
  ["onnxruntime-node", 24],
  ["onnxruntime-web", 13],
  ["onnxruntime-web", 26],
] as const)("fast on %s, opset %i", (runtime, opset) => {
  test.each(all)("$name: error within 2^-22 of the scale", async (activation) => {
    const at = samples(activation, Math.fround);
    const file = toFile(activationGraph(activation), { opset, math: "fast" });
    const scale = fastScale(activation);
    expectWithin(
      activation,
      await run(runtimes[runtime], file, activation, at),
      at,
      (row) => 2 ** -22 * scale(row),
    );
  });
});

const toFloat16 = (x: number): number => half(typedArray("float16", [x])[0] as number);
/** The error of the float32 result, then half a step of the 16-bit type; beyond its largest number everything is right. */
function roundedOnce(activation: Activation, fraction: number, smallest: number, largest: number) {
  const inner = errorBound(activation.expression, [
    ...activation.inputs,
    ...Object.keys(activation.parameters),
  ]);
  return (row: readonly number[], value: number): number =>
    Math.abs(value) > largest ? Infinity : inner(row) + 2 ** -(fraction + 1) * Math.abs(value) + smallest / 2;
}

describe.each(["onnxruntime-node", "onnxruntime-web"] as const)("float16 on %s", (runtime) => {
  test.each(all)("$name: exact is the float32 result, rounded once", async (activation) => {
    const at = samples(activation, toFloat16);
    const file = toFile(activationGraph(activation), { dtype: "float16", math: "exact" });
    const got = await run(runtimes[runtime], file, activation, at, "float16");
    expectWithin(activation, got, at, roundedOnce(activation, 10, 2 ** -24, 65504));
  });

  test.each(all)("$name: fast within 2^-9 of the scale", async (activation) => {
    const at = samples(activation, toFloat16);
    const file = toFile(activationGraph(activation), { dtype: "float16", math: "fast" });
    const got = await run(runtimes[runtime], file, activation, at, "float16");
    const scale = fastScale(activation);
    expectWithin(activation, got, at, (row) => (scale(row) > 65504 ? Infinity : 2 ** -9 * scale(row)));
  });
});

/** A bfloat16 model between conversions from and to float32, since the runtimes take no bfloat16 from JavaScript. */
function betweenCasts(model: Model): Model {
  const cast = (from: string, to: string, type: 1 | 16) =>
    ({ opType: "Cast", inputs: [from], outputs: [to], attributes: { to: { int: type } } }) as const;
  return {
    ...model,
    inputs: model.inputs.map((info) => ({ ...info, name: `${info.name}32`, dtype: "float32" })),
    outputs: [{ name: "y32", dtype: "float32", shape: ["count"] }],
    nodes: [
      ...model.inputs.map(({ name }) => cast(`${name}32`, name, 16)),
      ...model.nodes,
      cast("y", "y32", 1),
    ],
  };
}

test.each(all)(
  "bfloat16 on onnxruntime-node, $name: exact is the float32 result, rounded once",
  async (activation) => {
    const at = samples(activation, (x) => {
      const bits = typedArray("bfloat16", [x])[0] as number;
      return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] as number; // bfloat16 is float32's upper half
    });
    const model = toModel(activationGraph(activation), { dtype: "bfloat16", math: "exact", opset: 13 });
    const loaded = await runtimes["onnxruntime-node"](encodeModel(betweenCasts(model)));
    const feeds = at.inputs.map((data, k) => [`${activation.inputs[k]}32`, { data, shape: [data.length] }]);
    const { y32 } = await loaded(Object.fromEntries(feeds));
    expectWithin(activation, y32 as Float64Array, at, roundedOnce(activation, 7, 2 ** -133, 3.3895e38));
  },
);

/** ONNX Runtime has no float64 kernel for Atan. */
const withoutFloat64 = new Set(["xatlu"]);
test.each(all)("float64 on onnxruntime-node, $name", async (activation) => {
  const graph = activationGraph(activation);
  const load = runtimes["onnxruntime-node"];
  if (withoutFloat64.has(activation.name)) {
    await expect(load(toFile(graph, { dtype: "float64" }))).rejects.toThrow(/Atan/);
    return;
  }
  const at = samples(activation, (x) => x);
  const got = await run(load, toFile(graph, { dtype: "float64" }), activation, at, "float64");
  const variables = [...activation.inputs, ...Object.keys(activation.parameters)];
  const bound = errorBound(activation.expression, variables, float64);
  const parameters = Object.values(activation.parameters);
  // Both sides are within the bound of the truth.
  expectWithin(
    activation,
    got,
    at,
    (row) => 2 * bound([...row.slice(0, activation.inputs.length), ...parameters]),
  );
});
