// Evidence made up for tests: sweeps of the presets, with the losses that a test gives.
import { type PresetName, presets } from "../../src/config/presets.js";
import type { Config } from "../../src/config/types.js";
import type { Evidence } from "../../src/evidence/types.js";
import type { RunRecord } from "../../src/records/record.js";
import { textOfLosses } from "../../src/records/record.js";
import { analyse } from "../../src/statistics/analysis.js";
import type { Tuning } from "../../src/statistics/tuning.js";
import { configOf, diverged, finished } from "../records.js";

/** Test losses of each variant, seed by seed; null where a run diverged. */
export type Losses = Readonly<Record<string, readonly (number | null)[]>>;

export const tuning: Tuning = {
  seeds: [1001, 1002],
  rates: [0.001, 0.002, 0.004],
  extensions: [],
  variants: [{ name: "swiglu", losses: [0.5, 0.4, null], best: 0.002, isAtEdge: false }],
};

/** A sweep of a preset's task and data, but of these variants and seeds. */
export function madeUpConfig(preset: PresetName, losses: Losses): Config {
  const seeds = Object.values(losses)[0]!.map((_, i) => i + 1);
  const base = configOf(Object.keys(losses), seeds);
  if (base.task !== "images") throw new Error("made-up configurations are of images");
  const { patch, data, task: _, ...common } = base;
  const { imageSize, classes, examples } = data;
  const { name, sha256 } = presets[preset].data;
  const own = { name, sha256, examples };
  const text = { data: own, vocabulary: 300, context: 16 };
  switch (presets[preset].options.task) {
    case "images":
      return { ...common, task: "images", patch, data: { ...own, imageSize, classes } };
    case "language":
      return { ...common, task: "language", ...text };
    case "translation":
      return { ...common, task: "translation", ...text, beam: 1, translated: 2 };
  }
}

const scoreOf = {
  images: { accuracy: 0.9 },
  language: { bitsPerByte: 1.5 },
  translation: { chrf: 40, bleu: 20 },
};

export function madeUpRecords(config: Config, losses: Losses): RunRecord[] {
  return config.seeds.flatMap((seed, i) =>
    Object.entries(losses).map(([name, values]): RunRecord => {
      const loss = values[i];
      if (loss === null || loss === undefined) return diverged(name, seed, 7);
      const score = { loss, ...scoreOf[config.task] };
      const testLosses = textOfLosses(new Float32Array(4).fill(loss));
      return { ...finished(name, seed, 0.9), validation: score, test: score, testLosses };
    }),
  );
}

/** What `collect` would make of such a sweep. */
export function madeUp(preset: PresetName, losses: Losses): Evidence {
  const config = madeUpConfig(preset, losses);
  const records = madeUpRecords(config, losses);
  const part = { weights: Int32Array.of(1, 1, 1, 1), clusters: Int32Array.of(0, 1, 2, 3) };
  return {
    preset,
    differences: [],
    config,
    tuning,
    analysis: analyse(config, records, part)!,
    environment: {
      node: "v20.19.0",
      platform: "linux x64",
      processor: "made-up",
      cores: 2,
      onnxRuntime: "1.30.0",
    },
    cost: {
      compared: { runs: records.length, cpuSeconds: 5400, seconds: 7200 },
      tuned: { runs: 6, cpuSeconds: 1800, seconds: 1800 },
    },
    records,
  };
}
