// Random graphs of all operations, values and gradients, with ONNX Runtime's optimisation and without it: in both float types the same
// numbers but for rounding. Hand-written norms, activations and products are among the parts, with any epsilon and
// factor, since those are what its fusions look for.
import * as g from "onnx-grad";
import { compile, constant, gradient, input, type Tensor } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { activations } from "swiglu";
import { describe, expect, it } from "vitest";
import { numbers } from "./finite-differences.js";

type Float = "float32" | "float64";

const GRAPHS = 60;
const [ROWS, WIDTH] = [4, 6];

/** Parts that take x [4, 6] to [4, 6], with numbers of their own; each keeps values of moderate size. */
type Part = (x: Tensor, of: Draw) => Tensor;
interface Draw {
  /** A number between two. */
  number(from: number, to: number): number;
  /** A tensor [4, 6] of those there are. */
  other(): Tensor;
  /** A row [6], a square [6, 6] and indices, as inputs. */
  readonly row: Tensor;
  readonly bias: Tensor;
  readonly square: Tensor;
  readonly rows: Tensor;
}

const tame = (x: Tensor): Tensor => g.tanh(x);
const above1 = (x: Tensor): Tensor => g.add(g.mul(x, x), 1);
const batch = (x: Tensor): Tensor => g.reshape(x, [2, 2, WIDTH]);
const flat = (x: Tensor): Tensor => g.reshape(x, [ROWS, WIDTH]);

const parts: Record<string, Part> = {
  // Operations alone.
  add: (x, of) => g.add(x, of.other()),
  addNumber: (x, of) => g.add(x, of.number(-1, 1)),
  addRow: (x, of) => g.add(x, of.row),
  sub: (x, of) => g.sub(of.other(), x),
  mul: (x, of) => g.mul(tame(x), of.other()),
  mulNumber: (x, of) => g.mul(x, of.number(-1.5, 1.5)),
  div: (x, of) => g.div(x, above1(of.other())),
  pow: (x, of) => g.pow(above1(x), of.number(-1, 1)),
  neg: (x) => g.neg(x),
  abs: (x) => g.abs(x),
  exp: (x) => g.exp(tame(x)),
  log: (x) => g.log(above1(x)),
  sqrt: (x) => g.sqrt(above1(x)),
  sigmoid: (x) => g.sigmoid(x),
  tanh: (x) => g.tanh(x),
  relu: (x) => g.relu(x),
  maximum: (x, of) => g.maximum(x, of.other()),
  minimum: (x, of) => g.minimum(x, of.number(0, 1)),
  where: (x, of) => g.where(g.greater(of.row, of.number(-1, 1)), x, of.other()),
  whereEqual: (x, of) => g.where(g.equal(g.reshape(of.rows, [ROWS, 1]), 2), x, of.other()),
  greaterOrEqual: (x, of) => g.mul(x, g.cast(g.greaterOrEqual(of.row, 0), x.dtype)),
  cast: (x) => g.cast(g.cast(g.greater(x, 0), "int32"), x.dtype),
  expand: (x) => g.expand(g.mean(x, 0, true), [ROWS, WIDTH]),
  sum: (x) => g.mul(g.sum(x, -1, true), g.expand(constant(0.2, x.dtype), [ROWS, WIDTH])),
  sumTo: (x, of) => g.add(of.other(), g.sumTo(tame(x), [1, WIDTH])),
  mean: (x, of) => g.sub(of.other(), g.mean(x, [0, 1], true)),
  max: (x) => g.sub(x, g.max(x, -1, true)),
  transpose: (x) => g.transpose(g.reshape(x, [WIDTH, ROWS])),
  concat: (x, of) => g.concat([g.slice(x, 0, 2, 1), g.slice(of.other(), 2, WIDTH, 1)], 1),
  split: (x) => g.concat(g.split(x, [1, 3, 2], 1).reverse(), 1),
  slice: (x) => g.pad(g.slice(x, 1, 3, 0), 1, 1, 0),
  embedding: (x, of) => g.embedding(x, of.rows),
  gatherElements: (x, of) => g.mul(x, g.gatherElements(x, g.reshape(of.rows, [ROWS, 1]), 1)),
  scatterAdd: (x, of) =>
    g.scatterAdd(x, g.expand(g.reshape(of.rows, [ROWS, 1]), [ROWS, WIDTH]), of.other(), 0),
  matmul: (x, of) => g.matmul(x, of.square, { transposeB: true, scale: of.number(0.1, 0.5) }),
  linear: (x, of) => g.linear(x, of.square, of.bias),
  softmax: (x) => g.softmax(x),
  logSoftmax: (x) => g.logSoftmax(x),
  standardise: (x, of) => g.standardise(x, of.number(0.1, 4)),
  layerNorm: (x, of) => g.layerNorm(x, of.row, of.bias, of.number(0.1, 4)),
  rmsNorm: (x, of) => g.rmsNorm(x, of.row, of.number(0.1, 4)),
  logLoss: (x, of) => g.mul(x, g.reshape(g.logLoss(x, of.rows), [ROWS, 1])),
  crossEntropy: (x, of) => g.add(x, g.crossEntropy(x, of.rows, { padding: true })),
  dropout: (x, of) => g.dropout(x, g.cast(g.greater(of.row, 0), x.dtype), 0.7),
  activate: (x, of) =>
    g.activate(activations.swiglu.expression, { gate: x, up: of.row, beta: of.number(0.5, 2) }),
  // Compositions that ONNX Runtime knows.
  silu: (x) => g.mul(x, g.sigmoid(x)),
  quickGelu: (x, of) => g.mul(x, g.sigmoid(g.mul(x, of.number(0.5, 2)))),
  geluTanh: (x, of) => {
    const inner = g.mul(g.add(x, g.mul(g.pow(x, 3), of.number(0.04, 0.05))), Math.sqrt(2 / Math.PI));
    return g.mul(g.mul(x, 0.5), g.add(g.tanh(inner), 1));
  },
  fastGelu: (x) => g.activate(activations.gelu.expression, { x }, { math: "fast" }),
  fastMish: (x) => g.activate(activations.mish.expression, { x }, { math: "fast" }),
  fastSwish: (x, of) =>
    g.activate(activations.swish.expression, { x, beta: of.number(0.5, 2) }, { math: "fast" }),
  rms: (x, of) => g.mul(g.div(x, g.sqrt(g.add(g.mean(g.mul(x, x), -1, true), of.number(0.1, 4)))), of.row),
  rmsOfPow: (x, of) =>
    g.mul(g.div(x, g.sqrt(g.add(g.mean(g.pow(x, 2), -1, true), of.number(0.1, 4)))), of.row),
  norm: (x, of) => {
    const centred = g.sub(x, g.mean(x, -1, true));
    const deviation = g.sqrt(g.add(g.mean(g.pow(centred, 2), -1, true), of.number(0.1, 4)));
    return g.add(g.mul(g.div(centred, deviation), of.row), of.bias);
  },
  // With the epsilon as the first operand, where fusions look for it as the second.
  rmsTurned: (x, of) =>
    g.mul(of.row, g.div(x, g.sqrt(g.add(of.number(0.1, 4), g.mean(g.pow(x, 2), -1, true))))),
  normTurned: (x, of) => {
    const centred = g.sub(x, g.mean(x, -1, true));
    const deviation = g.sqrt(g.add(of.number(0.1, 4), g.mean(g.pow(centred, 2), -1, true)));
    return g.add(of.bias, g.mul(of.row, g.div(centred, deviation)));
  },
  inverse: (x, of) => g.mul(g.div(1, above1(of.row)), x),
  scaled: (x, of) => flat(g.mul(g.matmul(batch(x), of.square), of.number(0.1, 0.5))),
  divided: (x, of) => flat(g.div(g.matmul(batch(x), of.square), of.number(2, 5))),
  transposed: (x, of) => flat(g.matmul(batch(x), g.transpose(of.square))),
  product: (x, of) => g.matmul(x, g.transpose(of.square)),
  biased: (x, of) => g.add(g.matmul(x, of.square), of.bias),
  ofSigmoid: (x, of) => g.sigmoid(g.linear(x, of.square)),
  ofRelu: (x, of) => g.relu(g.linear(x, of.square, of.bias)),
  biasedSoftmax: (x, of) => flat(g.softmax(g.add(batch(x), of.row))),
  nothing: (x) => g.add(g.mul(x, 1), 0),
  attention: (x, of) => {
    const [q, k] = [batch(g.linear(x, of.square)), batch(x)];
    return flat(g.matmul(g.softmax(g.mul(g.matmul(q, k, { transposeB: true }), of.number(0.2, 0.5))), k));
  },
  residual: (x, of) => g.layerNorm(g.add(x, of.other()), of.row, of.bias, of.number(0.1, 4)),
};

/** A graph of ten parts on four inputs: its loss, and the gradients. */
function randomGraph(seed: number, dtype: Float): Record<string, Tensor> {
  const random = numbers(seed);
  for (let i = 0; i < 9; i++) random(); // the first numbers of near seeds are alike
  const integer = (below: number): number => Math.floor(random() * below);
  const tensors = [input("x", [ROWS, WIDTH], dtype)];
  const vectors = { row: input("row", [WIDTH], dtype), bias: input("bias", [WIDTH], dtype) };
  const square = input("square", [WIDTH, WIDTH], dtype);
  const draw: Draw = {
    // Written in float32, so that both element types compute with one number.
    number: (from, to) => Math.fround(from + (to - from) * random()),
    other: () => tensors[integer(tensors.length)]!,
    ...vectors,
    square,
    rows: input("rows", [ROWS], "int32"),
  };
  const names = Object.keys(parts);
  for (let i = 0; i < 10; i++) {
    const name = i === 0 ? names[seed % names.length]! : names[integer(names.length)]!;
    const x = random() < 0.6 ? tensors.at(-1)! : draw.other();
    tensors.push(parts[name]!(x, draw));
  }
  const y = tensors.at(-1)!;
  const loss = g.mean(g.mul(y, g.tanh(y)));
  const wrt = [tensors[0]!, vectors.row, vectors.bias, square];
  const gradients = gradient(loss, wrt);
  return { y, loss, ...Object.fromEntries(gradients.map((dx, i) => [`d${i}`, dx])) };
}

const data: Record<string, readonly number[]> = (() => {
  const random = numbers(99);
  const of = (count: number) => Array.from({ length: count }, () => Math.fround(3 * random() - 1.5));
  return { x: of(ROWS * WIDTH), row: of(WIDTH), bias: of(WIDTH), square: of(WIDTH ** 2), rows: [2, 0, 3, 2] };
})();

async function results(outputs: Record<string, Tensor>, session: Record<string, unknown>) {
  const program = await compile(ort, outputs, { session });
  const taken = program.model.inputs.map(({ name }) => [name, data[name]!] as const);
  const values = await program.run(Object.fromEntries(taken));
  await program.dispose();
  return values;
}

/** The largest difference of any output, in units of that output's largest number. */
async function difference(outputs: Record<string, Tensor>): Promise<number> {
  const optimised = await results(outputs, {});
  const plain = await results(outputs, { graphOptimizationLevel: "disabled" });
  let worst = 0;
  for (const name of Object.keys(outputs)) {
    const [a, b] = [optimised[name]!, plain[name]!].map((values) => Array.from(values, Number)) as [
      number[],
      number[],
    ];
    const size = Math.max(1e-3, ...b.map(Math.abs));
    a.forEach((value, i) => {
      worst = Math.max(worst, Number.isFinite(value - b[i]!) ? Math.abs(value - b[i]!) / size : Infinity);
    });
  }
  return worst;
}

describe("optimised and not, the same but for rounding", () => {
  it("every operation is among the parts", async () => {
    const operations = Object.keys(await import("../dist/operations/index.js"));
    const written = Object.values(parts).map(String).join("\n");
    const used = (name: string): boolean => new RegExp(`\\.${name}\\b`).test(written);
    expect(operations.filter((name) => !used(name))).toEqual([]);
  });

  for (const dtype of ["float32", "float64"] as const) {
    const bound = dtype === "float32" ? 1e-5 : 1e-13;
    it(`each part alone, in ${dtype}: within ${bound}`, async () => {
      for (const [name, part] of Object.entries(parts)) {
        const x = input("x", [ROWS, WIDTH], dtype);
        const of: Draw = {
          number: (from, to) => Math.fround((from + 2 * to) / 3),
          other: () => x,
          row: input("row", [WIDTH], dtype),
          bias: input("bias", [WIDTH], dtype),
          square: input("square", [WIDTH, WIDTH], dtype),
          rows: input("rows", [ROWS], "int32"),
        };
        const y = part(x, of);
        const [dx] = gradient(g.mean(g.mul(y, y)), [x]);
        // Alone first: a gradient reads what is inside a pattern, and fusions then leave it as it is.
        expect(await difference({ y }), name).toBeLessThanOrEqual(bound);
        expect(await difference({ y, dx: dx! }), `gradient of ${name}`).toBeLessThanOrEqual(bound);
      }
    });

    it(`${GRAPHS} graphs of ten parts, in ${dtype}: within ${bound}`, async () => {
      for (let seed = 1; seed <= GRAPHS; seed++) {
        const { y, ...rest } = randomGraph(seed, dtype);
        expect(await difference({ y: y! }), `seed ${seed}`).toBeLessThanOrEqual(bound);
        expect(await difference({ y: y!, ...rest }), `seed ${seed} with gradients`).toBeLessThanOrEqual(
          bound,
        );
      }
    });
  }
});

describe("patterns that fusions look for are computed as they are written", () => {
  const values = Array.from({ length: 12 }, (_, i) => Math.fround(3 * Math.sin(2.3 * i + 1)));
  const rowsOf = <T>(list: readonly T[]): T[][] => [list.slice(0, 6), list.slice(6)];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const average = (row: readonly number[]): number => row.reduce((a, b) => a + b) / row.length;
  /** Each in the graph and in JavaScript, over rows of six. */
  const patterns: Record<string, [(x: Tensor) => Tensor, (row: number[]) => number[]]> = {
    "x sigmoid(x)": [(x) => g.mul(x, g.sigmoid(x)), (row) => row.map((x) => x * sigmoid(x))],
    "an RMS norm with an epsilon of 3": [
      (x) => g.div(x, g.sqrt(g.add(g.mean(g.pow(x, 2), -1, true), 3))),
      (row) => row.map((x) => x / Math.sqrt(average(row.map((v) => v * v)) + 3)),
    ],
    "the same, the epsilon first": [
      (x) =>
        g.mul(
          g.div(x, g.sqrt(g.add(3, g.mean(g.pow(x, 2), -1, true)))),
          constant([1, 1, 1, 1, 1, 1], x.dtype),
        ),
      (row) => row.map((x) => x / Math.sqrt(average(row.map((v) => v * v)) + 3)),
    ],
    "a layer norm with an epsilon of 3, first": [
      (x) => {
        const centred = g.sub(x, g.mean(x, -1, true));
        const normed = g.div(centred, g.sqrt(g.add(3, g.mean(g.pow(centred, 2), -1, true))));
        return g.add(
          g.mul(normed, constant([1, 2, 3, 4, 5, 6], x.dtype)),
          constant([0, 0, 0, 0, 0, 1], x.dtype),
        );
      },
      (row) => {
        const centred = row.map((x) => x - average(row));
        const deviation = Math.sqrt(average(centred.map((v) => v * v)) + 3);
        return centred.map((x, i) => (x / deviation) * (i + 1) + (i === 5 ? 1 : 0));
      },
    ],
  };
  for (const [name, [build, plain]] of Object.entries(patterns)) {
    for (const [dtype, bound] of [
      ["float32", 1e-6],
      ["float64", 1e-14],
    ] as const) {
      it(`${name}, in ${dtype}: within ${bound} of JavaScript`, async () => {
        const program = await compile(ort, { y: build(input("x", [2, 6], dtype)) });
        const { y } = await program.run({ x: values });
        await program.dispose();
        rowsOf(values)
          .flatMap(plain)
          .forEach((exact, i) => {
            expect(Math.abs(Number(y![i]) - exact)).toBeLessThanOrEqual(bound * Math.max(1, Math.abs(exact)));
          });
      });
    }
  }

  it("options of the caller's session are added: optimisers switched off here stay off", async () => {
    let given: { extra?: Record<string, Record<string, unknown>>; logSeverityLevel?: number } = {};
    const runtime: g.Runtime = {
      Tensor: ort.Tensor as unknown as g.Runtime["Tensor"],
      InferenceSession: {
        create: (model, options) => {
          if (options && "extra" in options) given = options as typeof given;
          return ort.InferenceSession.create(model, options) as unknown as Promise<g.RuntimeSession>;
        },
      },
    };
    const extra = {
      optimization: { disable_specified_optimizers: "QuickGeluFusion" },
      session: { use_ort_model_bytes_directly: "0" },
    };
    const program = await compile(
      runtime,
      { y: g.mul(input("x", [1]), 2) },
      { session: { logSeverityLevel: 3, extra } },
    );
    await program.dispose();
    expect(given.logSeverityLevel).toBe(3);
    expect(given.extra?.optimization?.disable_specified_optimizers).toMatch(
      /^DivMulFusion;.*;QuickGeluFusion$/,
    );
    expect(given.extra?.session).toEqual({
      use_ort_model_bytes_directly: "0",
      intra_op: { allow_spinning: "0" },
    });
  });
});
