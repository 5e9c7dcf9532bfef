// How a finished sweep differs from the preset that it is the evidence of.
import { parseGrid } from "../config/learning-rates.js";
import { otherData, type PresetName, presets } from "../config/presets.js";
import { parseSeeds } from "../config/seeds.js";
import type { Config } from "../config/types.js";
import type { Tuning } from "../statistics/tuning.js";

/** "--seeds 1,2,3 (10)" for each option that was another, the preset's in brackets; [] for the preset as it stands. */
export function differencesFrom(name: PresetName, config: Config, tuning: Tuning | null): string[] {
  const { tune, tuneSeeds, seeds, variants, activation: _, ...same } = presets[name].options;
  const own: Readonly<Record<string, unknown>> = { ...config };
  const grid = tuning?.rates.filter((rate) => !tuning.extensions.includes(rate));
  const differ = (option: string, value: string | undefined, preset: string, shown = preset): string[] =>
    value === preset ? [] : [`--${option} ${value ?? "none"} (${shown})`];
  return [
    ...Object.entries(same).flatMap(([key, value]) => differ(key, `${own[key]}`, `${value}`)),
    ...differ("variants", config.variants.map((variant) => variant.name).join(), variants.join()),
    ...differ("seeds", config.seeds.join(), parseSeeds(seeds).join(), seeds),
    ...differ("tune", grid?.join(), parseGrid(tune).join()),
    ...differ("tune-seeds", tuning?.seeds.join(), parseSeeds(tuneSeeds).join()),
    ...otherData(name, config.data.sha256),
  ];
}
