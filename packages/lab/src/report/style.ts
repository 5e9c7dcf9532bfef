// The style sheet of the report: one column of prose, wide figures, light and dark after the reader's system.

/** The colours, as variables. */
export const palette = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf6; --panel: #f3f1ea; --ink: #21201c; --quiet: #6d6a61; --line: #dcd8cc;
  --ungated: #3d6fb4; --gated: #cf5b1f; --self-gated: #2b8a6b; --baseline: #8b877c; --shade: rgb(0 0 0 / 0.28);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16171a; --panel: #1e2024; --ink: #e9e6de; --quiet: #a19d93; --line: #35373c;
    --ungated: #7fa9e6; --gated: #f28b54; --self-gated: #5fc4a1; --baseline: #8f8c84; --shade: rgb(0 0 0 / 0.75);
  }
}`;

export const styleSheet = `${palette}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 3.5rem 1.25rem 5rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 Charter, "Bitstream Charter", "Iowan Old Style", Georgia, serif;
}
main { max-width: 66rem; margin: 0 auto; }
h1, h2, h3, table, .facts, .legend, .panel, summary, .plot, .eyebrow {
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 { font-size: clamp(1.9rem, 5vw, 2.9rem); line-height: 1.12; letter-spacing: -0.025em; margin: 0.3rem 0 1.2rem; }
h2 { font-size: 1.3rem; letter-spacing: -0.01em; margin: 3.2rem 0 0.6rem; }
p, li { max-width: 44rem; }
p { margin: 0.6rem 0; }
ul { padding-left: 1.2rem; margin: 0.6rem 0; }
li { margin: 0.35rem 0; }
.eyebrow { color: var(--quiet); font-size: 0.82rem; margin: 0; }
.lead { font-size: 1.22rem; line-height: 1.5; }
.warning { border-left: 3px solid var(--gated); padding-left: 0.9rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1px; margin: 2rem 0 0; padding: 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 0.6rem; overflow: hidden; }
.facts div { background: var(--panel); padding: 0.75rem 1rem; }
.facts dt { color: var(--quiet); font-size: 0.78rem; }
.facts dd { margin: 0; font-size: 1.05rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; font-size: 0.84rem; color: var(--quiet); margin: 0.8rem 0; padding: 0; list-style: none; }
.legend li { margin: 0; display: flex; align-items: center; gap: 0.45rem; }
.key { width: 1.5rem; height: 0; border-top: 3px solid; border-radius: 2px; }
.key.dashed { border-top: 2px dashed; }
.key.ungated { color: var(--ungated); } .key.gated { color: var(--gated); } .key.self-gated { color: var(--self-gated); }
.key.baseline { color: var(--baseline); }
figure { margin: 1rem 0 0; }
figcaption { color: var(--quiet); font-size: 0.9rem; max-width: 44rem; margin-top: 0.6rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 2.5rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.6rem, 1fr)); gap: 1.2rem 1.1rem; }
.panel h3 { font-size: 0.92rem; margin: 0; }
.panel p { color: var(--quiet); font-size: 0.78rem; line-height: 1.4; margin: 0 0 0.2rem; }
.plot { display: block; width: 100%; height: auto; overflow: visible; color: var(--ink); background: none; font-size: 11px; }
.plot text { fill: currentColor; white-space: pre; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 1rem 0;
  /* Shadows at the edges that hide more: covers of paper move with the content, the shadows stay. */
  background:
    linear-gradient(to right, var(--paper) 40%, transparent) left / 3rem 100% local no-repeat,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% local no-repeat,
    linear-gradient(to right, var(--shade), transparent) left / 0.9rem 100% scroll no-repeat,
    linear-gradient(to left, var(--shade), transparent) right / 0.9rem 100% scroll no-repeat; }
.scroll .plot { min-width: 28rem; }
table { border-collapse: collapse; font-size: 0.86rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: 0.42rem 0 0.42rem 1.1rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; border-bottom-color: var(--quiet); }
th.name, td.name { text-align: left; padding-left: 0; }
td.name { font-weight: 600; }
td.name .key { display: inline-block; width: 0.55rem; height: 0.55rem; border-radius: 50%; border: 0; background: currentColor; margin-right: 0.5rem; }
tr.baseline td { background: var(--panel); }
tbody tr:last-child td { border-bottom: 0; }
.sample { border-top: 1px solid var(--line); padding: 0.6rem 0; font-size: 0.95rem; }
.sample p { margin: 0.15rem 0; }
.sample p:first-child { color: var(--quiet); }
details { margin: 1rem 0; border-top: 1px solid var(--line); padding-top: 0.8rem; }
summary { cursor: pointer; font-size: 0.95rem; font-weight: 600; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.84em; }
pre { background: var(--panel); border-radius: 0.5rem; padding: 1rem; overflow-x: auto; font-size: 0.78rem; line-height: 1.45; }
@media print {
  :root { color-scheme: light; --paper: #fff; --panel: #f3f1ea; --ink: #000; --quiet: #555; --line: #ccc; }
  body { padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; background: none; }
  .scroll table { font-size: 7pt; }
  th, td { padding-left: 0.5rem; white-space: normal; }
  .scroll .plot { min-width: 0; }
  details { break-inside: avoid; }
  figure, .panel, tr { break-inside: avoid; }
}
`;
