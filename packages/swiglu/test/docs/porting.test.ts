// docs/porting.md: every worked example runs, on weights from a seed, and gives what the framework's own formula gives,
// which is written here once more, in float64, from the framework's sources.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as swiglu from "swiglu";
import { describe, expect, test } from "vitest";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";

const document = readFileSync(fileURLToPath(new URL("../../../../docs/porting.md", import.meta.url)), "utf8");
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...parameters: string[]
) => (...values: unknown[]) => Promise<Float32Array>;

type State = Readonly<Record<string, Float32Array>>;
const [rows, dModel, dFf, experts, expert] = [3, 5, 7, 2, 1];
const x = plainFloats(rows * dModel, 1, 2);

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const silu = (z: number): number => z * sigmoid(z);

/** Row `r` of a matrix with `width` columns. */
const row = (matrix: ArrayLike<number>, r: number, width: number): number[] =>
  Array.from({ length: width }, (_, i) => matrix[r * width + i] as number);

/** torch.nn.functional.linear: W is [out, in]. */
function torchLinear(v: readonly number[], W: Float32Array, b?: Float32Array): number[] {
  return Array.from({ length: W.length / v.length }, (_, out) =>
    v.reduce((sum, value, i) => sum + value * (W[out * v.length + i] as number), b?.[out] ?? 0),
  );
}

/** v @ W + b: W is [in, out], as in keras.layers.Dense and in torch's own matmul. */
function product(v: readonly number[], W: Float32Array, b: Float32Array): number[] {
  const width = W.length / v.length;
  return Array.from({ length: width }, (_, out) =>
    v.reduce((sum, value, i) => sum + value * (W[i * width + out] as number), b[out] as number),
  );
}

const byRow = (f: (v: number[]) => number[]): number[] =>
  Array.from({ length: rows }, (_, r) => f(row(x, r, dModel))).flat();

/** Names and sizes of a checkpoint's tensors, and the framework's own formula. */
interface Port {
  readonly sizes: Readonly<Record<string, number>>;
  readonly formula: (state: State) => number[];
}
const at = (state: State, name: string): Float32Array => state[name] as Float32Array;

const ports: Readonly<Record<string, Port>> = {
  "PyTorch `F.glu`": {
    sizes: { input: 36 },
    formula: ({ input }) =>
      Array.from({ length: 18 }, (_, i) => {
        const [batch, channel, column] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
        const element = (c: number): number => (input as Float32Array)[batch * 18 + c * 3 + column] as number;
        return element(channel) * sigmoid(element(channel + 3));
      }),
  },
  Keras: {
    sizes: {
      "dense/kernel": dModel * 2 * dFf,
      "dense/bias": 2 * dFf,
      "dense_1/kernel": dFf * dModel,
      "dense_1/bias": dModel,
    },
    formula: (state) =>
      byRow((v) => {
        const both = product(v, at(state, "dense/kernel"), at(state, "dense/bias"));
        const [a, b] = [both.slice(0, dFf), both.slice(dFf)];
        const hidden = a.map((value, i) => value * sigmoid(b[i] as number));
        return product(hidden, at(state, "dense_1/kernel"), at(state, "dense_1/bias"));
      }),
  },
  Llama: {
    sizes: {
      "mlp.gate_proj.weight": dFf * dModel,
      "mlp.up_proj.weight": dFf * dModel,
      "mlp.down_proj.weight": dModel * dFf,
    },
    formula: (state) =>
      byRow((v) => {
        const gate = torchLinear(v, at(state, "mlp.gate_proj.weight"));
        const up = torchLinear(v, at(state, "mlp.up_proj.weight"));
        const hidden = gate.map((value, i) => silu(value) * (up[i] as number));
        return torchLinear(hidden, at(state, "mlp.down_proj.weight"));
      }),
  },
  "Phi-3": {
    sizes: { "mlp.gate_up_proj.weight": 2 * dFf * dModel, "mlp.down_proj.weight": dModel * dFf },
    formula: (state) =>
      byRow((v) => {
        const both = torchLinear(v, at(state, "mlp.gate_up_proj.weight"));
        const [gate, up] = [both.slice(0, dFf), both.slice(dFf)];
        const hidden = up.map((value, i) => value * silu(gate[i] as number));
        return torchLinear(hidden, at(state, "mlp.down_proj.weight"));
      }),
  },
  "gpt-oss": {
    sizes: {
      "mlp.experts.gate_up_proj": experts * dModel * 2 * dFf,
      "mlp.experts.gate_up_proj_bias": experts * 2 * dFf,
      "mlp.experts.down_proj": experts * dFf * dModel,
      "mlp.experts.down_proj_bias": experts * dModel,
    },
    formula: (state) =>
      byRow((v) => {
        const own = (name: string, size: number): Float32Array =>
          at(state, `mlp.experts.${name}`).slice(expert * size, (expert + 1) * size);
        const both = product(v, own("gate_up_proj", dModel * 2 * dFf), own("gate_up_proj_bias", 2 * dFf));
        const gate = both.filter((_, i) => i % 2 === 0).map((value) => Math.min(value, 7));
        const up = both.filter((_, i) => i % 2 === 1).map((value) => Math.max(-7, Math.min(value, 7)));
        const hidden = gate.map((value, i) => ((up[i] as number) + 1) * (value * sigmoid(value * 1.702)));
        return product(hidden, own("down_proj", dFf * dModel), own("down_proj_bias", dModel));
      }),
  },
  xformers: {
    sizes: {
      "w12.weight": 2 * dFf * dModel,
      "w12.bias": 2 * dFf,
      "w3.weight": dModel * dFf,
      "w3.bias": dModel,
    },
    formula: (state) =>
      byRow((v) => {
        const [w12, b12] = [at(state, "w12.weight"), at(state, "w12.bias")];
        const x1 = torchLinear(v, w12.subarray(0, dFf * dModel), b12.subarray(0, dFf));
        const x2 = torchLinear(v, w12.subarray(dFf * dModel), b12.subarray(dFf));
        const hidden = x1.map((value, i) => silu(value) * (x2[i] as number));
        return torchLinear(hidden, at(state, "w3.weight"), at(state, "w3.bias"));
      }),
  },
};

/** The snippets of the worked examples by heading. */
const snippets = new Map(
  [...document.matchAll(/^### (.+)$([\s\S]*?)(?=^##)/gm)].map(([, heading = "", body = ""]) => [
    heading,
    /```ts\n([\s\S]*?)```/.exec(body)?.[1] ?? "",
  ]),
);

test("every worked example is checked", () => {
  expect([...snippets.keys()]).toEqual(Object.keys(ports));
});

/** Runs a snippet with the tensors in place, on one of the library's backends; the result is its `y`. */
async function run(code: string, state: State, backend: "wasm" | "reference"): Promise<Float32Array> {
  const names = [...code.matchAll(/^import \{([^}]*)\} from "swiglu";$/gm)].flatMap(([, list = ""]) =>
    list.split(",").map((name) => name.trim()),
  );
  for (const name of names) expect(swiglu).toHaveProperty(name);
  const scope = {
    ...Object.fromEntries(names.map((name) => [name, Reflect.get(swiglu, name)])),
    ...{ state, x, rows, dModel, dFf, expert, wasm: Reflect.get(swiglu, backend) },
  };
  const body = code.replace(/^import .*$/gm, "");
  return new AsyncFunction(...Object.keys(scope), `${body}\nreturn y;`)(...Object.values(scope));
}

describe.each(Object.entries(ports))("%s", (name, { sizes, formula }) => {
  // Large enough that gpt-oss's limits of 7 are met on both sides.
  const state = Object.fromEntries(
    Object.entries(sizes).map(([key, size], i) => [key, plainFloats(size, 7 + i, 4)]),
  );

  test.each(["wasm", "reference"] as const)(
    "%s: the framework's formula, within 1e-5 of the largest",
    async (backend) => {
      const y = await run(snippets.get(name) as string, state, backend);
      expectArrayClose(y, formula(state), 1e-5, name);
    },
  );

  test("another layout or orientation would be noticed", async () => {
    const code = snippets.get(name) as string;
    const wrong = code.includes("layout")
      ? code.replace(/"(gate-first|gate-second|interleaved)"/, (_, layout) =>
          layout === "gate-first" ? '"gate-second"' : '"gate-first"',
        )
      : code.replaceAll(/transpose\((state\[[^\]]*\]), [^)]*\)/g, "$1");
    expect(wrong).not.toBe(code);
    const y = await run(wrong, state, "reference");
    expect(() => expectArrayClose(y, formula(state), 1e-2, name)).toThrow(name);
  });
});

test("gpt-oss's limits are met, so that the example shows them", () => {
  const { sizes } = ports["gpt-oss"] as Port;
  const [weight, bias] = Object.values(sizes).map((size, i) => plainFloats(size, 7 + i, 4)) as [
    Float32Array,
    Float32Array,
  ];
  const both = byRow((v) =>
    product(v, weight.slice(expert * dModel * 2 * dFf), bias.slice(expert * 2 * dFf)),
  );
  expect(both.filter((value, i) => i % 2 === 0 && value > 7).length).toBeGreaterThan(0);
  expect(both.filter((value, i) => i % 2 === 1 && value > 7).length).toBeGreaterThan(0);
  expect(both.filter((value, i) => i % 2 === 1 && value < -7).length).toBeGreaterThan(0);
});
