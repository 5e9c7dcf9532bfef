// A study that was never run: losses after a formula in which swiglu needs fewer steps than swish by a known factor, and noise.
import { stream } from "../../src/data/random.js";
import { textOfLosses } from "../../src/records/record.js";
import type { StudyRecord } from "../../src/study/types.js";

/** How many times the steps of swiglu each variant needs for the same loss. */
export const FACTORS = { swiglu: 1, swish: 1.2, glu: 1 } as const;

export const madeUpStudy = ({
  widths = [64],
  lengths = [0.5, 1, 2],
  noise = 0.004,
  seeds = 6,
} = {}): StudyRecord => {
  const random = stream(1, "made-up study");
  const uniform = (): number => (random.next() >>> 0) / 2 ** 32 - 0.5;
  const [groups, tokens] = [20, 50];
  const names = Object.keys(FACTORS) as (keyof typeof FACTORS)[];
  const lossAt = (name: keyof typeof FACTORS, steps: number): number =>
    3 + 4 * (steps / FACTORS[name]) ** -0.3;
  const counted = Array.from({ length: seeds }, (_, i) => 101 + i);
  const rates = [0.008, 0.0113, 0.016, 0.0226];
  const tuningSeeds = [1001, 1002, 1003, 1004];
  const stepsOf = (length: number, width: number): number => (1000 * length * width) / 64;
  const hard = Array.from({ length: groups }, () => 0.3 * uniform());
  const cells = widths.flatMap((width) =>
    lengths.map((length) => {
      const steps = stepsOf(length, width);
      const runs = counted.flatMap((seed) => {
        const luck = noise * uniform();
        return names.map((variant) => {
          const own = 2 * noise * uniform();
          const part = () => {
            const sums = hard.map(
              (extra) => tokens * (lossAt(variant, steps) + extra + luck + own + noise * uniform()),
            );
            const loss = sums.reduce((a, b) => a + b, 0) / (groups * tokens);
            return { score: { loss, bitsPerByte: loss / 2 }, text: textOfLosses(Float32Array.from(sums)) };
          };
          const [validation, test] = [part(), part()];
          return {
            variant,
            seed,
            validation: validation.score,
            test: test.score,
            validationGroups: validation.text,
            testGroups: test.text,
            validationCurve: [{ step: steps, loss: validation.score.loss }],
            learned: {},
            cpuSeconds: 1,
            seconds: 1,
          };
        });
      });
      const config = {
        version: "0.2.0",
        task: "language" as const,
        data: {
          name: "made up",
          sha256: "0".repeat(64),
          examples: { train: 16000, validation: 20, test: 20 },
        },
        vocabulary: 300,
        context: 16,
        variants: names.map((name) => ({
          name,
          trained: false,
          activation: {},
          hidden: 8,
          feedForwardParameters: 100,
          learningRate: 0.0128,
        })),
        seeds: counted,
        steps,
        batch: 16,
        width,
        depth: 1,
        heads: 2,
        weightDecay: 0.05,
        clipNorm: 1,
        threads: 1,
      };
      return {
        width,
        length,
        steps,
        parameters: 1000 * width,
        config,
        tunedAt: lengths.at(-2) ?? lengths[0]!,
        runs,
      };
    }),
  );
  const tuning = widths.map((width) => ({
    width,
    length: lengths.at(-2) ?? lengths[0]!,
    steps: stepsOf(lengths.at(-2) ?? lengths[0]!, width),
    seeds: tuningSeeds,
    rates,
    extensions: [],
    variants: names.map((name) => ({
      name,
      losses: rates.map((rate) =>
        tuningSeeds.map(
          () => 3.5 + 0.1 * Math.log(rate / (name === "glu" ? 0.0135 : 0.0128)) ** 2 + 2 * noise * uniform(),
        ),
      ),
    })),
    cpuSeconds: 10,
  }));
  return {
    edition: 2,
    remarks: [],
    task: {
      task: "language",
      data: { name: "made up", sha256: "0".repeat(64), examples: { train: 16000, validation: 20, test: 20 } },
      vocabulary: 300,
      context: 16,
    },
    introduction: "Made up.",
    widths,
    lengths,
    variants: names,
    seeds: counted,
    weights: { validation: new Array(groups).fill(tokens), test: new Array(groups).fill(tokens) },
    leftOut: { tooLong: [], nearCopies: [] },
    tuning,
    cells,
    environment: "none",
  };
};
