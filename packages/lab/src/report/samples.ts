// Translations of the best model, beside what they should have been.
import type { FinishedRun } from "../records/record.js";
import { escapeHtml } from "./tables.js";

/** A section of the report; "" for tasks that translate nothing. */
export function samplesSection(best: FinishedRun | null): string {
  if (best?.samples === undefined) return "";
  const rows = best.samples.map(
    ({ source, reference, output }) =>
      `<div class="sample"><p>${escapeHtml(source)}</p><p>${escapeHtml(reference)}</p><p><strong>${escapeHtml(output)}</strong></p></div>`,
  );
  return `<section>
<h2>Translations</h2>
<p>From the test part, chosen in advance: the source, the reference, and in bold what ${escapeHtml(best.variant)} with seed ${best.seed} wrote, the best model by validation.</p>
${rows.join("\n")}
</section>
`;
}
