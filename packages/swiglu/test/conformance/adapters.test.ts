// The suite for adapters judges as the suite for backends does: a right adapter passes, wrong ones and stale skips fail.
import { describe, expect, test } from "vitest";
import { type Activation, reference, swiglu } from "../../src/index.js";
import { type Adapter, adapterCases, blockAdapterCases } from "./adapters.js";

const backend = await reference();

/** The reference backend behind an adapter's calls. */
const right: Adapter = {
  value: (activation, inputs, parameters) =>
    backend.activateSync<Activation>(
      activation,
      ("arrays" in inputs ? inputs.arrays : inputs) as never,
      parameters as never,
    ),
  gradients: (activation, inputs, dy, parameters) =>
    backend.activateBackwardSync(
      activation,
      ("arrays" in inputs ? inputs.arrays : inputs) as never,
      dy,
      parameters as never,
    ) as never,
};
const find = (cases: ReturnType<typeof adapterCases>, name: RegExp) => {
  const found = cases.find((each) => name.test(each.name));
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
};

describe("the reference behind an adapter", () => {
  for (const { name, run } of adapterCases(right, { units: 1 }).filter(({ name }) => /wiglu|user/.test(name)))
    test(name, run);
});

describe("the reference's blocks behind an adapter", () => {
  const options = ({ gated, ...block }: Parameters<Parameters<typeof blockAdapterCases>[0]["value"]>[0]) =>
    (gated ? backend.gatedFfn(block as never) : backend.ffn(block as never)) as ReturnType<
      typeof backend.ffn
    >;
  const cases = blockAdapterCases({
    value: async (block, x, rows) => (await options(block)).forward(x, rows),
    gradients: async (block, x, rows, dY) =>
      (await (await (await options(block)).record(x, rows)).backward(dY)) as never,
  });
  for (const { name, run } of cases) test(name, run);
});

test("a value that is off fails, and passes where the claim excepts it", async () => {
  const off = (activation: Activation, x: number, value: number) =>
    activation === swiglu && Math.abs(x) > 1e30 ? 0 : value;
  const wrong: Adapter = {
    ...right,
    value: async (activation, inputs, parameters) => {
      const y = await right.value(activation, inputs, parameters);
      const gate = "arrays" in inputs ? (inputs.arrays.gate ?? inputs.arrays.x) : undefined;
      return y.map((value, i) => off(activation, gate?.[i] ?? 0, value));
    },
  };
  const hard = /^swiglu: value and gradients at hard points/;
  await expect(find(adapterCases(wrong, { units: 1 }), hard).run()).rejects.toThrow(
    /^swiglu value at gate,up,beta/,
  );
  const domain = {
    except: "gates beyond 1e30",
    holds: (_: Activation, point: Readonly<Record<string, number>>) => Math.abs(point.gate ?? 0) <= 1e30,
  };
  const excepted = find(adapterCases(wrong, { units: 1, domain }), hard);
  expect(excepted.name).toContain("(except gates beyond 1e30)");
  await excepted.run();
});

test("a skip names its reason, and must match", () => {
  const cases = adapterCases(right, { units: 1 }, [[/^mish: NaN/, "the framework has no NaN"]]);
  expect(find(cases, /^mish: NaN/)).toMatchObject({ skip: true });
  expect(find(cases, /^mish: NaN/).name).toMatch(/: the framework has no NaN$/);
  expect(() => adapterCases(right, { units: 1 }, [[/^mush/, "nothing"]])).toThrow("/^mush/ skips no case");
});
