// The report as one HTML page that needs nothing else: style sheet, prose, tables and charts are all inside.
import { activationFromJson, textWithParts } from "swiglu";
import { type Family, familyOf } from "../activation/samples.js";
import { describeWaiting } from "../statistics/load.js";
import { describeMatched } from "../statistics/matched.js";
import { metricOf, show } from "../statistics/metric.js";
import { describeTuning } from "../statistics/tuning.js";
import { machinesOf } from "../system/environment.js";
import { definitionOf } from "../tasks/registry.js";
import { count, duration, grouped } from "../words/format.js";
import { analysisSections } from "./analysis-sections.js";
import { htmlDocument } from "./document.js";
import { learningPanels, type Panel } from "./learning-charts.js";
import { differenceChart, metricChart } from "./ranking-charts.js";
import { samplesSection } from "./samples.js";
import { shapePanels } from "./shape-charts.js";
import { escapeHtml, matchedRows, rankingRows, runRows, scrolling, tuningRows } from "./tables.js";
import { methodOf } from "./task-words.js";
import type { Results } from "./types.js";

/** The whole page. */
export function reportPage(results: Results): string {
  const { config, summary, findings, analysis, best, records } = results;
  const activations = new Map(
    config.variants.map(({ name, activation }) => [name, activationFromJson(activation)]),
  );
  const families = new Map([...activations].map(([name, activation]) => [name, familyOf(activation)]));
  const title = `Which activation learns ${config.data.name} best?`;
  const metric = metricOf(config.task);
  const [lead = "", ...shown] = findings.shown;
  const differences = summary.ranking.some(({ difference }) => difference !== null);
  const intervals = summary.ranking.some(({ test }) => test?.metric.half != null);
  return htmlDocument(
    title,
    `<header>
<p class="eyebrow">swiglu-lab: ${count(config.variants.length, "variant")} of one ${definitionOf(config).network}, ${count(config.seeds.length, "seed")} each</p>
<h1>${escapeHtml(title)}</h1>
${findings.primary.length > 0 ? `<p class="lead">${findings.primary.map((answer) => escapeHtml(verdictOf(answer))).join("<br>")}</p>\n<p>${escapeHtml(lead)}</p>` : `<p class="lead">${escapeHtml(lead)}</p>`}
${findings.warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`).join("")}
${facts(results)}
</header>

<section>
<h2>Ranking</h2>
${familyLegend(new Set(families.values()))}
<figure>
<div class="pair">
<div>${scrolling(metricChart(summary, metric, families))}</div>
${differences ? `<div>${scrolling(differenceChart(summary, metric, families))}</div>` : ""}
</div>
<figcaption>${
      intervals
        ? "Large dots are means, bars their 95 % t-intervals, small dots the single seeds. " +
          "Differences are taken seed by seed; a hollow dot means that the interval includes zero. Bars that leave the picture are cut off at its edge."
        : "Large dots are means, small dots the single seeds. Intervals need at least three seeds."
    }</figcaption>
</figure>
</section>

<section class="pair">
<div>
<h2>What the numbers show</h2>
${bullets(shown)}
${best === null ? "" : `<p>The best single model by validation ${metric.name} is ${escapeHtml(best.variant)} with seed ${best.seed} (${show(metric, metric.of(best.validation))}). It is saved beside this page as <code>${best.file}</code>; loaded again, ${escapeHtml(best.checked)}.</p>`}
</div>
<div>
<h2>What they cannot show</h2>
${bullets(findings.limits)}
</div>
</section>

<section>
<h2>In numbers</h2>
${scrolling(rankingRows(summary, config.task, families))}
</section>

${analysisSections(analysis, config.task, findings.primary, results.isFixed)}
${matchedSection(results)}
${samplesSection(summary.best)}
<section>
<h2>Learning curves</h2>
<ul class="legend">
<li><span class="key gated"></span>mean training loss of the variant, its seeds in thin lines</li>
<li><span class="key baseline"></span>mean of ${escapeHtml(summary.baseline)}</li>
</ul>
<figure>${grid(learningPanels(summary, families))}
<figcaption>Training loss (nats, logarithmic) over the steps, each point the mean over the steps since the one before. All panels share their axes.</figcaption>
</figure>
</section>

<section>
<h2>The activations and their gradients</h2>
<ul class="legend">
<li><span class="key gated"></span>value</li>
<li><span class="key dashed"></span>slope: its derivative along the same axis</li>
</ul>
<figure>${grid(shapePanels(summary, activations))}
<figcaption>Trained parameters stand where training left them, on average over blocks and seeds. Gated activations are drawn along the gate, with up held at 1.</figcaption>
</figure>
</section>

<section>
<h2>How it was measured</h2>
${method(results)}
${tuningOf(results)}
<details><summary>All ${records.length} runs</summary>${scrolling(runRows(records, config.task))}</details>
<details><summary>Configuration</summary><pre>${escapeHtml(configText(results))}</pre></details>
</section>`,
  );
}

/** The verdict of an answer: its sentence up to the first full stop, "swiglu against swish: better." */
const verdictOf = (answer: string): string => answer.slice(0, answer.indexOf(". ") + 1 || undefined);

const familyWords: Readonly<Record<Family, string>> = {
  ungated: "ungated: down(a(up(x)))",
  gated: "gated: down(a(gate(x), up(x)))",
  "self-gated": "self-gated: one of the two is the input itself",
};

/** The families that are there. */
const familyLegend = (families: ReadonlySet<Family>): string =>
  `<ul class="legend">\n${(Object.keys(familyWords) as Family[])
    .filter((family) => families.has(family))
    .map((family) => `<li><span class="key ${family}"></span>${familyWords[family]}</li>`)
    .join("\n")}\n</ul>`;

function matchedSection({ matched, config, records }: Results): string {
  if (matched === undefined) return "";
  return `<section>
<h2>At equal cost</h2>
${scrolling(matchedRows(matched))}
${bullets([...describeWaiting(config.steps, records), ...describeMatched(matched)])}
</section>
`;
}

function facts({ config, records }: Results): string {
  const trained = records.find((record) => record.status === "finished");
  const seconds = records.reduce((sum, record) => sum + record.seconds, 0);
  const entries = [
    ["Runs", `${records.length}`],
    ["Steps of a run", grouped(config.steps)],
    [`${capital(definitionOf(config).examples)} per step`, grouped(config.batch)],
    ["Parameters", trained === undefined ? "" : grouped(trained.parameters)],
    ["Learning rate", [...new Set(config.variants.map(({ learningRate }) => learningRate))].join(", ")],
    ["Time, all runs", duration(seconds)],
  ];
  return `<dl class="facts">${entries.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join("")}</dl>`;
}

export function method({
  config,
  environment,
  records = [],
}: Pick<Results, "config" | "environment"> & Partial<Pick<Results, "records">>): string {
  const { weightDecay, clipNorm, threads } = config;
  const { network, split } = methodOf(config);
  return [
    `${network} ` +
      "Only the feed-forward blocks differ between the variants. Their hidden width is chosen so that the parameters of a block match those of the ungated relu block within 1 %.",
    "The variants of one seed see the same batches in the same order and start from the same weights outside the feed-forward blocks, so differences between them come from the activation. " +
      "A trained parameter has one value per block, starts at its default and has no weight decay.",
    `Training uses AdamW (weight decay ${weightDecay}, gradients clipped to norm ${clipNorm}), a linear warm-up and a cosine down to zero, on ONNX Runtime with ${count(threads, "thread")} per process. ` +
      split,
    `Measured on ${machinesOf(records, environment).join("; and ")}.`,
  ]
    .map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`)
    .join("\n");
}

const tuningOf = ({ tuning }: Results): string =>
  tuning === undefined
    ? ""
    : `<p>${escapeHtml(describeTuning(tuning).join(" "))}</p>\n${scrolling(tuningRows(tuning))}`;

/** The configuration with formulas in place of the definitions, which results.json has in full. */
function configText({ config }: Results): string {
  const variants = config.variants.map((variant) => ({
    ...variant,
    activation: textWithParts(activationFromJson(variant.activation).expression),
  }));
  return JSON.stringify({ ...config, variants }, null, 2);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const bullets = (sentences: readonly string[]): string =>
  sentences.length === 0
    ? ""
    : `<ul>${sentences.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join("\n")}</ul>`;

export const grid = (panels: readonly Panel[]): string =>
  `<div class="panels">${panels
    .map(
      ({ name, note, chart }) =>
        `<div class="panel"><h3>${escapeHtml(name)}</h3><p>${escapeHtml(note)}</p>${chart}</div>`,
    )
    .join("\n")}</div>`;
