// AdamW in the graph against a plain float64 computation: decay, clipping, bias correction, and the finite guard.
import { add, input, mul, sub, sum, type Tensor, Training, type TrainingDefinition } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { numbers } from "./finite-differences.js";

const sizes = { weight: 6, bias: 3, scale: 1 };
const targets = { weight: 1, bias: -1, scale: 0.5 };
const decays = { weight: true, bias: false, scale: true };

/** loss = sum(factor * (p - target)^2) over all parameters, so that the gradient is 2 factor (p - target). */
function definition(options: Partial<TrainingDefinition>): TrainingDefinition {
  return {
    // Not in the order in which they are laid out: the undecayed one comes first here.
    parameters: [
      { name: "bias", shape: [sizes.bias], decay: decays.bias },
      { name: "weight", shape: [2, 3], decay: decays.weight },
      { name: "scale", shape: [], decay: decays.scale },
    ],
    loss: ({ weight, bias, scale }) => {
      const factor = input("factor", []);
      const distance = (p: Tensor, target: number) => sum(mul(sub(p, target), sub(p, target)));
      const distances = [
        distance(weight!, targets.weight),
        distance(bias!, targets.bias),
        distance(scale!, targets.scale),
      ];
      return mul(
        distances.reduce((a, b) => add(a, b)),
        factor,
      );
    },
    ...options,
  };
}

type Name = keyof typeof sizes;
const names = Object.keys(sizes) as Name[];

/** The same steps in plain float64. */
class Plain {
  readonly p: Record<Name, number[]>;
  private readonly m = Object.fromEntries(names.map((n) => [n, Array(sizes[n]).fill(0)])) as Record<
    Name,
    number[]
  >;
  private readonly v = Object.fromEntries(names.map((n) => [n, Array(sizes[n]).fill(0)])) as Record<
    Name,
    number[]
  >;
  private t = 0;

  constructor(
    start: Record<Name, number[]>,
    private readonly weightDecay: number,
    private readonly clipNorm: number,
  ) {
    this.p = start;
  }

  step(factor: number, rate: number): { loss: number; gradientNorm: number } {
    this.t++;
    const gradient = Object.fromEntries(
      names.map((n) => [n, this.p[n].map((x) => 2 * factor * (x - targets[n]))]),
    ) as Record<Name, number[]>;
    const loss = names
      .flatMap((n) => this.p[n].map((x) => factor * (x - targets[n]) ** 2))
      .reduce((a, b) => a + b);
    const norm = Math.sqrt(names.flatMap((n) => gradient[n].map((g) => g * g)).reduce((a, b) => a + b));
    const scale = Math.min(1, this.clipNorm / (norm + 1e-6));
    for (const n of names) {
      gradient[n].forEach((raw, i) => {
        const g = raw * scale;
        this.m[n][i] = 0.9 * this.m[n][i]! + 0.1 * g;
        this.v[n][i] = 0.999 * this.v[n][i]! + 0.001 * g * g;
        const step =
          this.m[n][i]! / (1 - 0.9 ** this.t) / (Math.sqrt(this.v[n][i]! / (1 - 0.999 ** this.t)) + 1e-8);
        this.p[n][i] = this.p[n][i]! * (1 - rate * (decays[n] ? this.weightDecay : 0)) - rate * step;
      });
    }
    return { loss, gradientNorm: norm };
  }
}

async function start(options: Partial<TrainingDefinition>) {
  const training = await Training.create(ort, definition(options));
  const random = numbers(5);
  const values = {} as Record<Name, number[]>;
  for (const n of names) {
    values[n] = Array.from({ length: sizes[n] }, () => Math.fround(4 * random() - 2));
    training.parameter(n).set(values[n]);
  }
  return { training, values };
}

describe("AdamW", () => {
  for (const { weightDecay, clipNorm } of [
    { weightDecay: 0, clipNorm: Number.POSITIVE_INFINITY },
    { weightDecay: 0.3, clipNorm: Number.POSITIVE_INFINITY },
    { weightDecay: 0.3, clipNorm: 2 },
  ]) {
    it(`with weight decay ${weightDecay} and clip norm ${clipNorm} follows float64 within 2e-6 for 30 steps`, async () => {
      const { training, values } = await start({ weightDecay, ...(clipNorm < 1e9 && { clipNorm }) });
      const plain = new Plain(values, weightDecay, clipNorm);
      for (let i = 0; i < 30; i++) {
        const factor = 0.5 + (i % 3);
        const rate = 0.05 / (1 + i / 10);
        const expected = plain.step(factor, rate);
        const result = await training.step({ factor: [factor] }, rate);
        expect(result.applied).toBe(true);
        expect(Math.abs(result.loss / expected.loss - 1)).toBeLessThan(1e-5);
        expect(Math.abs(result.gradientNorm / expected.gradientNorm - 1)).toBeLessThan(1e-5);
        for (const n of names) {
          training.parameter(n).forEach((x, k) => {
            expect(Math.abs(x - plain.p[n][k]!), `${n}[${k}] after step ${i + 1}`).toBeLessThan(2e-6);
          });
        }
      }
      await training.dispose();
    });
  }

  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1e30]) {
    it(`keeps the old state, bit for bit, when the gradient overflows or is not a number (factor ${bad})`, async () => {
      const { training } = await start({ weightDecay: 0.1, clipNorm: 1 });
      await training.step({ factor: [1] }, 0.01);
      const copy = () => structuredClone(training.state);
      const before = copy();
      const result = await training.step({ factor: [bad] }, 0.01);
      expect(result.applied).toBe(false);
      expect(copy()).toEqual(before);
      const after = await training.step({ factor: [1] }, 0.01);
      expect(after.applied).toBe(true);
      expect(training.state.steps).toBe(2);
      expect(copy().parameters).not.toEqual(before.parameters);
      await training.dispose();
    });
  }
});
