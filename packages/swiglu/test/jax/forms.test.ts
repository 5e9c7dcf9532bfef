// Each operation of expressions alone, those that no activation uses included: value and slope within the bound.
// Operations that are slopes themselves are held to it in value only: their own slopes are of second order.
import { grad, type Array as JaxArray } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { compile, differentiate, expressions as e, errorBound, type Operation } from "../../src/index.js";
import { emit } from "../../src/jax/emit.js";
import { expectClose } from "../conformance/expect.js";
import { hardPoints } from "../conformance/samples.js";
import { array, read } from "./device.js";

const x = e.variable("x");
const positive = e.add(e.abs("x"), 0.5);
const operations: { readonly [O in Operation]: e.Expr } = {
  neg: e.neg(x),
  abs: e.abs(x),
  exp: e.exp(x),
  expm1: e.expm1(x),
  expResidual: e.expResidual(x),
  log: e.log(positive),
  sqrt: e.sqrt(positive),
  sigmoid: e.sigmoid(x),
  sigmoidSlope: e.sigmoidSlope(x),
  softplus: e.softplus(x),
  tanh: e.tanh(x),
  tanhResidual: e.tanhResidual(x),
  normalCdf: e.normalCdf(x),
  atan: e.atan(x),
  atlu: e.atlu(x),
  atluSlope: e.atluSlope(x),
  relu: e.relu(x),
  add: e.add(x, 1.5),
  sub: e.sub(1.5, x),
  mul: e.mul(x, x),
  div: e.div(1.5, positive),
  min: e.min(x, e.mul(0.5, x)),
  max: e.max(x, e.mul(0.5, x)),
  softClamp: e.softClamp(x, 4),
  clamp: e.clamp(x, -3, 7),
  selectGreater: e.selectGreater(x, 0, e.sqrt(e.abs(x)), e.expm1(e.max(x, -80))),
};

/** Below a factor of two from overflow, which the slope of the squared exponential needs. */
const points = Float32Array.from(hardPoints.filter((v) => Math.abs(v) <= 1e10 && v !== 88.7));

describe.each(Object.entries(operations))("%s", (name, expression) => {
  const slope = differentiate(expression, "x");
  const value = (v: JaxArray): JaxArray => emit(expression, { x: v });
  const checks = [
    ["value", expression, value],
    ["slope", slope, grad((v: JaxArray) => value(v).sum())],
  ] as const;
  test.each(
    name === "atluSlope" || name === "sigmoidSlope" || name === "tanhResidual" ? checks.slice(0, 1) : checks,
  )("%s", (_, exact, compute) => {
    const [tape, bound] = [compile([exact], ["x"]), errorBound(exact, ["x"])];
    read(compute(array(points))).forEach((got, i) => {
      const at = [points[i] as number];
      expectClose(got, tape.run(at)[0] as number, bound(at), () => `${name} at ${at}`);
    });
  });
});

test("NaN in a comparison gives NaN", () => {
  const chosen = e.selectGreater("x", 0, 1, 2);
  expect(Array.from(read(emit(chosen, { x: array(Float32Array.of(Number.NaN, 1, -1)) })))).toEqual([
    Number.NaN,
    1,
    2,
  ]);
});

test("the logarithm at its edges", () => {
  const values = Float32Array.of(0, -1, Infinity, 1e-45, 3e38, 1);
  const got = read(emit(e.log("x"), { x: array(values) }));
  expect([...got.slice(0, 3)]).toEqual([-Infinity, Number.NaN, Infinity]);
  [3, 4, 5].forEach((i) => {
    expect(got[i]).toBeCloseTo(Math.log(values[i] as number), 4);
  });
});
