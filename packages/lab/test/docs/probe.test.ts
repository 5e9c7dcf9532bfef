// docs/evidence/probe.md is what its results say; `npm run docs` writes it anew.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { probeMarkdown } from "../../src/probe/markdown.js";
import type { ProbeResults } from "../../src/probe/types.js";

test("docs/evidence/probe.md is current", async () => {
  const file = new URL("../../../../docs/evidence/probe.json", import.meta.url);
  const results: ProbeResults = JSON.parse(readFileSync(file, "utf8"));
  await expect(probeMarkdown(results, "swiglu-lab probe")).toMatchFileSnapshot(
    "../../../../docs/evidence/probe.md",
  );
});
