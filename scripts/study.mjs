// Publishes what is finished of a study, also while it goes on: docs/evidence/<preset>.json. `npm run docs` then writes the documents anew.
// Usage: node scripts/study.mjs <folder of the study>, as in: node scripts/study.mjs runs/state-of-the-union-study-...
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("Usage: node scripts/study.mjs <folder of the study>");
  process.exit(1);
}
const text = readFileSync(join(folder, "study.json"), "utf8");
const { preset, cells } = JSON.parse(text);
if (preset === undefined) {
  console.error(`error: ${folder} is not of a preset, and only those are published.`);
  process.exit(1);
}
const target = new URL(`../docs/evidence/${preset}.json`, import.meta.url);
writeFileSync(target, text);
console.log(
  `${fileURLToPath(target)}: ${cells.length} finished parts, ${text.length} bytes. Now: npm run docs`,
);
