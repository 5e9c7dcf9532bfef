// Published numbers, and the mistakes that others shipped (each was a bug in some library), as tests.
import { describe, expect, it } from "vitest";
import type { Activation } from "../../src/catalogue/activation.js";
import { activations } from "../../src/catalogue/catalogue.js";
import { evaluateAt, gradientAt } from "./scalars.js";

/** Equal to the digits given, in relative terms. */
function expectDigits(own: number, published: number, digits: number): void {
  expect(Math.abs(own / published - 1), `${own}, published ${published}`).toBeLessThan(
    0.5 * 10 ** (1 - digits),
  );
}

describe("published numbers", () => {
  it("silu has its minimum -0.278465 at -1.278465 (Hendrycks and Gimpel; Elfwing et al.)", () => {
    expectDigits(evaluateAt(activations.silu, { x: -1.278465 }), -0.278465, 6);
    expect(gradientAt(activations.silu, { x: -1.27846 }).x).toBeGreaterThan(0);
    expect(gradientAt(activations.silu, { x: -1.27847 }).x).toBeLessThan(0);
  });

  it("gelu(1) = 0.841345, gelu(-1) = -0.158655; the tanh form 0.841192 and -0.158808", () => {
    expectDigits(evaluateAt(activations.gelu, { x: 1 }), 0.841345, 6);
    expectDigits(evaluateAt(activations.gelu, { x: -1 }), -0.158655, 6);
    expectDigits(evaluateAt(activations.geluTanh, { x: 1 }), 0.841192, 6);
    expectDigits(evaluateAt(activations.geluTanh, { x: -1 }), -0.158808, 6);
  });

  it("mish has its minimum -0.30884 at -1.19246 (Misra)", () => {
    expectDigits(evaluateAt(activations.mish, { x: -1.19246 }), -0.30884, 5);
    expect(Math.abs(gradientAt(activations.mish, { x: -1.19246 }).x!)).toBeLessThan(1e-5);
  });

  it("selu keeps its fixed point's scale: 1.0507009873554805 for x > 0, and -1.7580993 far below", () => {
    expect(evaluateAt(activations.selu, { x: 1 })).toBe(1.0507009873554805);
    expectDigits(evaluateAt(activations.selu, { x: -60 }), -1.7580993408473766, 15);
  });
});

describe("PyTorch 2.13.0 in float64: values and gradients, kinks included", () => {
  // F.leaky_relu (0.01), F.relu6, torch.clip(F.gelu(x), -10, 10), transformers' laplace with its default mu and sigma
  const unary: Readonly<Record<string, readonly (readonly [x: number, value: number, slope: number])[]>> = {
    leakyRelu: [
      [-3, -0.03, 0.01],
      [0, 0, 0.01],
      [0.25, 0.25, 1],
    ],
    relu6: [
      [-1, 0, 0],
      [0, 0, 0],
      [2.5, 2.5, 1],
      [6, 6, 0],
      [7, 6, 0],
    ],
    gelu10: [
      [-3, -0.00404969409489031, -0.01194564720418392],
      [-0.5, -0.15426876936299344, 0.13250487534383712],
      [0, 0, 0.5],
      [2.5, 2.4844758366855597, 1.037611085908145],
      [10, 10, 1],
      [12, 10, 0],
    ],
    laplace: [
      [0, 0.006094459617935588, 0.06111382879472588],
      [0.5, 0.23142114841057387, 1.0801140509582396],
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: these are the published digits, not the constant's.
      [0.707107, 0.5, 1.4142125184828964],
      [1, 0.8504296492845703, 0.8249457674635579],
      [2.5, 0.9999999998962167, 2.393573177775307e-9],
    ],
  };
  for (const [name, rows] of Object.entries(unary))
    it(name, () => {
      const activation = activations[name as "relu6"];
      for (const [x, value, slope] of rows) {
        expect(evaluateAt(activation, { x }), `at ${x}`).toBeCloseTo(value, 13);
        expect(gradientAt(activation, { x }).x, `slope at ${x}`).toBeCloseTo(slope, 13);
      }
    });

  type Row = readonly [gate: number, up: number, value: number, inGate: number, inUp: number];
  const expectRows = (activation: Activation, parameters: Record<string, number>, rows: readonly Row[]) => {
    for (const [gate, up, value, inGate, inUp] of rows) {
      const point = { gate, up, ...parameters };
      expect(evaluateAt(activation, point), `at ${gate}, ${up}`).toBeCloseTo(value, 11);
      const slopes = gradientAt(activation, point);
      expect(slopes.gate, `slope in gate at ${gate}, ${up}`).toBeCloseTo(inGate, 11);
      expect(slopes.up, `slope in up at ${gate}, ${up}`).toBeCloseTo(inUp, 11);
    }
  };
  it("reglu2 is torch.square(F.relu(gate)) * up", () =>
    expectRows(activations.reglu2, {}, [
      [1.5, -2, -4.5, -6, 2.25],
      [-1.5, 2, 0, 0, 0],
      [0, 3, 0, 0, 0],
      [4, -5, -80, -40, 16],
    ]));
  it("Phi-3-small's gegelu is swigluOai with limit 20", () =>
    expectRows(activations.swigluOai, { limit: 20 }, [
      [1.5, -2, -1.3916621984470765, -1.098848064624103, 1.3916621984470765],
      [25, 3, 79.99999999999987, 0, 19.999999999999968],
      [20, -20, -379.9999999999994, -19.000000000000977, 19.999999999999968],
      [2, 30, 40.64883108602837, 22.550122440479377, 0],
    ]));
  it("activation_beta 0 is swigluOai with offset 0", () =>
    expectRows(activations.swigluOai, { offset: 0 }, [
      [1.5, -2, -2.783324396894153, -2.197696129248206, 1.3916621984470765],
      [8, 3, 20.999859384909954, 0, 6.999953128303318],
      [2, 9, 13.549610362009458, 7.516707480159792, 0],
    ]));
});

describe("mistakes that others shipped", () => {
  it("the gradient of silu at -90, -100, -200 is finite and right, not NaN", () => {
    for (const x of [-90, -100, -200])
      expectDigits(gradientAt(activations.silu, { x }).x!, (1 + x) * Math.exp(x), 15);
  });

  it("exp(v) / (1 + exp(v)) does not overflow", () => {
    expect(evaluateAt(activations.sigmoid, { x: 1000 })).toBe(1);
    expect(evaluateAt(activations.silu, { x: 1e300 })).toBe(1e300);
    expect(gradientAt(activations.silu, { x: 1e300 }).x).toBe(1);
    expect(gradientAt(activations.swiglu, { gate: 1e25, up: 1 }).beta).toBe(0);
  });

  it("log(exp(x) + 1) does not overflow", () => {
    expect(evaluateAt(activations.softplus, { x: 1000 })).toBe(1000);
    expect(evaluateAt(activations.mish, { x: 1000 })).toBe(1000);
    expectDigits(evaluateAt(activations.softplus, { x: -40 }), Math.exp(-40), 15);
  });

  it("sigmoid(-18) is 1.5e-8 and gelu(-6.5) is -2.6e-10, not 0", () => {
    expectDigits(evaluateAt(activations.sigmoid, { x: -18 }), 1.522997951276035e-8, 15);
    expectDigits(evaluateAt(activations.gelu, { x: -6.5 }), -6.5 * 4.016000583859118e-11, 14);
    expect(evaluateAt(activations.gelu, { x: -37 })).toBeLessThan(0);
  });

  it("silu(0) is 0, not NaN, and has the right sign on both sides", () => {
    expect(evaluateAt(activations.silu, { x: 0 })).toBe(0);
    expectDigits(evaluateAt(activations.silu, { x: 2 }), 1.7615941559557649, 15);
    expectDigits(evaluateAt(activations.silu, { x: -2 }), -0.2384058440442351, 15);
  });

  it("xielu(0) is exactly 0, and its slope near 0 is beta", () => {
    for (const x of [0, -0]) {
      expect(evaluateAt(activations.xielu, { x }) + 0).toBe(0);
      expect(gradientAt(activations.xielu, { x }).x).toBe(0.5);
    }
    for (const x of [1e-9, -1e-9, 1e-20, -1e-20]) {
      expectDigits(evaluateAt(activations.xielu, { x }), 0.5 * x, 8);
      expectDigits(
        gradientAt(activations.xielu, { x }).x!,
        0.5 + 1.6 * Math.max(x, 0) + 0.8 * Math.min(x, 0),
        15,
      );
    }
  });

  it("halves swapped: gate is the one inside the sigmoid, up the one outside", () => {
    for (const name of ["glu", "geglu", "reglu", "swiglu", "selfGlu"] as const) {
      expect(evaluateAt(activations[name], { gate: -100, up: 2 }), name).toBeCloseTo(0, 30);
      expect(evaluateAt(activations[name], { gate: 2, up: -100 }), name).toBeLessThan(-80);
    }
  });

  it("swiglu is not silu(gate) * silu(up), nor a function of one input", () => {
    const at = (up: number) => evaluateAt(activations.swiglu, { gate: 1, up });
    expect(at(-3)).toBe(-at(3));
    expect(at(6)).toBe(2 * at(3));
  });

  it("beta is used, and has a gradient", () => {
    const at = (beta: number) => evaluateAt(activations.swiglu, { gate: 1.5, up: -2, beta });
    expectDigits(at(1.7), (1.5 / (1 + Math.exp(-1.7 * 1.5))) * -2, 15);
    expect(at(1)).not.toBe(at(1.7));
    const difference = (at(1.7 + 1e-6) - at(1.7 - 1e-6)) / 2e-6;
    expect(gradientAt(activations.swiglu, { gate: 1.5, up: -2, beta: 1.7 }).beta).toBeCloseTo(difference, 8);
  });

  it("the constants of gpt-oss: alpha 1.702, limit 7 on one side of gate and both of up, and up + 1", () => {
    const at = (gate: number, up: number) => evaluateAt(activations.swigluOai, { gate, up });
    expectDigits(at(1, 0), 1 / (1 + Math.exp(-1.702)), 15);
    expect(at(1, -1)).toBe(0);
    expect([at(50, 0), at(7, 50), at(7, -50)]).toEqual([at(7, 0), at(7, 7), at(7, -7)]);
    expect(at(-10, 0)).not.toBe(at(-7, 0));
  });

  it("the clamps of swigluClamped (10) and swigluStep (7, after silu)", () => {
    expect(evaluateAt(activations.swigluClamped, { gate: 50, up: 50 })).toBe(
      evaluateAt(activations.swigluClamped, { gate: 10, up: 10 }),
    );
    expect(evaluateAt(activations.swigluStep, { gate: 50, up: 50 })).toBe(49);
    expect(evaluateAt(activations.swigluStep, { gate: 7, up: 1 })).toBeLessThan(7);
  });
});
