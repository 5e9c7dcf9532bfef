// From the records of a study's sweeps to study.json: scores, losses by group of examples, tuning losses by seed.
import type { Config } from "../config/types.js";
import type { RunRecord } from "../records/record.js";
import type { Round } from "../statistics/tuning.js";
import type { LoadedTask } from "../tasks/load.js";
import { groupedText, groupsOf, sumsOf } from "./groups.js";
import type { CellRecord, StudyRecord, StudyRun, TuningRecord } from "./types.js";

interface CellShape {
  readonly width: number;
  readonly length: number;
  readonly steps: number;
  readonly parameters: number;
  readonly tunedAt: number | null;
}

export function cellRecord(
  { width, length, steps, parameters, tunedAt }: CellShape,
  config: Config,
  records: readonly RunRecord[],
  task: Pick<LoadedTask, "validationPart" | "testPart">,
): CellRecord {
  const groups = { validation: groupsOf(task.validationPart), test: groupsOf(task.testPart) };
  const runs = records.map((record): StudyRun => {
    const { variant, seed, validationCurve, cpuSeconds, seconds, machine } = record;
    const isDone = record.status === "finished";
    return {
      variant,
      seed,
      validation: isDone ? record.validation : null,
      test: isDone ? record.test : null,
      validationGroups:
        isDone && record.validationLosses !== undefined
          ? groupedText(record.validationLosses, groups.validation)
          : "",
      testGroups: isDone ? groupedText(record.testLosses, groups.test) : "",
      validationCurve,
      learned: isDone ? record.learned : {},
      cpuSeconds,
      seconds,
      ...(machine !== undefined && { machine }),
    };
  });
  return { width, length, steps, parameters, config, tunedAt, runs };
}

export function tuningRecord(
  { width, length, steps }: CellShape,
  rounds: readonly Round[],
  { rates, seeds }: { readonly rates: readonly number[]; readonly seeds: readonly number[] },
  names: readonly string[],
): TuningRecord {
  const ordered = rounds.toSorted((a, b) => a.rate - b.rate);
  const lossOf = (records: readonly RunRecord[], name: string, seed: number): number | null => {
    const found = records.find((record) => record.variant === name && record.seed === seed);
    return found?.status === "finished" ? found.validation.loss : null;
  };
  return {
    width,
    length,
    steps,
    seeds,
    rates: ordered.map(({ rate }) => rate),
    extensions: ordered.map(({ rate }) => rate).filter((rate) => !rates.includes(rate)),
    variants: names.map((name) => ({
      name,
      losses: ordered.map(({ records }) => seeds.map((seed) => lossOf(records, name, seed))),
    })),
    cpuSeconds: rounds.flatMap(({ records }) => records).reduce((sum, each) => sum + each.cpuSeconds, 0),
  };
}

export function studyRecord(study: {
  readonly options: { readonly preset?: string };
  readonly remarks: readonly string[];
  readonly task: LoadedTask;
  readonly widths: readonly number[];
  readonly lengths: readonly number[];
  readonly variants: readonly { readonly name: string }[];
  readonly seeds: readonly number[];
  readonly tuning: readonly TuningRecord[];
  readonly cells: readonly CellRecord[];
  readonly machine: string;
}): StudyRecord {
  const { options, remarks, task, widths, lengths, variants, seeds, tuning, cells, machine } = study;
  const { testPart, validationPart } = task;
  return {
    edition: 2,
    ...(options.preset !== undefined && { preset: options.preset }),
    remarks,
    task: task.config,
    introduction: task.introduction,
    widths,
    lengths,
    variants: variants.map(({ name }) => name),
    seeds,
    weights: {
      validation: sumsOf(validationPart.weights, groupsOf(validationPart)),
      test: sumsOf(testPart.weights, groupsOf(testPart)),
    },
    leftOut: task.leftOut,
    tuning,
    cells,
    environment: machine,
  };
}

/** The JSON of a study: a line for each run and for each tuned variant, so that it reads well and stays small. */
export function studyJson({ cells, tuning, leftOut, weights, ...rest }: StudyRecord): string {
  const lines = (items: readonly unknown[]): string =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => `   ${JSON.stringify(item)}`).join(",\n")}\n  ]`;
  const withLines = (items: readonly object[], key: string): string[] =>
    items.map((item) => {
      const { [key]: own, ...others } = item as Readonly<Record<string, unknown>>;
      return `  ${JSON.stringify(others).slice(0, -1)},\n  ${JSON.stringify(key)}: ${lines(own as readonly unknown[])}}`;
    });
  const list = (name: string, items: readonly string[]): string =>
    ` ${JSON.stringify(name)}: [${items.length === 0 ? "" : `\n${items.join(",\n")}\n `}]`;
  return `${[
    JSON.stringify(rest, null, 1).replace(/\n}$/, ""),
    ` "weights": ${JSON.stringify(weights)}`,
    ` "leftOut": ${JSON.stringify(leftOut)}`,
    list("tuning", withLines(tuning, "variants")),
    list("cells", withLines(cells, "runs")),
  ].join(",\n")}\n}\n`;
}
