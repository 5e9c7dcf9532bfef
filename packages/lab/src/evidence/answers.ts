// The answers to the primary questions, from the verdicts: nothing is said that these do not say.
import { type PresetName, presetNames } from "../config/presets.js";
import type { PrimaryComparison, Verdict } from "../statistics/analysis.js";
import { pText } from "../statistics/verdicts.js";
import { count, list, signed } from "../words/format.js";
import { about, titleOf } from "./presets.js";
import type { Evidence } from "./types.js";

const RIVALS: readonly { readonly name: string; readonly title: string }[] = [
  { name: "swish", title: "Swish" },
  { name: "glu", title: "GLU" },
];

/** The presets that the article's claim is about. */
const primaryPresets: readonly PresetName[] = presetNames.filter((name) => about[name].role === "primary");

/** The verdict on one of the primary questions. */
function verdictOn(evidence: Evidence, rival: string): PrimaryComparison {
  return evidence.analysis.outcomes[0]!.primary.find(({ reference }) => reference === rival)!;
}

/** Sentences: one for each rival, what is not done yet, and what becomes of the claim. */
export function answers(all: readonly Evidence[]): string[] {
  const done = all.filter(({ preset }) => primaryPresets.includes(preset));
  const missing = primaryPresets.filter((preset) => !done.some((evidence) => evidence.preset === preset));
  const notDone = missing.map((preset) => about[preset].task);
  if (done.length === 0) return [`Not done yet: ${list(notDone)}. So there is no answer so far.`];
  const verdicts = RIVALS.flatMap(({ name }) => done.map((evidence) => verdictOn(evidence, name).verdict));
  const better = verdicts.filter((verdict) => verdict.startsWith("better")).length;
  const little = verdicts.filter((verdict) => verdict === "better, by less than the margin").length;
  return [
    ...RIVALS.map(({ name, title }) => answer(done, name, title)),
    ...(missing.length === 0 ? [] : [`Not done yet: ${list(notDone)}.`]),
    claim({ better, little, done: verdicts.length }, RIVALS.length * primaryPresets.length),
  ];
}

/** "**Against Swish**, SwiGLU is better on images (-2.1 %); equivalent within the margin on language (-0.3 %)." */
function answer(done: readonly Evidence[], rival: string, title: string): string {
  const groups = new Map<Verdict, string[]>();
  for (const evidence of done) {
    const { verdict, percent } = verdictOn(evidence, rival);
    const size = percent === null ? "" : ` (${signed(percent, 1)} %)`;
    groups.set(verdict, [...(groups.get(verdict) ?? []), `${about[evidence.preset].task}${size}`]);
  }
  const parts = [...groups].map(([verdict, tasks]) => `${verdict} on ${list(tasks)}`);
  return `**Against ${title}**, SwiGLU is ${parts.join("; ")}.`;
}

/** What becomes of the article's claim, that SwiGLU is better than both on every task. */
function claim(
  { better, little, done }: { readonly better: number; readonly little: number; readonly done: number },
  all: number,
): string {
  const head = `The article's claim consists of ${all} comparisons${done < all ? `, of which ${done} are done` : ""}. `;
  const share = better === 0 ? "none" : better < done ? `${better}` : done === 2 ? "both" : `all ${done}`;
  const small = little === 0 ? "" : `, by less than the margin in ${little}`;
  const found = `${head}SwiGLU is better in ${share} of them${small}`;
  if (done < all) return `${found}.`;
  return `${found}: at this scale, the claim is ${better === all ? "" : better === 0 ? "not " : "partly "}borne out.`;
}

/** One row for each task, for those that are not done as well. */
export function answerRows(all: readonly Evidence[]): { head: string[]; rows: string[][] } {
  const shown = presetNames.filter(
    (name) => about[name].role === "primary" || all.some(({ preset }) => preset === name),
  );
  return {
    head: ["task", "runs", ...RIVALS.map(({ title }) => `SwiGLU against ${title}`)],
    rows: shown.map((preset) => {
      const evidence = all.find((each) => each.preset === preset);
      if (evidence === undefined) return [titleOf(preset), "not done yet", ...RIVALS.map(() => "")];
      const cells = RIVALS.map(({ name }) => {
        const { verdict, percent, dunnett } = verdictOn(evidence, name);
        return `**${verdict}**: test loss ${percent === null ? "" : `${signed(percent, 2)} %, `}${pText(dunnett.p)}`;
      });
      const { seeds } = evidence.analysis;
      const { variants } = evidence.config;
      return [
        titleOf(preset),
        `${count(seeds.length, "seed")} of ${count(variants.length, "variant")}`,
        ...cells,
      ];
    }),
  };
}
