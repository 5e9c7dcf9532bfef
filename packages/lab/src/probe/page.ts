// The probe as one HTML page that needs nothing else, in the style of the report.
import { type Activation, activationFromJson } from "swiglu";
import { familyOf } from "../activation/samples.js";
import { htmlDocument } from "../report/document.js";
import { bullets, grid, method } from "../report/page.js";
import { escapeHtml, htmlTable, plainRow, scrolling } from "../report/tables.js";
import { definitionOf } from "../tasks/registry.js";
import { count } from "../words/format.js";
import { changePanels, curvePanels, type Drawn, gatePanels, inputPanels } from "./charts.js";
import { probeSections, type Section } from "./sections.js";
import { summariseProbe } from "./summary.js";
import type { ProbeResults } from "./types.js";
import { probeWords } from "./words.js";

/** The whole page. */
export function probePage(results: ProbeResults): string {
  const { config, runs } = results;
  const drawn = new Map<string, Drawn>(
    config.variants.map(({ name, activation }) => {
      const parsed: Activation = activationFromJson(activation);
      return [name, { activation: parsed, family: familyOf(parsed) }];
    }),
  );
  const [formulas, gradients, nearby, gates] = probeSections(results);
  const { shown, limits } = probeWords(results);
  const title = `Smoothness, monotonicity and gating on ${config.data.name}`;
  return htmlDocument(
    title,
    `<header>
<p class="eyebrow">swiglu-lab probe: ${count(config.variants.length, "variant")} of one ${definitionOf(config).network}, ${count(config.seeds.length, "seed")} each</p>
<h1>${escapeHtml(title)}</h1>
</header>

<section class="pair">
<div>
<h2>What the numbers show</h2>
${bullets(shown)}
</div>
<div>
<h2>What they cannot show</h2>
${bullets(limits)}
</div>
</section>

${section(formulas, [
  figure(grid(curvePanels(drawn)), "Value (thick), slope (dashed) and second derivative (dotted)."),
])}
${section(gradients, [])}
${section(nearby, [
  figure(
    grid(changePanels(summariseProbe(results), drawn)),
    "The change of the gradient over the distance, both logarithmic; the first variant in grey behind the others. A curve that rises to the left is that of a loss with kinks.",
  ),
])}
${section(gates, [
  figure(
    grid(gatePanels(runs, drawn)),
    "Over the steps: closed gates (thick), flat slopes (dotted), falling slopes (dashed).",
  ),
  figure(
    grid(inputPanels(runs, drawn)),
    "Over the steps: the input of the nonlinearity, its median, middle half and middle nine tenths.",
  ),
])}
<section>
<h2>How it was trained</h2>
${method(results)}
</section>`,
  );
}

const section = ({ title, text, cells }: Section, figures: readonly string[]): string => `<section>
<h2>${escapeHtml(title)}</h2>
<p>${escapeHtml(text)}</p>
${scrolling(htmlTable(cells.head, cells.rows.map(plainRow)))}
${figures.join("\n")}
</section>
`;

const figure = (panels: string, caption: string): string =>
  `<figure>${panels}\n<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
