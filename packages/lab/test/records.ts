// Records and configurations made up for tests of what is computed from them.
import { activations, activationToJson, defineActivation } from "swiglu";
import type { Config } from "../src/config/types.js";
import { type DivergedRun, type FinishedRun, textOfLosses } from "../src/records/record.js";

const curve = [
  { step: 50, loss: 1.5 },
  { step: 100, loss: 0.5 },
];

/** A finished run whose validation accuracy is its test accuracy where nothing else is said. */
export function finished(
  variant: string,
  seed: number,
  accuracy: number,
  { validation = accuracy, learned = {} }: { validation?: number; learned?: Record<string, number[]> } = {},
): FinishedRun {
  return {
    variant,
    seed,
    status: "finished",
    validation: { loss: 1 - validation, accuracy: validation },
    test: { loss: 1 - accuracy, accuracy },
    testLosses: textOfLosses(new Float32Array(4).fill(1 - accuracy)),
    learned,
    parameters: 1234,
    curve,
    validationCurve: curve,
    stepsPerSecond: 50,
    cpuSeconds: 2,
    seconds: 2,
  };
}

export const diverged = (variant: string, seed: number, divergedAt = 3): DivergedRun => ({
  variant,
  seed,
  status: "diverged",
  divergedAt,
  curve: [],
  validationCurve: [],
  stepsPerSecond: 50,
  cpuSeconds: 1,
  seconds: 1,
});

/** A configuration of 100 steps; names that the catalogue lacks get the formula of tanh. */
export function configOf(names: readonly string[], seeds: readonly number[]): Config {
  const catalogue = new Map(Object.entries(activations));
  return {
    version: "0.0.0",
    task: "images",
    data: {
      name: "made-up",
      sha256: "0",
      examples: { train: 1000, validation: 90, test: 4 },
      imageSize: 8,
      classes: 4,
    },
    variants: names.map((name) => ({
      name,
      trained: false,
      activation: activationToJson(
        catalogue.get(name) ??
          defineActivation({ name, kind: "unary", expression: activations.tanh.expression }),
      ),
      hidden: 32,
      feedForwardParameters: 552,
      learningRate: 0.01,
    })),
    seeds,
    steps: 100,
    batch: 32,
    width: 8,
    depth: 1,
    heads: 2,
    patch: 4,
    weightDecay: 0.05,
    clipNorm: 1,
    threads: 1,
  };
}
