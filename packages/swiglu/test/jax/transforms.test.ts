// Under jax-js's transformations: grad, jvp, vmap, jit, and derivatives of second order, against float64.
import { grad, hessian, type Array as JaxArray, jit, jvp, nn, numpy as np, tree, vmap } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  compile,
  differentiate,
  type expressions as e,
  errorBound,
  evaluate,
  gradient,
  gradientExpressions,
  silu,
  swiglu,
  swish,
} from "../../src/index.js";
import { activate, functions, gatedFfn, type JaxInputs, jaxFunction } from "../../src/jax/index.js";
import { oneOf, slowExtent } from "../conformance/extent.js";
import { plainFloats } from "../conformance/samples.js";
import { array, read } from "./device.js";

type Arrays = Record<string, JaxArray>;

const far = Float32Array.of(-200, -100, -90, -1e4, 1e4, 100, 0, -1);

test("jax-js's own silu gives NaN there, so there is something to mend", () => {
  const slopes = read(grad((x: JaxArray) => nn.silu(x).sum())(array(far)));
  expect(Array.from(slopes, Number.isNaN)).toEqual([true, true, true, true, false, false, false, false]);
});

describe.each([
  ["grad", (f: (x: JaxArray) => JaxArray) => grad(f)],
  ["jit of grad", (f: (x: JaxArray) => JaxArray) => jit(grad(f))],
  ["grad of jit", (f: (x: JaxArray) => JaxArray) => grad(jit(f) as typeof f)],
])("%s", (_, transform) => {
  const unary = Object.entries(activations).filter(([, { kind }]) => kind === "unary");
  test.each(unary)("%s: right at -200, -100, -90, -1e4, 1e4", (name, activation) => {
    const f = functions[name as "silu"];
    const slopes = read(transform((x) => f(x).sum())(array(far)));
    const exact = compile(
      [gradientExpressions(activation).x as e.Expr],
      ["x", ...Object.keys(activation.parameters)],
    );
    const bound = errorBound(gradientExpressions(activation).x as e.Expr, [
      "x",
      ...Object.keys(activation.parameters),
    ]);
    far.forEach((x, i) => {
      const point = [x, ...Object.values(activation.parameters).map(Math.fround)];
      expect(Math.abs((slopes[i] as number) - (exact.run(point)[0] as number))).toBeLessThanOrEqual(
        bound(point),
      );
    });
  });
});

test("vmap over gate and up with one beta, and over betas with one gate and up", () => {
  const f = jaxFunction(swiglu);
  const [gate, up] = [plainFloats(6, 1, 4), plainFloats(6, 2, 4)];
  const rows = vmap((g: JaxArray, u: JaxArray, beta: JaxArray) => f(g, u, { beta }), [0, 0, null]);
  const y = rows(array(gate, [2, 3]), array(up, [2, 3]), np.array(1.5));
  expect(y.shape).toEqual([2, 3]);
  const together = f(array(gate, [2, 3]), array(up, [2, 3]), { beta: 1.5 });
  expect(read(y)).toEqual(read(together));

  const betas = Float32Array.of(0.5, 1, 2);
  const each = vmap((g: JaxArray, u: JaxArray, beta: JaxArray) => f(g, u, { beta }), [null, null, 0]);
  const all = read(each(array(gate), array(up), array(betas)));
  betas.forEach((beta, k) => {
    expect(all.slice(6 * k, 6 * k + 6)).toEqual(read(f(array(gate), array(up), { beta })));
  });
});

test("vmap of packed halves splits each row", () => {
  const packed = plainFloats(12, 3);
  const glu = (p: JaxArray) => activate(swiglu, { packed: p, layout: "interleaved" });
  const rows = vmap(glu)(array(packed, [2, 6]));
  expect(rows.shape).toEqual([2, 3]);
  expect(read(rows)).toEqual(read(glu(array(packed, [2, 6]))));
});

test("gradients per example, by vmap of grad, in gate, up and beta", () => {
  const [gate, up] = [plainFloats(5, 1, 4), plainFloats(5, 2, 4)];
  const f = (point: { g: JaxArray; u: JaxArray; beta: JaxArray }) =>
    functions.swiglu(point.g, point.u, { beta: point.beta });
  const { g, u, beta } = vmap(grad(f), [{ g: 0, u: 0, beta: null }])({
    g: array(gate),
    u: array(up),
    beta: np.array(1.5),
  });
  const got = { gate: read(g), up: read(u), beta: read(beta) };
  gate.forEach((value, i) => {
    const exact = gradient(swiglu, { gate: value, up: up[i] as number }, { beta: 1.5 });
    for (const name of ["gate", "up", "beta"] as const) expect(got[name][i]).toBeCloseTo(exact[name], 5);
  });
});

test("a block under vmap, one row at a time, and its gradients under jit", () => {
  const weights = () => ({
    gate: array(plainFloats(6, 1), [2, 3]),
    up: array(plainFloats(6, 2), [2, 3]),
    down: array(plainFloats(6, 3), [3, 2]),
    downBias: array(plainFloats(2, 4)),
  });
  const x = () => array(plainFloats(10, 5), [5, 2]);
  const block = (v: JaxArray, w: ReturnType<typeof weights>) => gatedFfn(swiglu, v, w);
  const rows = read(vmap(block, [0, null as never])(x(), weights()));
  const together = read(block(x(), weights()));
  rows.forEach((value, i) => {
    expect(value).toBeCloseTo(together[i] as number, 6);
  });
  const slopes = grad((w: ReturnType<typeof weights>) => block(x(), w).sum());
  const [plain, compiled] = [slopes(weights()), jit(slopes)(weights())];
  for (const name of ["gate", "up", "down", "downBias"] as const) {
    const expected = read(plain[name]);
    read(compiled[name]).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 5);
    });
  }
});

test("jvp: value and slope in a direction of beta", () => {
  const x = Float32Array.of(-3, 0.5, 90);
  const f = (values: JaxArray, beta: JaxArray) => functions.swish(values, { beta });
  const [y, dy] = jvp(f, [array(x), np.array(0.5)], [np.zeros([3]), np.array(1)]);
  const [values, slopes] = [read(y), read(dy)];
  x.forEach((v, i) => {
    expect(values[i]).toBeCloseTo(evaluate(swish, { x: v }, { beta: 0.5 }), 5);
    expect(slopes[i]).toBeCloseTo(gradient(swish, { x: v }, { beta: 0.5 }).beta, 5);
  });
});

/** Points on both sides of every kink and threshold, and some at them. */
const curved = Float32Array.of(
  -200,
  -90,
  -30,
  -4,
  -1.5,
  -1,
  -0.6,
  -0.3,
  -1e-3,
  0,
  1e-3,
  0.4,
  0.5,
  1,
  1.2,
  3,
  40,
  1e4,
);

/** Every second derivative at every point, by vmap of grad of grad; in one record, since grad holds other arguments fixed. */
function curvatures(activation: Activation, first: string, columns: Arrays): Arrays {
  const f = (point: Arrays): JaxArray => {
    const pick = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, point[name] as JaxArray]));
    return activate(
      activation,
      pick(activation.inputs) as JaxInputs<Activation>,
      pick(Object.keys(activation.parameters)),
    );
  };
  const slope = (point: Arrays): JaxArray => {
    const { [first]: wanted, ...others } = grad(f)(point) as Arrays;
    tree.dispose(others);
    return wanted as JaxArray;
  };
  return vmap(jit(grad(slope)) as (point: Arrays) => Arrays)(columns);
}

/**
 * Derivatives of first order hold the design's bound, in the suite. Those of second order are sums of terms as large as
 * the slopes, so a few units of these come on top.
 */
describe("second derivatives, within 8 units of themselves and of the slopes", () => {
  const turned = Object.entries(activations).map(([name, activation], turn) => ({ name, activation, turn }));
  test.each(turned)("$name", ({ activation, turn }: { activation: Activation; turn: number }) => {
    const variables = [...activation.inputs, ...Object.keys(activation.parameters)];
    const ups = curved.map((v) => Math.abs(v) / 50 + 0.25);
    const values = [
      ...activation.inputs.map((_, i) => (i === 0 ? curved : ups)),
      ...Object.values(activation.parameters).map((v) => new Float32Array(curved.length).fill(v || 0.5)),
    ];
    const slopes = gradientExpressions(activation);
    for (const first of oneOf(variables, { extent: slowExtent, turn })) {
      const columns = Object.fromEntries(
        variables.map((name, i) => [name, array(values[i] as Float32Array)]),
      );
      const all = curvatures(activation, first, columns);
      for (const second of variables) {
        const curvature = differentiate(slopes[first] as e.Expr, second);
        const tape = compile([curvature, slopes[first] as e.Expr, slopes[second] as e.Expr], variables);
        const bound = errorBound(curvature, variables);
        read(all[second] as JaxArray).forEach((got, at) => {
          const point = values.map((column) => column[at] as number);
          const [exact = 0, one = 0, other = 0] = tape.run(point);
          const most = 2 * (bound(point) + 4 * 2 ** -23 * (Math.abs(one) + Math.abs(other)));
          const where = `d2/d${first} d${second} at ${variables} = ${point}: got ${got}, exact ${exact}`;
          expect(Math.abs(got - exact), where).toBeLessThanOrEqual(most);
        });
      }
    }
  });
});

test("a hessian, as a whole", () => {
  const H = hessian((x: JaxArray) => functions.silu(x).sum())(array(Float32Array.of(-90, 0, 2)));
  const second = differentiate(gradientExpressions(silu).x as e.Expr, "x");
  const tape = compile([second], ["x"]);
  const got = read(H);
  [-90, 0, 2].forEach((x, i) => {
    expect(got[3 * i + i]).toBeCloseTo(tape.run([x])[0] as number, 6);
    expect(got[3 * i + ((i + 1) % 3)]).toBe(0);
  });
});
