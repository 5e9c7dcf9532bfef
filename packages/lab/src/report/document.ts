// An HTML page that needs nothing else: the frame that all pages of the lab share, with the style sheet inside.
import { styleSheet } from "./style.js";
import { escapeHtml } from "./tables.js";

/** The whole page. */
export const htmlDocument = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${styleSheet}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
