// Printed Python, run in PyTorch where it is found: values and gradients of the float64 reference.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { activations } from "../../src/catalogue/catalogue.js";
import { toCode } from "../../src/code/to-code.js";
import { find, unless } from "../runtimes/found.js";
import { all, casesOf } from "./points.js";

const python = find("pytorch");

const program = `
import json, sys, torch
results = []
for job in json.load(sys.stdin):
    scope = {}
    exec(job["code"], scope)
    f = scope[job["name"]]
    columns = list(zip(*[case["inputs"] for case in job["cases"]]))
    inputs = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in columns]
    defaults = f(*inputs)
    # One value of each parameter for each point, so that its gradients come apart.
    own = list(zip(*[case["parameters"] for case in job["cases"]]))
    parameters = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in own]
    y = f(*inputs, *parameters)
    slopes = torch.autograd.grad(y.sum(), inputs + parameters, allow_unused=True)
    slopes = [torch.zeros_like(y) if s is None else s for s in slopes]
    results.append([t.tolist() for t in [defaults, y, *slopes]])
json.dump(results, sys.stdout)
`;

/** What each activation gives in PyTorch: with defaults, with parameters as tensors, then the slopes; a list of points each. */
function runAll(): readonly (readonly (readonly number[])[])[] {
  const jobs = all.map((activation) => {
    const code = toCode(activation, "pytorch");
    return { code, name: [...code.matchAll(/^def (\w+)\(/gm)].at(-1)?.[1], cases: casesOf(activation) };
  });
  const { stdout, stderr } = spawnSync(python as string, ["-c", program], {
    input: JSON.stringify(jobs),
    encoding: "utf8",
    timeout: 120_000,
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(
    stdout.replaceAll("-Infinity", "-1e999").replaceAll("Infinity", "1e999").replaceAll("NaN", "null"),
  );
}

const results = python === undefined ? undefined : runAll();

test
  .skipIf(results === undefined)
  .for(all.map((activation, i) => ({ activation, name: activation.name, i })))(
  `$name: values and gradients in PyTorch${unless("pytorch")}`,
  ({ activation, i }) => {
    const [defaults, ...found] = results?.[i] ?? [];
    casesOf(activation).forEach(({ inputs, expected, bounds }, at) => {
      if (!inputs.every((value) => Math.abs(value) < 1000)) return;
      expect(defaults?.[at]).toBe(found[0]?.[at]);
      expected.forEach((value, k) => {
        if (!Number.isFinite(value)) return;
        // A framework's slopes are of the size of their terms, whose differences may be far smaller.
        const size = Math.max(1, ...inputs.map(Math.abs)) ** 2;
        const tolerance = 2 * (bounds[k] as number) + (k === 0 ? 0 : 1e-15 * size);
        const message = `${k === 0 ? "value" : `slope ${k}`} at ${inputs}: ${found[k]?.[at]}, expected ${value}`;
        expect(Math.abs((found[k]?.[at] ?? Number.NaN) - value), message).toBeLessThanOrEqual(tolerance);
      });
    });
  },
);

test("reads as one would write it", () => {
  expect(toCode(activations.swigluOai, "pytorch")).toBe(`import torch

def swiglu_oai(gate, up, alpha=1.702, limit=7.0, offset=1.0):
    """swigluOai: p * sigmoid(alpha * p) * (clamp(up, -limit, limit) + offset), p = min(gate, limit)

    Source: ${activations.swigluOai.source}
    """
    t1 = torch.clamp(gate, max=limit)
    return t1 * torch.sigmoid(alpha * t1) * (torch.clamp(up, -limit, limit) + offset)
`);
});
