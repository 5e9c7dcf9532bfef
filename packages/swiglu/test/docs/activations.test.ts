// docs/activations.md is what the catalogue says; `npm run docs` writes it anew.
import { expect, test } from "vitest";
import { activationsDocument } from "./activations-document.js";

test("docs/activations.md is current", async () => {
  await expect(activationsDocument()).toMatchFileSnapshot("../../../../docs/activations.md");
});
