// The report: complete, self-contained, safe against names from outside, and drawn also when little is there.
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import type { RunRecord } from "../src/records/record.js";
import { meanCurve } from "../src/report/learning-charts.js";
import { reportPage } from "../src/report/page.js";
import { escapeHtml } from "../src/report/tables.js";
import type { Results } from "../src/report/types.js";
import { analyse } from "../src/statistics/analysis.js";
import { matchCosts } from "../src/statistics/matched.js";
import { summarise } from "../src/statistics/summary.js";
import type { Tuning } from "../src/statistics/tuning.js";
import { describe as findingsOf } from "../src/statistics/words.js";
import { configOf, diverged, finished } from "./records.js";

const part = { weights: Int32Array.of(1, 1, 1, 1), clusters: Int32Array.of(0, 1, 2, 3) };
const names = ["relu", "swiglu", "swigluBlend"];

function page(
  seeds: readonly number[],
  records: readonly RunRecord[],
  variants: readonly string[] = names,
  tuning?: Tuning,
  isFixed = false,
) {
  const config = configOf(variants, seeds);
  const summary = summarise(config, records);
  const analysis = analyse(config, records, part);
  const results: Results = {
    config,
    tuning,
    matched: matchCosts(config, records),
    summary,
    findings: findingsOf(summary, config, analysis, tuning !== undefined),
    analysis,
    best: null,
    isFixed,
    environment: {
      node: "v20.19.0",
      platform: "linux x64",
      processor: "made-up <fast>",
      cores: 2,
      onnxRuntime: "1.30.0",
    },
    records,
  };
  const html = reportPage(results);
  return { html, document: parseHTML(html).document };
}

const runs = [1, 2, 3].flatMap((seed) =>
  names.map((name, i) => finished(name, seed, 0.9 + 0.01 * i + 0.002 * seed)),
);

describe("the analysis", () => {
  const variants = ["relu", "swish", "glu", "swiglu"];
  const records = [1, 2, 3].flatMap((seed) =>
    variants.map((name, i) => finished(name, seed, 0.9 + 0.01 * i + 0.002 * ((seed * (2 * i + 2)) % 7))),
  );
  const sectionOf = (document: Document, title: string) =>
    [...document.querySelectorAll("section")].find((each) => each.querySelector("h2")?.textContent === title);

  test("answers the primary questions, with a line for each outcome, and lists the exploratory comparisons", () => {
    const { html, document } = page([1, 2, 3], records, variants);
    const primary = sectionOf(document, "Primary questions")!;
    expect([...primary.querySelectorAll("li")].map(({ textContent }) => textContent?.split(":")[0])).toEqual([
      "swiglu against swish",
      "swiglu against glu",
    ]);
    const rows = [...primary.querySelectorAll("tbody tr")].map((row) =>
      [...row.querySelectorAll("td")].map(({ textContent }) => textContent),
    );
    const lines = [
      ["swiglu − swish", "loss"],
      ["swiglu − glu", "loss"],
      ["swiglu − swish", "accuracy"],
      ["swiglu − glu", "accuracy"],
    ];
    expect(rows.map(([name, outcome]) => [name, outcome])).toEqual(lines); // three seeds: no table of strengths
    expect(rows.flat().filter((text) => text === "")).toEqual([]);
    const exploratory = sectionOf(document, "Exploratory comparisons")!;
    expect(exploratory.querySelectorAll("table")).toHaveLength(2);
    expect(exploratory.querySelector("tbody")!.querySelectorAll("tr")).toHaveLength(3);
    expect(exploratory.textContent).toMatch(/Analysis of variance: variants F\(3, 6\) = \d+\.\d\d, p/);
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  test("gives effect sizes and seeds that would be needed from six seeds on", () => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const six = seeds.flatMap((seed) =>
      variants.map((name, i) => finished(name, seed, 0.9 + 0.01 * i + 0.002 * ((seed * (2 * i + 2)) % 7))),
    );
    const [few, enough] = [page([1, 2, 3], records, variants).html, page(seeds, six, variants).html];
    for (const words of ["Hedges", "80 % power", "seeds for it"]) {
      expect(few).not.toContain(words);
      expect(enough).toContain(words);
    }
    expect(few).toContain("With 3 seeds this is a first look");
  });

  test("leads with the verdicts, and says fixed in advance only of a preset as it stands", () => {
    const { document, html } = page([1, 2, 3], records, variants);
    expect(document.querySelector(".lead")!.textContent).toMatch(
      /^swiglu against swish: .*\.swiglu against glu: .*\.$/,
    );
    expect(html).not.toContain("Fixed in advance");
    expect(page([1, 2, 3], records, variants, undefined, true).html).toContain("Fixed in advance");
  });

  test("warns where few passes meet a rate that was not tuned, and has no columns and keys of nothing", () => {
    const config = configOf(variants, [1, 2, 3]);
    const say = (steps: number, isTuned: boolean) =>
      findingsOf(summarise(config, records), { ...config, steps }, null, isTuned).warnings;
    expect(say(10, false)[0]).toMatch(/^Beware: runs of 0\.3 passes at a learning rate that was not tuned/);
    expect([...say(10, true), ...say(1000, false)]).toEqual([]);
    const { document } = page([1, 2, 3], records, variants);
    expect(document.querySelector("table thead")!.textContent).not.toContain("learned");
    expect(document.querySelector(".legend")!.textContent).not.toContain("self-gated");
  });

  test("names a run that diverged", () => {
    const some = records.map((run) => (run.variant === "glu" && run.seed === 2 ? diverged("glu", 2) : run));
    const { document } = page([1, 2, 3], some, variants);
    expect(sectionOf(document, "Exploratory comparisons")!.textContent).toContain(
      "Diverged, and counted as the worst finished run of the sweep: glu with seed 2.",
    );
  });

  test("has no primary section without swiglu, and none at all with two seeds", () => {
    const titles = (document: Document) =>
      [...document.querySelectorAll("h2")].map(({ textContent }) => textContent);
    const without = records.filter(({ variant }) => variant !== "swiglu");
    expect(titles(page([1, 2, 3], without, variants.slice(0, 3)).document)).not.toContain(
      "Primary questions",
    );
    expect(titles(page([1, 2], records.slice(0, 8), variants).document)).not.toContain(
      "Exploratory comparisons",
    );
  });
});

test("at equal cost: a line for each variant, and what that can say", () => {
  const { html, document } = page([1, 2, 3], runs);
  const section = [...document.querySelectorAll("section")].find(
    (each) => each.querySelector("h2")?.textContent === "At equal cost",
  );
  const cells = [...section!.querySelectorAll("tbody tr")].map((row) =>
    [...row.querySelectorAll("td")].map(({ textContent }) => textContent),
  );
  expect(cells.map(([name]) => name)).toEqual(names);
  // 2 s of 100 steps each; a curve of 1.5 at step 50 and 0.5 at step 100
  expect(cells[0]!.slice(2)).toEqual(["20.00", "0.5000", "0.5000", "0.5000"]);
  expect(Number(cells[1]![4])).toBeGreaterThan(0.5);
  expect(html).toContain("read off before the rate has fallen");
});

test("tuned learning rates: a table of losses, and how they were found", () => {
  const tuning: Tuning = {
    seeds: [1001, 1002],
    rates: [0.001, 0.002, 0.004],
    extensions: [0.004],
    variants: [
      { name: "relu", losses: [0.51234, 0.4, null], best: 0.002, isAtEdge: false },
      { name: "swiglu", losses: [0.5, 0.4, 0.3], best: 0.004, isAtEdge: true },
    ],
  };
  const { html, document } = page([1], [], ["relu", "swiglu"], tuning);
  const rows = [...document.querySelectorAll("table")]
    .map((table) => [...table.querySelectorAll("tr")].map((row) => row.textContent))
    .find(([head]) => head === "variant0.0010.0020.004best");
  expect(rows?.slice(1)).toEqual(["relu0.51230.4000diverged0.002", "swiglu0.50000.40000.30000.004 (edge)"]);
  expect(html).toContain("tried at every rate under the seeds 1001 and 1002");
  expect(html).toContain(
    "The grid was extended by 0.004, because some variant was best at its edge. Still best at an edge",
  );
});

describe("report", () => {
  const { html, document } = page([1, 2, 3], runs);

  test("has two ranking charts, and a learning curve and a shape for every variant, all named for screen readers", () => {
    const charts = [...document.querySelectorAll("svg")];
    expect(charts).toHaveLength(2 + 2 * names.length);
    for (const chart of charts) {
      expect(chart.getAttribute("role")).toBe("img");
      expect(chart.getAttribute("aria-label")).toMatch(/\w{3}/);
    }
  });

  test("draws intervals for every variant and, in the differences, all but the baseline", () => {
    const [loss, difference] = [...document.querySelectorAll("svg")];
    const bars = (chart: typeof loss) =>
      chart!.querySelectorAll(
        '[aria-label="rule"] line[style^="stroke: var(--"]:not([style="stroke: var(--baseline)"])',
      ).length;
    expect(bars(loss)).toBe(3);
    expect(bars(difference)).toBe(2);
  });

  test("loads nothing: no scripts, no links, no addresses but the name of the SVG format", () => {
    expect(document.querySelectorAll("script, link, img, iframe, object, [src], [href]")).toHaveLength(0);
    expect(html.replaceAll('"http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|url\((?!#)|@import/);
  });

  test("lists every variant and every run", () => {
    const bodies = [...document.querySelectorAll("tbody")];
    const [ranking, all] = [bodies[0], bodies.at(-1)];
    expect(ranking!.querySelectorAll("tr")).toHaveLength(names.length);
    expect(all!.querySelectorAll("tr")).toHaveLength(runs.length);
  });

  test("follows the reader's light or dark system", () => {
    expect(html).toContain("prefers-color-scheme: dark");
  });

  test("text from outside stays text", () => {
    expect(html).toContain("made-up &lt;fast&gt;");
    expect(escapeHtml(`<a b="c">&'`)).toBe("&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
  });

  test("holds no value that could not be drawn", () => {
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });
});

describe("with little to show", () => {
  test.each<[string, number[], RunRecord[], string[]]>([
    ["one variant, one seed", [1], [finished("relu", 1, 0.9)], ["relu"]],
    [
      "two seeds, no intervals",
      [1, 2],
      [finished("relu", 1, 0.9), finished("swiglu", 1, 0.95)],
      ["relu", "swiglu"],
    ],
    ["every run diverged", [1], [diverged("relu", 1), diverged("swiglu", 1)], ["relu", "swiglu"]],
    [
      "equal accuracies",
      [1, 2, 3],
      [1, 2, 3].flatMap((s) => [finished("relu", s, 1), finished("swiglu", s, 1)]),
      ["relu", "swiglu"],
    ],
  ])("%s", (_, seeds, records, variants) => {
    const { html, document } = page(seeds, records, variants);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(document.querySelectorAll("svg").length).toBeGreaterThanOrEqual(3);
  });
});

test("mean curves are means over the seeds at each step", () => {
  const half = {
    ...finished("relu", 2, 0.9),
    curve: [
      { step: 50, loss: 0.5 },
      { step: 100, loss: 0.1 },
    ],
  };
  expect(meanCurve({ finished: [finished("relu", 1, 0.9), half] })).toEqual([
    { step: 50, loss: 1 },
    { step: 100, loss: 0.3 },
  ]);
});
