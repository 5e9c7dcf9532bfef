// The analysis of studies: against SciPy's figures for made-up ones (scipy.py), and against the factors that those were made with.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { chooseRates } from "../../src/statistics/rate-choice.js";
import { analyseStudy, type Judged, wordOf } from "../../src/study/analysis.js";
import { rankAgreement } from "../../src/study/rank-agreement.js";
import { studyJson } from "../../src/study/record.js";
import type { StudyRecord } from "../../src/study/types.js";
import { FACTORS, madeUpStudy } from "./made-up.js";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const studies: Readonly<Record<string, StudyRecord>> = {
  "made-up-lengths.json": madeUpStudy(),
  "made-up-sizes.json": madeUpStudy({ widths: [32, 64], lengths: [1, 2], seeds: 5 }),
};

describe.each(Object.keys(studies))("%s", (name) => {
  const study = studies[name]!;

  test("is what SciPy was given", () => {
    if (!existsSync(pathOf(name))) writeFileSync(pathOf(name), studyJson(study));
    expect(JSON.parse(readFileSync(pathOf(name), "utf8"))).toEqual(JSON.parse(studyJson(study)));
  });

  test("has SciPy's multipliers and differences within 1e-9, and its standard errors within 6 %", () => {
    const scipy = JSON.parse(readFileSync(pathOf("scipy.json"), "utf8"))[name];
    const { widths, slopes } = analyseStudy(study);
    const same = (own: Judged, other: { value: number; standardError: number }): void => {
      expect(own.value).toBeCloseTo(other.value, 9);
      expect(own.standardError / other.standardError).toBeGreaterThan(0.94);
      expect(own.standardError / other.standardError).toBeLessThan(1.06);
    };
    expect(widths.length).toBe(scipy.widths.length);
    widths.forEach(({ answers }, w) => {
      const primary = answers.filter(({ isPrimary }) => isPrimary);
      expect(primary.length).toBe(2);
      primary.forEach((answer, q) => {
        const other = scipy.widths[w].answers[q];
        answer.lengths.forEach(({ parts }, l) => {
          for (const part of ["validation", "test"] as const) {
            same(parts[part].difference, other.lengths[l][part].difference);
            same(parts[part].multiplier!, other.lengths[l][part].multiplier);
            expect(parts[part].bound).toBe(other.lengths[l][part].bound);
          }
        });
      });
    });
    slopes.forEach(({ slope }, i) => {
      for (const part of ["validation", "test"] as const) same(slope[part], scipy.slopes[i][part]);
    });
    expect(slopes.length).toBe(scipy.slopes.length);
  });

  test("has SciPy's rates", () => {
    const scipy = JSON.parse(readFileSync(pathOf("scipy.json"), "utf8"))[name];
    study.tuning.forEach(({ rates, variants }, i) => {
      const choice = chooseRates(
        rates,
        variants.map(({ losses }) => losses.map((row) => row.map((loss) => loss!))),
      );
      const other = scipy.widths[i].rates[0];
      expect(choice.rates).toEqual(other.rates);
      expect(choice.own).toEqual(other.own);
      expect(choice.common).toBe(other.common);
      expect(choice.p).toBeCloseTo(other.p, 9);
    });
  });
});

test("a factor of 1.2 in steps is found, a little exaggerated by straight pieces, and none is not", () => {
  const [width] = analyseStudy(madeUpStudy({ noise: 0.0005 })).widths;
  const [swish, glu] = width!.answers;
  const multiplier = swish!.lengths[1]!.parts.test.multiplier!;
  expect(Math.exp(multiplier.value)).toBeGreaterThan(FACTORS.swish - 0.005);
  expect(Math.exp(multiplier.value)).toBeLessThan(FACTORS.swish + 0.02);
  expect(swish!.verdict!.agreed).toBe("better");
  expect(glu!.verdict!.agreed).toBe("the same within the margin");
  expect(glu!.lengths[1]!.parts.test.isWithinMargin).toBe(true);
});

test("parts that differ give no verdict", () => {
  const study = madeUpStudy({ noise: 0.0005 });
  // On the validation part every variant is as good as swiglu.
  const cells = study.cells.map((cell) => ({
    ...cell,
    runs: cell.runs.map((run) => ({
      ...run,
      validationGroups: cell.runs.find(({ variant, seed }) => variant === "swiglu" && seed === run.seed)!
        .validationGroups,
    })),
  }));
  const verdict = analyseStudy({ ...study, cells }, 200).widths[0]!.answers[0]!.verdict!;
  expect(verdict.words).toEqual({ validation: "the same within the margin", test: "better" });
  expect(verdict.agreed).toBeNull();
});

test("a run that diverged counts as the worst, and a seed that lacks one is left out; both are said", () => {
  const study = madeUpStudy();
  const [first, ...others] = study.cells;
  const runs = first!.runs
    .map((run) =>
      run.variant === "glu" && run.seed === 101 ? { ...run, validation: null, test: null } : run,
    )
    .filter((run) => !(run.variant === "swish" && run.seed === 102));
  const [width] = analyseStudy({ ...study, cells: [{ ...first!, runs }, ...others] }, 100).widths;
  expect(width!.gaps).toEqual([
    "length 0.5: left out, as a run is missing: seeds 102",
    "length 0.5: glu with seed 101 diverged and counts as the worst run",
  ]);
  expect(width!.answers[0]!.lengths[0]!.seeds).toBe(5);
});

test("one length has differences, and neither multipliers nor verdicts", () => {
  const [width] = analyseStudy(madeUpStudy({ lengths: [1] }), 100).widths;
  expect(width!.answers[0]!.lengths[0]!.parts.test.multiplier).toBeNull();
  expect(width!.answers[0]!.verdict).toBeNull();
});

test("the interval holds the choice of the rates: noisier tuning widens it", () => {
  const study = madeUpStudy({ noise: 0.001 });
  const noisy = study.tuning.map((each) => ({
    ...each,
    variants: each.variants.map((variant, v) => ({
      ...variant,
      losses: variant.losses.map((row, r) =>
        row.map((loss, s) => loss! + 0.03 * Math.sin(7 * r + 13 * s + 29 * v)),
      ),
    })),
  }));
  const errorOf = (of: StudyRecord): number =>
    analyseStudy(of, 500).widths[0]!.answers[0]!.lengths[1]!.parts.test.multiplier!.standardError;
  expect(errorOf({ ...study, tuning: noisy })).toBeGreaterThan(1.2 * errorOf(study));
});

test("words: corrected p first, then the margin", () => {
  const judged = (value: number): Judged => ({
    value,
    standardError: 1,
    interval: { low: 0, high: 0 },
    p: 1,
  });
  const part = (value: number, isWithinMargin: boolean) => ({
    losses: { subject: 1, rival: 1 },
    difference: judged(-value),
    multiplier: judged(value),
    bound: null,
    isWithinMargin,
  });
  expect(wordOf(part(0.1, false), 0.01)).toBe("better");
  expect(wordOf(part(-0.1, false), 0.01)).toBe("worse");
  expect(wordOf(part(0.02, true), 0.01)).toBe("better, by less than the margin");
  expect(wordOf(part(0.02, true), 0.2)).toBe("the same within the margin");
  expect(wordOf(part(0.1, false), 0.2)).toBe("open");
});

test("the order beside a published one: tau of the means, and the middle of the resamples", () => {
  const published = new Map([
    ["swiglu", 1],
    ["glu", 2],
    ["swish", 3],
  ]);
  const [first] = rankAgreement(madeUpStudy({ noise: 0.0005 }), published, 200);
  // swiglu and glu are level but for noise; swish is worse than both in every resample.
  expect(first!.tau).toBeGreaterThan(0.3);
  expect(first!.interval.low).toBeGreaterThanOrEqual(1 / 3 - 1e-9);
  expect(first!.interval.high).toBeLessThanOrEqual(1);
});
