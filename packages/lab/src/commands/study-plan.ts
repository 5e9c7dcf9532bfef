// compare --plan: which runs a study consists of, which are done, and what the rest will cost, from one short timed run of every width.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderName } from "../config/config.js";
import type { Config } from "../config/types.js";
import type { RunRecord } from "../records/record.js";
import { extensionOf, type Round, tuningOf } from "../statistics/tuning.js";
import { tuningRecord } from "../study/record.js";
import { readRecords } from "../sweep/folder.js";
import { trainRun } from "../sweep/train.js";
import { print } from "../terminal/output.js";
import { heading, wrap } from "../terminal/style.js";
import { table } from "../terminal/table.js";
import { type Cell, choiceOf, ratesFor, type Study } from "./study.js";

/** Steps of the timed run. */
const TRIAL_STEPS = 12;

interface Line {
  readonly cell: Cell;
  readonly what: "tuning" | "counted";
  readonly runs: number;
  readonly kept: number;
  readonly secondsPerRun: number;
}

/** Prints the plan; nothing is written. */
export async function printPlan({ prepared, cells }: Study): Promise<void> {
  const { variants, task, place, remarks } = prepared;
  const costs = new Map<number, Cost>();
  for (const { width, plan } of cells) {
    if (costs.has(width)) continue;
    const config = { ...plan.configAt(), steps: TRIAL_STEPS };
    const { record } = await trainRun({ config, variant: config.variants[0]!.name, seed: 1, task });
    costs.set(width, costOf(record));
  }
  const lines = cells.flatMap((cell): Line[] => {
    const { step, beside } = costs.get(cell.width)!;
    const secondsPerRun = cell.steps * step + beside;
    const rounds = roundsOf(cell, place.out);
    const { grid } = cell.plan;
    const tunes = cell.length === cell.tunedAt && grid !== undefined;
    const config = configOf(
      cell,
      cells,
      place.out,
      variants.map(({ name }) => name),
    );
    return [
      ...(tunes
        ? [
            {
              cell,
              what: "tuning" as const,
              runs: grid.rates.length * grid.seeds.length * variants.length,
              kept: rounds.reduce((sum, { records }) => sum + records.length, 0),
              secondsPerRun,
            },
          ]
        : []),
      {
        cell,
        what: "counted",
        runs: prepared.seeds.length * variants.length,
        kept: config === undefined ? 0 : keptOf(place.out, config).length,
        secondsPerRun,
      },
    ];
  });
  const hoursOf = ({ runs, kept, secondsPerRun }: Line): number =>
    (Math.max(0, runs - kept) * secondsPerRun) / 3600 / place.slots;
  for (const remark of remarks) print(wrap(remark));
  print(
    table(
      ["width", "length", "steps", "what", "runs", "done", "s per run", "hours left"],
      lines.map((line) => [
        `${line.cell.width}`,
        `${line.cell.length}`,
        `${line.cell.steps}`,
        line.what,
        `${line.runs}`,
        `${line.kept}`,
        line.secondsPerRun.toFixed(0),
        hoursOf(line).toFixed(2),
      ]),
    ),
  );
  const total = lines.reduce((sum, line) => sum + hoursOf(line), 0);
  print(heading(`\nAbout ${total.toFixed(1)} hours in ${place.slots} processes`));
  print(
    wrap(
      `Timed by ${TRIAL_STEPS} steps of ${variants[0]!.name} at each width, in seconds of the processor: what else runs here makes it longer. A grid that is extended costs more.`,
    ),
  );
}

/** Seconds of the processor, which other work on the machine changes less than those on the clock. */
interface Cost {
  /** The seconds of a step, and of everything beside the steps of a run. */
  readonly step: number;
  readonly beside: number;
}

function costOf({ stepsPerSecond, seconds, cpuSeconds }: RunRecord): Cost {
  const training = TRIAL_STEPS / stepsPerSecond;
  const share = Math.min(1, cpuSeconds / training);
  return { step: cpuSeconds / TRIAL_STEPS, beside: share * Math.max(0, seconds - training) };
}

const keptOf = (out: string, config: Config): RunRecord[] => {
  const folder = join(out, folderName(config));
  return existsSync(folder) ? readRecords(folder, config) : [];
};

/** The tuning sweeps of a cell that have begun. */
function roundsOf({ plan: { grid } }: Cell, out: string): Round[] {
  if (grid === undefined) return [];
  return grid.rates.map((rate) => ({ rate, records: keptOf(out, grid.configAt(rate)) }));
}

/** The configuration of the counted runs; undefined while the tuning that gives their rates is not whole. */
function configOf(
  cell: Cell,
  cells: readonly Cell[],
  out: string,
  names: readonly string[],
): Config | undefined {
  const { grid } = cell.plan;
  if (grid === undefined || cell.tunedAt === null) return cell.plan.configAt();
  const tuned = cells.find(({ width, length }) => width === cell.width && length === cell.tunedAt)!;
  const own = tuned.plan.grid!;
  const rounds = roundsOf(tuned, out);
  for (;;) {
    if (rounds.some(({ records }) => records.length < names.length * own.seeds.length)) return undefined;
    const left = extensionOf(tuningOf(rounds, own.rates, names, own.seeds));
    if (left.length === 0) break;
    rounds.push(...left.map((rate) => ({ rate, records: keptOf(out, own.configAt(rate)) })));
  }
  return cell.plan.configAt(ratesFor(names, choiceOf(tuningRecord(tuned, rounds, own, names))));
}
