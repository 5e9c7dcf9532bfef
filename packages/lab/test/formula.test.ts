// --formula: an activation of the user's own as text, wherever --activation takes one as a file.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "./cli.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-formula-"));
afterAll(() => rmSync(scratch, { recursive: true }));

test("show", async () => {
  const { code, stdout } = await runCli(
    ["show", "mine", "--formula", "mine(beta = 1.5) = swish(gate, β) * up"],
    scratch,
  );
  expect(code).toBe(0);
  expect(stdout).toContain("gate * sigmoid(beta * gate) * up");
  expect(stdout).toContain("beta = 1.5");
});

test("probe and compare take it, several times", async () => {
  const formulas = ["--formula", "one = silu(gate) * tanh(up)", "--formula", "two = x^2 * sigmoid(x)"];
  const { stdout } = await runCli(["probe", "--shapes", ...formulas], scratch);
  expect(stdout).toMatch(/^one /m);
  expect(stdout).toMatch(/^two /m);
  const plan = await runCli(
    ["compare", "--plan", "--lengths", "0.01", "--variants", "relu,two-trained", ...formulas],
    scratch,
  );
  expect(plan.stderr).toBe("error: two-trained: two has no parameters to train; use two.\n");
});

test.each<[string, string, string]>([
  [
    "the place of a mistake is under the text",
    "siluu(gate) * up",
    "formula, column 1: siluu is not a function. Did you mean silu?\n  siluu(gate) * up\n  ^\n",
  ],
  ["inputs that make no activation", "silu(gate)", "the formula uses gate: expected x"],
  ["a name that is taken", "swiglu = gate * up", "error: --formula defines swiglu, a name that is taken"],
  ["a long text is not shown again", "(".repeat(100_000), "error: --formula: formula has 100000 characters"],
  ["control characters", "x\u001b[31m", "got the character U+001B"],
])("%s", async (_, formula, message) => {
  const { code, stdout, stderr } = await runCli(["show", "formula", "--formula", formula], scratch);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain(message);
  expect(stderr.length).toBeLessThan(1000);
  expect(stderr).not.toContain("\u001b");
  expect(readdirSync(scratch)).toEqual([]);
});
