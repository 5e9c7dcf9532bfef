// Gradients beyond the shared suite: of the second and third order against float64, at extremes, through fixed parameters.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  asGated,
  bilinear,
  compile,
  defineActivation,
  differentiate,
  expressions as e,
  errorBound,
  gradientExpressions,
  silu,
  swiglu,
  swish,
} from "../../src/index.js";
import { activate, activatePacked, gatedFfn } from "../../src/tfjs/index.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { backends, useBackend } from "./backends.js";

const sample: readonly Activation[] = [
  ...["swish", "gelu", "mish", "xatlu", "xielu", "softplus", "tanh"],
  ...["swiglu", "geglu", "situGlu", "swigluOai", "swigluBlend", "selfGlu", "bilinear"],
].map((name) => activations[name as keyof typeof activations]);

const count = 37;

/** Inputs and per-channel parameters as [1, count] and [count], so that every element has parameters of its own. */
function variablesOf(activation: Activation) {
  const inputs = activation.inputs.map((name, i) => [name, plainFloats(count, 5 + i, 8)] as const);
  const parameters = Object.entries(activation.parameters).map(
    ([name, value], i) =>
      [name, plainFloats(count, 50 + i).map((v) => (value || 0.5) * (1.5 + v / 2))] as const,
  );
  const names = [...inputs, ...parameters].map(([name]) => name);
  const data = [...inputs, ...parameters].map(([, values]) => values);
  return {
    names,
    data,
    tensors: data.map((values, i) => tf.tensor(values, i < inputs.length ? [1, count] : [count])),
  };
}

function applied(activation: Activation, names: readonly string[], tensors: readonly tf.Tensor[]): tf.Tensor {
  const given = Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
  const pick = (wanted: readonly string[]) =>
    Object.fromEntries(wanted.map((name) => [name, given[name]])) as never;
  return activate(activation, pick(activation.inputs), pick(Object.keys(activation.parameters)));
}

describe.each(backends)("gradients on the %s backend", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(sample)("$name: all second derivatives within 4 units of float64", (activation) => {
    const { names, data, tensors } = variablesOf(activation);
    const slopes = gradientExpressions(activation);
    const c = plainFloats(count, 99);
    names.forEach((outer, k) => {
      const gradients = tf.tidy(() => {
        const first = (...values: tf.Tensor[]) =>
          tf.sum(
            tf.mul(
              tf.grads((...inner: tf.Tensor[]) => tf.sum(applied(activation, names, inner)))(values)[
                k
              ] as tf.Tensor,
              tf.tensor(c),
            ),
          );
        return tf
          .grads(first)(tensors)
          .map((gradient) => gradient.dataSync<"float32">());
      });
      names.forEach((inner, j) => {
        const second = e.mul("c", differentiate(slopes[outer] as e.Expr, inner));
        const all = [...names, "c"];
        const [exact, bound] = [compile([second], all), errorBound(second, all)];
        for (let i = 0; i < count; i++) {
          const point = [...data.map((values) => values[i] as number), c[i] as number];
          const [got, value] = [(gradients[j] as Float32Array)[i] as number, exact.run(point)[0] as number];
          const where = `d2/d${outer} d${inner} at ${all} = ${point}: got ${got}, exact ${value}`;
          expect(Math.abs(got - value) <= bound(point), where).toBe(true);
        }
      });
    });
  });

  test("silu's third derivative", () => {
    const x = plainFloats(count, 3, 6);
    const third = differentiate(differentiate(differentiate(silu.expression, "x"), "x"), "x");
    const f = (x: tf.Tensor) => activate(silu, { x });
    const g = tf.grad((x) => tf.grad((x) => tf.grad(f)(x))(x));
    const got = tf.tidy(() => g(tf.tensor(x)).dataSync());
    const [exact, bound] = [compile([third], ["x"]), errorBound(third, ["x"])];
    x.forEach((v, i) => {
      expect(Math.abs((got[i] as number) - (exact.run([v])[0] as number))).toBeLessThanOrEqual(bound([v]));
    });
  });

  test("swish and swiglu are finite to the second order where others give NaN", () => {
    const extremes = [-90, -100, -200, -1e4, -1e30, 90, 1e4, 1e30, 3.4e38, -3.4e38, 0];
    tf.tidy(() => {
      const x = tf.tensor1d(extremes);
      const beta = tf.scalar(1);
      const first = tf.grads((x: tf.Tensor, beta: tf.Tensor) => activate(swish, { x }, { beta }));
      const second = tf.grad((x) => first([x, beta])[0] as tf.Tensor);
      const up = tf.onesLike(x);
      const gated = tf.grads((gate: tf.Tensor, up: tf.Tensor) => activate(swiglu, { gate, up }))([x, up]);
      for (const each of [first([x, beta])[0], second(x), ...gated])
        expect([...(each as tf.Tensor).dataSync()].every(Number.isFinite), String(each)).toBe(true);
      expect([...(first([x, beta])[0] as tf.Tensor).dataSync()].slice(3)).toEqual([0, 0, 1, 1, 1, 1, 0, 0.5]);
    });
  });

  test("a number as parameter gives what a tensor gives, and is not differentiated", () => {
    tf.tidy(() => {
      const [gate, up] = [tf.tensor(plainFloats(6, 1, 4), [2, 3]), tf.tensor(plainFloats(6, 2, 4), [2, 3])];
      const fixed = activate(swiglu, { gate, up }, { beta: 1.5 });
      const scalar = activate(swiglu, { gate, up }, { beta: tf.scalar(1.5) });
      const one = activate(swiglu, { gate, up }, { beta: tf.tensor1d([1.5]) });
      const channels = activate(swiglu, { gate, up }, { beta: tf.tensor1d([1.5, 1.5, 1.5]) });
      for (const other of [scalar, one, channels]) expect(other.dataSync()).toEqual(fixed.dataSync());
    });
  });

  test("a packed tensor differentiates to the second order", () => {
    tf.tidy(() => {
      const halves = [1, 2].map((seed) => tf.tensor(plainFloats(6, seed, 4), [2, 3]));
      const packed = tf.concat(halves, 1);
      const twice = (f: (...x: tf.Tensor[]) => tf.Tensor) =>
        tf.grads((...x: tf.Tensor[]) => tf.sum(tf.square(tf.concat(tf.grads(f)(x), 1))));
      const [whole] = twice((p) => activatePacked(swiglu, p as tf.Tensor, { layout: "gate-first" }))([
        packed,
      ]);
      const parts = twice((gate, up) => activate(swiglu, { gate: gate as tf.Tensor, up: up as tf.Tensor }))(
        halves,
      );
      expect((whole as tf.Tensor).dataSync()).toEqual(tf.concat(parts, 1).dataSync());
    });
  });

  test("a block differentiates to the second order, as plain operations do", () => {
    tf.tidy(() => {
      const shapes = [[5, 3], [3, 7], [3, 7], [7, 3], [7], [7], [3]];
      const tensors = shapes.map((shape, i) =>
        tf.tensor(
          plainFloats(
            shape.reduce((a, b) => a * b),
            i,
          ),
          shape,
        ),
      );
      type Tensors = readonly tf.Tensor[];
      const ours = ([x, gate, up, down, gateBias, upBias, downBias]: Tensors) =>
        gatedFfn(bilinear, x as tf.Tensor, { gate, up, down, gateBias, upBias, downBias } as never);
      // Without any function whose second derivative TensorFlow.js itself gets wrong, such as its sigmoid.
      const plain = ([x, gate, up, down, gateBias, upBias, downBias]: Tensors) => {
        const affine = (a?: tf.Tensor, b?: tf.Tensor, c?: tf.Tensor) =>
          tf.add(tf.matMul(a as tf.Tensor, b as tf.Tensor), c as tf.Tensor);
        return affine(tf.mul(affine(x, gate, gateBias), affine(x, up, upBias)), down, downBias);
      };
      const twice = (f: (t: Tensors) => tf.Tensor) => {
        const first = tf.grads((...t: tf.Tensor[]) => tf.sum(tf.square(f(t))));
        return tf.grads((...t: tf.Tensor[]) => tf.addN(first(t).map((slope) => tf.sum(tf.square(slope)))))(
          tensors,
        );
      };
      const [got, wanted] = [twice(ours), twice(plain)];
      got.forEach((gradient, i) => {
        expectArrayClose(gradient.dataSync(), (wanted[i] as tf.Tensor).dataSync(), 1e-5, `tensor ${i}`);
      });
    });
  });

  test("whole numbers are taken as float32", () => {
    tf.tidy(() => {
      const gate = tf.tensor1d([1, 2, 3], "int32");
      const y = activate(swiglu, { gate, up: gate }, { beta: tf.scalar(2, "int32") });
      const floats = activate(swiglu, { gate: gate.toFloat(), up: gate.toFloat() }, { beta: 2 });
      expect(y.dtype).toBe("float32");
      expect(y.dataSync()).toEqual(floats.dataSync());
    });
  });

  test("minimum and maximum keep a NaN of either operand", () => {
    const nan = Number.NaN;
    for (const build of [e.min, e.max]) {
      const either = defineActivation({ name: "either", kind: "gated", expression: build("gate", "up") });
      tf.tidy(() => {
        const inputs = { gate: tf.tensor1d([nan, 1, nan, 2]), up: tf.tensor1d([1, nan, nan, 2]) };
        expect([...activate(either, inputs).dataSync()]).toEqual([nan, nan, nan, 2]);
        const limit = activate(activations.swigluClamped, inputs, { limit: tf.scalar(nan) });
        expect([...limit.dataSync()]).toEqual([nan, nan, nan, nan]);
      });
    }
  });

  test("nothing stays behind", () => {
    const x = tf.tensor(plainFloats(8, 1), [2, 4]);
    const gated = asGated(activations.gelu);
    const run = () =>
      tf.tidy(() => {
        const y = activatePacked(gated, x, { layout: "interleaved" });
        const g = tf.grad((x) =>
          tf.sum(tf.grad((x) => activatePacked(gated, x, { layout: "interleaved" }))(x)),
        )(x);
        return y.size + g.size;
      });
    run();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) run();
    expect(tf.memory().numTensors).toBe(before);
    activate(activations.gelu, { x }).dispose();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

test("mistakes", async () => {
  await useBackend("cpu");
  const [gate, up] = [tf.ones([2, 3]), tf.ones([2, 4])];
  const wrong = <T>(value: unknown): T => value as T;
  expect(() => activate(swiglu, { gate, up })).toThrow("gate has shape [2,3], up [2,4]: they must be equal");
  expect(() => activate(swiglu, wrong({ gate, upp: gate }))).toThrow(
    "unknown input upp: swiglu takes gate and up",
  );
  expect(() => activate(swiglu, wrong({ gate }))).toThrow("up is missing: expected a tf.Tensor");
  expect(() => activate(swiglu, { gate, up: gate }, { beta: tf.ones([2]) })).toThrow(
    "parameter beta has shape [2], expected [], [1] and [3]: one value, or one for each channel of the last axis",
  );
  expect(() => activate(swiglu, { gate, up: gate }, wrong({ bata: 1 }))).toThrow("unknown parameter bata");
  expect(() => activate(swiglu, { gate, up: gate }, { beta: Number.NaN })).toThrow("parameter beta is NaN");
  expect(() => activatePacked(swiglu, gate, { layout: "gate-first" })).toThrow("3 elements along axis -1");
  expect(() => activatePacked(swiglu, up, wrong({ layout: "first" }))).toThrow(
    'layout is "first", expected gate-first',
  );
  expect(() => activatePacked(wrong<typeof swiglu>(silu), up, { layout: "gate-first" })).toThrow(
    "silu is unary and takes x",
  );
});
