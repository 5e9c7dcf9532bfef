// Makes docs/evidence/<preset>.json of a finished sweep; `npm run docs` then writes docs/evidence.md anew.
// Usage: node scripts/evidence.mjs <preset> <folder>, as in: node scripts/evidence.mjs evidence-language runs/state-of-the-union-7x8-...
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { collect, evidenceJson } from "../packages/lab/dist/evidence/collect.js";
import { messageOf } from "../packages/lab/dist/system/errors.js";

const [preset, folder] = process.argv.slice(2);
if (preset === undefined || folder === undefined) {
  console.error("Usage: node scripts/evidence.mjs <preset> <folder of a finished sweep>");
  process.exit(1);
}
try {
  const json = evidenceJson(collect(preset, folder));
  const target = new URL(`../docs/evidence/${preset}.json`, import.meta.url);
  mkdirSync(new URL(".", target), { recursive: true });
  writeFileSync(target, json);
  console.log(`${fileURLToPath(target)}: ${json.length} bytes. Now: npm run docs`);
} catch (thrown) {
  console.error(`error: ${messageOf(thrown)}`);
  process.exitCode = 1;
}
