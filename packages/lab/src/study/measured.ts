// The finished lengths of a width, as the bootstrap takes them: the losses of every variant, seed and group of examples.
import { lossesOfText } from "../records/record.js";
import type { Measured, MeasuredLength, PartName } from "./bootstrap.js";
import type { CellRecord, StudyRecord } from "./types.js";

/** The finished lengths of a width as the bootstrap takes them; undefined where there is none. */
export function measuredAt(study: StudyRecord, width: number) {
  const cells = study.cells.filter((cell) => cell.width === width);
  const tuned = study.tuning.filter((each) => each.width === width);
  const gaps: string[] = [];
  const usable = cells.flatMap((cell) => {
    const length = measuredLength(study, cell, gaps);
    if (length === undefined) return [];
    const tuning = tuned.findIndex((each) => each.length === cell.tunedAt);
    return [{ cell, length: { ...length, tuning: tuning < 0 ? undefined : tuning } }];
  });
  if (usable.length === 0) return undefined;
  const data: Measured = {
    weights: study.weights,
    lengths: usable.map(({ length }) => length),
    tunings: tuned.map(({ seeds, rates, variants }) => ({
      seeds,
      rates,
      losses: variants.map(({ losses }) =>
        losses.map((row) => row.map((loss) => loss ?? Number.POSITIVE_INFINITY)),
      ),
    })),
  };
  return { width, parameters: cells[0]!.parameters, gaps, cells: usable.map(({ cell }) => cell), data };
}

function measuredLength(
  { variants, weights }: StudyRecord,
  { length, steps, runs }: CellRecord,
  gaps: string[],
): Omit<MeasuredLength, "tuning"> | undefined {
  const all = [...new Set(runs.map(({ seed }) => seed))];
  const find = (variant: string, seed: number) =>
    runs.find((run) => run.variant === variant && run.seed === seed);
  const seeds = all.filter((seed) => variants.every((name) => find(name, seed) !== undefined));
  const missing = all.filter((seed) => !seeds.includes(seed));
  if (missing.length > 0)
    gaps.push(`length ${length}: left out, as a run is missing: seeds ${missing.join(", ")}`);
  const finished = runs.filter(({ test }) => test !== null);
  if (seeds.length === 0 || finished.length === 0) return undefined;
  const worstOf = (part: PartName) =>
    finished.reduce((worst, run) => (run[part]!.loss > worst[part]!.loss ? run : worst));
  const of = (part: PartName): Float64Array[][] =>
    variants.map((name) =>
      seeds.map((seed) => {
        const run = find(name, seed)!;
        return groupLosses(run.test === null ? worstOf(part) : run, part, weights[part]);
      }),
    );
  for (const { variant, seed, test } of runs)
    if (test === null)
      gaps.push(`length ${length}: ${variant} with seed ${seed} diverged and counts as the worst run`);
  return { steps, seeds, runs: { validation: of("validation"), test: of("test") } };
}

/** By group; where a record has no losses of single examples, the mean in every group. */
function groupLosses(
  run: CellRecord["runs"][number],
  part: PartName,
  weights: readonly number[],
): Float64Array {
  const text = part === "test" ? run.testGroups : run.validationGroups;
  if (text !== "") return Float64Array.from(lossesOfText(text));
  const { loss } = run[part]!;
  return Float64Array.from(weights, (weight) => weight * loss);
}
