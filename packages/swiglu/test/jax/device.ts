// jax-js on its WebAssembly device, and its functions behind the calls of the conformance suite.
import { defaultDevice, init, type Array as JaxArray, jit, numpy as np, vjp } from "@jax-js/jax";
import type { Activation, ParameterValue } from "../../src/index.js";
import { activate, ffn, gatedFfn, type JaxInputs, type JaxParameters } from "../../src/jax/index.js";
import type { Adapter, AdapterInputs, Block, BlockAdapter } from "../conformance/adapters.js";

type Values = Readonly<Record<string, ParameterValue>>;
type Arrays = Record<string, JaxArray>;

await init("wasm");
defaultDevice("wasm");

export const array = (data: Float32Array, shape: number[] = [data.length]): JaxArray =>
  // jax-js makes no array of no elements from data.
  data.length === 0 ? np.zeros(shape) : np.array(data as Float32Array<ArrayBuffer>, { shape });

/** The data of an array, which is consumed. */
export const read = (result: JaxArray): Float32Array => result.dataSync() as Float32Array;

const scalarOr = (value: ParameterValue): JaxArray =>
  typeof value === "number" ? np.full([], value, { dtype: np.float32 }) : array(value);

/** jax-js arrays for a call: [rows, channels], so that parameters with one value for each channel broadcast. */
function operands(inputs: AdapterInputs, parameters: Values): Arrays {
  const lengths = Object.values(parameters).map((value) => (typeof value === "number" ? 1 : value.length));
  const width = Math.max(1, ...lengths);
  const data: Arrays = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, scalarOr(value)]),
  );
  if ("arrays" in inputs)
    for (const [name, values] of Object.entries(inputs.arrays))
      data[name] = array(values, [values.length / width, width]);
  else data.packed = array(inputs.packed, [...inputs.shape]);
  return data;
}

/** The activation as a function of all arrays by name. */
function asFunction(activation: Activation, inputs: AdapterInputs): (arrays: Arrays) => JaxArray {
  const names = Object.keys(activation.parameters);
  const place = "arrays" in inputs ? {} : { axis: inputs.axis, layout: inputs.layout };
  return (arrays) => {
    const entries = Object.entries(arrays);
    const parameters = Object.fromEntries(entries.filter(([name]) => names.includes(name)));
    const given = Object.fromEntries(entries.filter(([name]) => !names.includes(name)));
    return activate(
      activation,
      { ...given, ...place } as JaxInputs<Activation>,
      parameters as JaxParameters<Activation>,
    );
  };
}

type Gradient = (arrays: Arrays, dy: JaxArray) => Arrays;
interface Functions {
  readonly value: (arrays: Arrays) => JaxArray;
  readonly gradient: Gradient;
}

/** The gradients of sum(dy * f(arrays)) by vjp, as a function of arrays too. */
const pullBack =
  (f: (arrays: Arrays) => JaxArray): Gradient =>
  (arrays, dy) => {
    const [y, pull] = vjp(f, [arrays]);
    y.dispose();
    const [gradients] = pull(dy.reshape(y.shape)) as unknown as [Arrays];
    pull.dispose();
    return gradients;
  };

const readAll = (gradients: Arrays, parameters: Values): Values =>
  Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => {
      const data = read(gradient);
      return [name, typeof parameters[name] === "number" ? (data[0] as number) : data];
    }),
  );

/** The functions behind the calls of the elementwise suite, as they are or under jit. */
export const adapter = (how: "plain" | "jit"): Adapter => {
  const compiled = <F extends (...args: never[]) => JaxArray | Arrays>(f: F): F =>
    how === "jit" ? (jit(f as never) as never) : f;
  /** Functions of one activation and place, so that one which is compiled for some shapes serves all calls with them. */
  const made = new WeakMap<Activation, Map<string, Functions>>();
  const functionsOf = (activation: Activation, inputs: AdapterInputs): Functions => {
    const ofActivation = made.get(activation) ?? new Map<string, Functions>();
    made.set(activation, ofActivation);
    const place = "arrays" in inputs ? "" : `${inputs.layout} ${inputs.axis}`;
    const known = ofActivation.get(place);
    if (known !== undefined) return known;
    const f = asFunction(activation, inputs);
    const functions = { value: compiled(f), gradient: compiled(pullBack(f)) };
    ofActivation.set(place, functions);
    return functions;
  };
  return {
    value: (activation, inputs, parameters) =>
      read(functionsOf(activation, inputs).value(operands(inputs, parameters))),
    gradients: (activation, inputs, dy, parameters) =>
      readAll(functionsOf(activation, inputs).gradient(operands(inputs, parameters), array(dy)), parameters),
  };
};

/** Blocks behind the calls of the suite for blocks. */
export const blockAdapter: BlockAdapter = {
  value: (block, x, rows) => read(blockFunction(block)(blockArrays(block, x, rows))),
  gradients: (block, x, rows, dY) =>
    readAll(pullBack(blockFunction(block))(blockArrays(block, x, rows), array(dY)), block.parameters),
};

function blockFunction({
  activation,
  gated,
  dFf,
  weights,
  parameters,
  layout,
}: Block): (arrays: Arrays) => JaxArray {
  return (arrays) => {
    const pick = (names: object) =>
      Object.fromEntries(Object.keys(names).map((name) => [name, arrays[name] as JaxArray]));
    // Fewer values than the hidden layer has channels repeat, as in the backends; here the caller says so.
    const repeated = Object.fromEntries(
      Object.entries(pick(parameters)).map(([name, value]) => [
        name,
        value.ndim === 0 ? value : np.tile(value, dFf / value.size),
      ]),
    );
    const options = { parameters: repeated, ...(layout === undefined ? {} : { layout }) } as object;
    const x = arrays.x as JaxArray;
    return gated
      ? gatedFfn(activation, x, pick(weights) as never, options)
      : ffn(activation as Activation<"unary">, x, pick(weights) as never, options);
  };
}

function blockArrays({ dModel, dFf, weights, parameters }: Block, x: Float32Array, rows: number): Arrays {
  const shapeOf = (name: string, length: number): number[] => {
    if (name.endsWith("Bias")) return [length];
    const inputs = name === "down" || name === "square" ? dFf : dModel;
    return [inputs, length / inputs];
  };
  return {
    x: array(x, [rows, dModel]),
    ...Object.fromEntries(
      Object.entries(weights).map(([name, data]) => [name, array(data, shapeOf(name, data.length))]),
    ),
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, scalarOr(value)])),
  };
}
