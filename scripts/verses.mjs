// Aligned verses, English TAB Spanish, from the Debian packages sword-text-kjv (King James, 1769) and sword-text-sparv
// (Reina-Valera, 1909), both in the public domain, for `swiglu-lab compare --task translation --data verses.tsv`.
// Usage: apt-get install sword-text-kjv sword-text-sparv; node scripts/verses.mjs [SWORD FOLDER] > verses.tsv
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

const folder = process.argv[2] ?? "/usr/share/sword";
const modules = join(folder, "modules", "texts", "ztext");
const [english, spanish] = ["engKJV2006eb", "spaRV1909eb"].map((name) => {
  const module = join(modules, name);
  if (!existsSync(module)) {
    console.error(
      `${module} is not there: install sword-text-kjv and sword-text-sparv, or name their folder.`,
    );
    process.exit(1);
  }
  return [...versesIn(module, "ot"), ...versesIn(module, "nt")];
});

// Both have the versification of the King James Version, so that the same place is the same verse.
const lines = english.flatMap((source, i) => {
  const target = spanish[i] ?? "";
  return source === "" || target === "" ? [] : [`${source}\t${target}\n`];
});
process.stdout.write(lines.join(""));
console.error(`${lines.length} verses`);

/**
 * The verses of a testament in SWORD's zText format, in order, "" where there is none: .bzs has for each block of
 * text its place and size in .bzz (compressed by zlib); .bzv has for each verse its block, start and size in that.
 */
function versesIn(module, testament) {
  const [blocks, verses, text] = ["bzs", "bzv", "bzz"].map((type) =>
    readFileSync(join(module, `${testament}.${type}`)),
  );
  const inflated = new Map();
  const block = (i) => {
    if (!inflated.has(i)) {
      const start = blocks.readUInt32LE(12 * i);
      inflated.set(i, inflateSync(text.subarray(start, start + blocks.readUInt32LE(12 * i + 4))));
    }
    return inflated.get(i);
  };
  return Array.from({ length: verses.length / 10 }, (_, i) => {
    const [start, size] = [verses.readUInt32LE(10 * i + 4), verses.readUInt16LE(10 * i + 8)];
    return size === 0 ? "" : plain(block(verses.readUInt32LE(10 * i)).toString("utf8", start, start + size));
  });
}

/** OSIS without notes, titles and marks. */
function plain(osis) {
  return osis
    .replace(/<(note|title)\b[^>]*>.*?<\/\1>/gs, "")
    .replace(/<[^>]*>|¶/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replace(/\s+/gu, " ")
    .trim();
}
