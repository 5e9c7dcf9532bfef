// Printed TypeScript, run: the values of the reference, defaults in place.
import { transformWithOxc } from "vite";
import { expect, test } from "vitest";
import { activations } from "../../src/catalogue/catalogue.js";
import { toCode } from "../../src/code/to-code.js";
import { all, casesOf } from "./points.js";

test.each(all)("$name: within the error bound of float64", async (activation) => {
  const code = toCode(activation, "typescript");
  const { code: javascript } = await transformWithOxc(code, "printed.ts");
  const own = /export function (\w+)/.exec(code)?.[1] as string;
  const run = new Function(`${javascript.replace("export function", "function")}\nreturn ${own};`)() as (
    ...values: number[]
  ) => number;
  for (const { inputs, parameters, expected, bounds } of casesOf(activation)) {
    const value = run(...inputs);
    expect(run(...inputs, ...parameters)).toBe(value);
    if (Number.isFinite(expected[0]))
      expect(Math.abs(value - (expected[0] as number)), `at ${inputs}`).toBeLessThanOrEqual(
        2 * (bounds[0] as number),
      );
  }
});

test("reads as one would write it", () => {
  expect(toCode(activations.swiglu, "typescript")).toBe(`/**
 * swiglu: gate * sigmoid(beta * gate) * up
 * Source: Shazeer 2020 (arXiv 2002.05202); beta = 1 in Llama, Mistral, Qwen, Phi-3 and most language models since
 */
export function swiglu(gate: number, up: number, beta = 1): number {
  return gate * sigmoid(beta * gate) * up;
}

function sigmoid(a: number): number {
  return Math.exp(Math.min(a, 0)) / (1 + Math.exp(-Math.abs(a)));
}
`);
});
