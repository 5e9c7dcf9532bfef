// Draws Observable Plot charts on the server: Plot writes into a linkedom document, and the page gets inline SVG.
import { type PlotOptions, plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** A chart as inline SVG; `label` says to a screen reader what it shows. Styles are the page's, in class `plot`. */
export function svg(options: PlotOptions, label: string): string {
  const element = plot({ ...options, document, className: "plot", ariaLabel: label });
  element.querySelector("style")?.remove();
  element.setAttribute("role", "img");
  return element.outerHTML;
}

/** The size and margins of a small multiple. */
export const panelFrame = {
  width: 210,
  height: 140,
  marginLeft: 28,
  marginRight: 8,
  marginTop: 8,
  marginBottom: 22,
} as const;

/** Variables of the page's style sheet, with plain colours for readers that know no variables. */
export const colours = {
  ungated: "var(--ungated, #3d6fb4)",
  gated: "var(--gated, #cf5b1f)",
  "self-gated": "var(--self-gated, #2b8a6b)",
  baseline: "var(--baseline, #8b877c)",
  paper: "var(--paper, #fbfaf6)",
} as const;

/** The colour of a family of activations. */
export const familyColour = {
  ungated: colours.ungated,
  gated: colours.gated,
  "self-gated": colours["self-gated"],
} as const;
