// The reference backend passes the suite that every backend runs.
import { afterAll, describe, expect, test } from "vitest";
import { reference, relu } from "../../src/index.js";
import { conformanceCases } from "../conformance/index.js";

describe("reference backend", async () => {
  const backend = await reference();
  afterAll(() => backend.dispose());
  for (const { name, run } of conformanceCases({ extent: "full" })) test(name, () => run(backend));
});

test("a disposed backend says so", async () => {
  const backend = await reference();
  backend.dispose();
  backend.dispose();
  await expect(backend.activate(relu, { x: new Float32Array(1) })).rejects.toThrow(
    "this backend is disposed",
  );
});
