// Draws Observable Plot charts on the server: Plot writes into a linkedom document, and the page gets inline SVG.
import { type PlotOptions, plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** A chart as inline SVG; `label` says to a screen reader what it shows. Styles are the page's, in class `plot`. */
export function svg(options: PlotOptions, label: string): string {
  const element = plot({ ...options, document, className: "plot", ariaLabel: label });
  element.querySelector("style")?.remove();
  element.setAttribute("role", "img");
  return withPlainColours(element.outerHTML);
}

/** What the variables of the page's style sheet are in its light form. */
const plain: Readonly<Record<string, string>> = {
  paper: "#fbfaf6",
  ink: "#21201c",
  quiet: "#6d6a61",
  ungated: "#3d6fb4",
  gated: "#cf5b1f",
  "self-gated": "#2b8a6b",
  baseline: "#8b877c",
};

/** Colours that are variables move into the style, beside a plain colour for whatever draws SVG without knowing variables. */
export const withPlainColours = (markup: string): string =>
  markup.replace(/<\w[^>]*>/g, (tag) => {
    const styles: string[] = [];
    const plainTag = tag.replace(
      / (fill|stroke|color)="var\(--([\w-]+)\)"/g,
      (whole, property: string, name: string) => {
        const colour = plain[name];
        if (colour === undefined) return whole;
        styles.push(`${property}: var(--${name})`);
        return ` ${property}="${colour}"`;
      },
    );
    return styles.length === 0 ? tag : plainTag.replace(/\/?>$/, ` style="${styles.join("; ")}"$&`);
  });

/** The size and margins of a small multiple. */
export const panelFrame = {
  width: 210,
  height: 140,
  marginLeft: 28,
  marginRight: 8,
  marginTop: 8,
  marginBottom: 22,
} as const;

/** Variables of the page's style sheet; `svg` puts plain colours beside them. */
export const colours = {
  ungated: "var(--ungated)",
  gated: "var(--gated)",
  "self-gated": "var(--self-gated)",
  baseline: "var(--baseline)",
} as const;

/** The colour of a family of activations. */
export const familyColour = {
  ungated: colours.ungated,
  gated: colours.gated,
  "self-gated": colours["self-gated"],
} as const;
