// The document says what the verdicts say, of any subset of tasks, and its tables have the numbers of the runs.
import { describe, expect, test } from "vitest";
import { presetNames } from "../../src/config/presets.js";
import { curvesFigure, rankingFigure } from "../../src/evidence/charts.js";
import { firstEditionDocument } from "../../src/evidence/document.js";
import { taskDocument } from "../../src/evidence/section.js";
import type { Evidence } from "../../src/evidence/types.js";
import { type Losses, madeUp } from "./made-up.js";

/** relu and gelu, always the same, and the three of the primary questions. */
const losses = (swish: number[], glu: (number | null)[], swiglu: number[]): Losses => ({
  relu: [0.6, 0.61, 0.62, 0.6],
  gelu: [0.55, 0.56, 0.57, 0.56],
  swish,
  glu,
  geglu: [0.28, 0.29, 0.29, 0.28],
  swiglu,
});
const low = [0.3, 0.31, 0.305, 0.303];
const lowToo = [0.3001, 0.31, 0.3051, 0.3032];
const high = [0.4, 0.41, 0.42, 0.404];

const images = madeUp("evidence-images", losses(high, lowToo, low));
const language = madeUp("evidence-language", losses(low, [0.38, 0.44, 0.4, 0.42], high));
const translation = madeUp("evidence-translation", losses(high, high, low));
const messages = madeUp("evidence-messages", losses(high, high, low));
const document = (...all: Evidence[]): string =>
  [
    firstEditionDocument(all, undefined),
    ...presetNames.flatMap((name) => all.filter(({ preset }) => preset === name)).map(taskDocument),
  ].join("\n");

describe("the answers", () => {
  test("before any run: that there are none", () => {
    const text = document();
    expect(text).toContain("Not done yet: images, language and translation. So there is no answer so far.");
    expect(text.match(/not done yet \|/g)).toHaveLength(3);
    expect(text).toContain("--preset evidence-language  # not done yet");
    expect(text).toContain("not measured yet");
  });

  test("of some tasks: each verdict, what is not done, and how much of the claim", () => {
    const text = document(language, images);
    expect(text).toContain(
      "**Against Swish**, SwiGLU is better on images (\u221225.5 %); worse on language (+34.2 %).",
    );
    expect(text).toContain(
      "**Against GLU**, SwiGLU is equivalent within the margin on images (0.0 %); not distinguishable at this scale on language (",
    );
    expect(text).toContain("Not done yet: translation.");
    expect(text).toContain("6 comparisons, of which 4 are done. SwiGLU is better in 1 of them.");
    expect(text.indexOf("## Images")).toBeLessThan(text.indexOf("## Language"));
    expect(text).not.toContain("## Translation");
  });

  test("of all tasks: whether the claim is borne out", () => {
    expect(document(images, language, translation)).toContain(
      "6 comparisons. SwiGLU is better in 3 of them: at this scale, the claim is partly borne out.",
    );
    const better = (["evidence-images", "evidence-language", "evidence-translation"] as const).map((preset) =>
      madeUp(preset, losses(high, high, low)),
    );
    expect(document(...better)).toContain("better in all 6 of them: at this scale, the claim is borne out.");
    const worse = better.map(({ preset }) => madeUp(preset, losses(low, low, high)));
    expect(document(...worse)).toContain(
      "better in none of them: at this scale, the claim is not borne out.",
    );
  });

  test("the exploratory preset has its section and decides nothing", () => {
    const text = document(messages);
    expect(text).toContain("Not done yet: images, language and translation. So there is no answer so far.");
    expect(text).toContain("## Compiler messages (exploratory): TypeScript messages");
    expect(text).toContain("### The same two questions, exploratory here");
    expect(text).not.toContain("primary questions");
  });
});

describe("the section of a task", () => {
  const text = document(images);
  const rowOf = (name: string): string[] => {
    const [row] = text.split("\n").filter((line) => line.startsWith(`| ${name} |`));
    return row!.split("|").map((cell) => cell.trim());
  };

  test("a row for each variant: mean and interval by hand, swiglu minus it, and the verdict or a p-value", () => {
    // Mean of 0.4, 0.41, 0.42, 0.404; s = 0.00869866, t(3) = 3.182446.
    expect(rowOf("swish").slice(1, 6)).toEqual([
      "swish",
      "32",
      "0.01",
      "0.4085 \u00b1 0.0138",
      "90.00 \u00b1 0.00 %",
    ]);
    // Differences -0.1, -0.1, -0.115, -0.101: mean -0.104, s = 0.00734847.
    expect(rowOf("swish").slice(6, 8)).toEqual(["\u22120.1040 [\u22120.1157, \u22120.0923]", "**better**"]);
    expect(rowOf("swiglu").slice(6, 8)).toEqual(["", ""]);
    expect(rowOf("relu")[7]).toMatch(/^p [=<] 0\.\d{3}$/);
    const order = [...text.matchAll(/^\| (\w+) \| 32 \|/gm)].map(([, name]) => name);
    expect(order).toEqual(["geglu", "swiglu", "glu", "swish", "gelu", "relu"]);
  });

  test("the primary comparisons in columns, secondary outcomes below them", () => {
    expect(text).toContain("| **verdict** | **better** | **equivalent within the margin** |");
    expect(text).toContain("| equivalence: margin | \u00b10.0041 | \u00b10.0030 |"); // 1 % of 0.4085 and 0.3046
    expect(text).toMatch(/\| accuracy, points \(secondary\) \| 0\.00 .*: equivalent within the margin \|/);
  });

  test("chrF stands before BLEU, and the loss before both", () => {
    const head = document(translation)
      .split("\n")
      .find((line) => line.startsWith("| variant | dFf"));
    expect(head).toContain("| test loss, nats per token | chrF | BLEU |");
  });

  test("the preset as it stands, or what was other", () => {
    expect(text).toContain("Preset `evidence-images`, as it stands.");
    expect(document({ ...images, differences: ["--seeds 1,2,3,4 (10)"] })).toContain(
      "**but for** --seeds 1,2,3,4 (10).",
    );
  });

  test("runs that diverged are named, and count as the worst", () => {
    const glu = madeUp("evidence-images", losses(high, [0.3, null, 0.3, 0.3], low));
    const told = document(glu);
    expect(told).toContain("Diverged, and counted as the worst finished run: glu with seed 2, 1 of 24 runs.");
    expect(told).toContain("| glu (1 diverged) | 32 | 0.01 | 0.3800 "); // 0.3, 0.62, 0.3, 0.3
  });

  test("translations cannot break the table they stand in", () => {
    const samples = [{ source: "a | b", reference: "*c*\nd", output: "<e>" }];
    const records = translation.records.map((record) =>
      record.status === "finished" && record.seed === 1 && record.variant === "glu"
        ? { ...record, samples }
        : record,
    );
    const table = document({ ...translation, records }).split("\n");
    expect(table).toContain("| source | reference | glu |");
    expect(table).toContain("| a \\| b | \\*c\\* d | \\<e\\> |");
  });
});

test("the order beside Shazeer's: places, and how many pairs agree", () => {
  const text = document(images);
  expect(text).toContain("| 1 | geglu (1.942) | geglu (0.2850) |");
  expect(text).toContain("| 6 | relu (1.997) | relu (0.6075) |");
  // Here: geglu swiglu glu swish gelu relu; there: geglu swiglu glu gelu swish relu, and ... relu gelu swish after 524,288 steps.
  expect(text).toMatch(/\| Images \| 14 of 15 \| \+0\.87 \| 0\.8 % \| 12 of 15 \| \+0\.60 \| 6\.8 % \|/);
});

test("the sentences of the probe stand with a link to it", () => {
  const text = firstEditionDocument([], ["Gates close."]);
  expect(text).toContain("[measured](probe.md)");
  expect(text).toContain("- Gates close.");
});

describe("the pictures", () => {
  for (const [name, picture] of [
    ["ranking", rankingFigure(images)],
    ["curves", curvesFigure(images)],
  ] as const) {
    test(`${name}: whole SVG with its own ground, light and dark, and every variant`, () => {
      expect(picture).toMatch(
        /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" aria-label="[^"]{9,}"/,
      );
      expect(picture).toContain("prefers-color-scheme: dark");
      expect(picture).toContain('fill="#fbfaf6" style="fill: var(--paper)"');
      for (const variant of images.config.variants) expect(picture).toContain(`>${variant.name}<`);
      expect(picture.match(/<svg/g)!.length).toBe(picture.match(/<\/svg>/g)!.length);
      expect(picture).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#\d+;)|NaN|undefined/);
    });
  }
});
