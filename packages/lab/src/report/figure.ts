// Charts as a picture of their own, an SVG file, for documents that have no style sheet: it brings its colours, paints its
// own ground, and is light or dark after the reader's system.
import { palette } from "./style.js";
import { withPlainColours } from "./svg.js";
import { escapeHtml } from "./tables.js";

export interface Part {
  /** An SVG that `svg` drew. */
  readonly chart: string;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly note?: string;
}

const MARGIN = 16;
const HEAD = 34;
const FOOT = 12;

/**
 * Charts of one size in rows.
 *
 * @param columns charts in a row
 * @param label says to a screen reader what the picture shows
 */
export function figure(parts: readonly Part[], columns: number, label: string): string {
  const width = Math.max(...parts.map((part) => part.width)) + MARGIN;
  const height = Math.max(...parts.map((part) => part.height)) + HEAD + FOOT;
  const rows = Math.ceil(parts.length / columns);
  const size = [columns * width + MARGIN, rows * height + MARGIN];
  return withPlainColours(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(label)}" width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size[0]} ${size[1]}" fill="#21201c">
<style>${palette}
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; fill: var(--ink); }
.title { font-size: 13px; font-weight: 600; } .note { font-size: 11px; fill: var(--quiet); }
.plot { overflow: visible; color: var(--ink); font-size: 11px; } .plot text { white-space: pre; }
</style>
<rect width="100%" height="100%" rx="8" fill="var(--paper)"/>
${parts.map((part, i) => placed(part, MARGIN + (i % columns) * width, MARGIN + Math.floor(i / columns) * height)).join("\n")}
</svg>
`);
}

const placed = ({ chart, title, note = "" }: Part, x: number, y: number): string =>
  `<text class="title" x="${x}" y="${y + 10}">${escapeHtml(title)}</text>
<text class="note" x="${x}" y="${y + 25}">${escapeHtml(note)}</text>
${chart.replace("<svg ", `<svg x="${x}" y="${y + HEAD - 4}" `)}`;
