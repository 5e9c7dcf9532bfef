// The layers: values against the reference backend, what they keep in a file, masks, errors, and that nothing leaks.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  activationToJson,
  defineActivation,
  expressions as e,
  evaluate,
  reference,
  unpack,
} from "../../src/index.js";
import { GatedDense, GatedFfn, Glu, registerLayers, SelfGated, Swish } from "../../src/tfjs/index.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { backends, useBackend } from "./backends.js";

const registered = () => tf.serialization.SerializationMap.getMap().classNameMap;
const names = ["Swish", "Glu", "GatedDense", "SelfGated", "GatedFfn"];

test("importing registers nothing; registerLayers does, and may be called twice", () => {
  for (const name of names) expect(registered()).not.toHaveProperty(name);
  registerLayers();
  registerLayers();
  for (const name of names) expect(registered()).toHaveProperty(name);
});

/** Capitals, underscores and carets, which TensorFlow.js's files do not keep by themselves. */
const own = defineActivation({
  name: "My_GLU",
  kind: "gated",
  parameters: { Slope_A: 2, limit2X: 5 },
  expression: e.mul(e.sigmoid(e.mul("Slope_A", "gate")), e.min("up", "limit2X")),
  source: "Me (arXiv 2026.A_B ^x)",
});

const { l2 } = tf.regularizers;
const { minMaxNorm, nonNeg, maxNorm } = tf.constraints;

/** Layers with every setting away from its default, each with an input shape. */
const layers: Readonly<Record<string, () => tf.layers.Layer>> = {
  "Swish, fixed": () => new Swish({ beta: -1.25, inputShape: [6] }),
  "Swish, fixed for each channel": () => new Swish({ beta: [1, -2, 0.5, 3, 1, 1.75], inputShape: [2, 6] }),
  "Swish, trainable": () =>
    new Swish({
      beta: { value: 1.5, trainable: true, regularizer: "l1l2" },
      inputShape: [6],
      name: "My_Swish",
    }),
  "Swish, trainable for each channel": () =>
    new Swish({
      beta: {
        trainable: "per-channel",
        initializer: tf.initializers.randomUniform({ minval: 0.5, maxval: 2 }),
      },
      inputShape: [2, 6],
    }),
  "Glu, the article's": () => new Glu({ activation: "swiglu", layout: "gate-second", inputShape: [6] }),
  "Glu, another axis": () =>
    new Glu({
      activation: activations.swigluOai,
      layout: "interleaved",
      axis: 1,
      parameters: { alpha: { value: 1.5, trainable: true, constraint: nonNeg() }, limit: 2 },
      inputShape: [4, 3],
    }),
  "Glu, of a unary activation, axis from the end": () =>
    new Glu({ activation: "mish", layout: "gate-first", axis: -2, inputShape: [4, 3] }),
  GatedDense: () => new GatedDense({ units: 5, inputShape: [6] }),
  "GatedDense, everything set": () =>
    new GatedDense({
      units: 5,
      activation: "swigluStep",
      parameters: { limit: { value: [1, 2, 3, 4, 5], trainable: "per-channel" } },
      useBias: false,
      kernelInitializer: "heNormal",
      upKernelInitializer: tf.initializers.truncatedNormal({ stddev: 0.5, seed: 7 }),
      kernelRegularizer: l2({ l2: 0.125 }),
      gateKernelConstraint: minMaxNorm({ minValue: 0.1, maxValue: 2, rate: 0.5, axis: 0 }),
      upKernelConstraint: maxNorm({ maxValue: 3 }),
      inputShape: [3, 6],
      trainable: false,
    }),
  "GatedDense, user-defined": () =>
    new GatedDense({
      units: 5,
      activation: own,
      parameters: { Slope_A: { value: 0.75, trainable: true }, limit2X: 0.5 },
      biasInitializer: "ones",
      inputShape: [6],
    }),
  "GatedDense, user-defined as JSON": () =>
    new GatedDense({ units: 5, activation: activationToJson(own), inputShape: [6] }),
  SelfGated: () =>
    new SelfGated({ parameters: { beta: { trainable: "per-channel", value: 0.5 } }, inputShape: [6] }),
  "SelfGated, selfGlu": () =>
    new SelfGated({
      activation: "selfGlu",
      useBias: false,
      kernelInitializer: "orthogonal",
      inputShape: [2, 6],
    }),
  GatedFfn: () => new GatedFfn({ dFf: 7, inputShape: [2, 6] }),
  "GatedFfn, everything set": () =>
    new GatedFfn({
      dFf: 7,
      activation: "xielu",
      parameters: {
        alphaP: 0.7,
        alphaN: { trainable: true },
        beta: { trainable: "per-channel", value: 0.25 },
      },
      useBias: true,
      downBiasInitializer: tf.initializers.constant({ value: 0.5 }),
      inputShape: [2, 6],
    }),
};

const inputFor = (model: tf.LayersModel, seed: number): tf.Tensor => {
  const shape = [3, ...(model.inputs[0] as tf.SymbolicTensor).shape.slice(1)] as number[];
  return tf.tensor(
    plainFloats(
      shape.reduce((a, b) => a * b),
      seed,
      2,
    ),
    shape,
  );
};

/** A configuration as JSON holds it; an unset seed of an initialiser is null there. */
const plain = (config: tf.serialization.ConfigDict): unknown =>
  JSON.parse(JSON.stringify(config, (_, value: unknown) => value ?? null));

/** Saves a model as a file would hold it. */
async function saved(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = { ...given, modelTopology: JSON.parse(JSON.stringify(given.modelTopology)) as object };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return artifacts;
}

describe.each(backends)("layers on the %s backend", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerLayers();
  });

  test.each(Object.keys(layers))(
    "%s: loads from a file with every setting, weight and prediction",
    async (name) => {
      const model = tf.sequential({ layers: [(layers[name] as () => tf.layers.Layer)()] });
      // Trained a little, so that no weight is what a fresh layer would have.
      model.compile({ optimizer: tf.train.sgd(0.1), loss: "meanSquaredError" });
      const x = inputFor(model, 1);
      const wanted = tf.zerosLike(model.predict(x) as tf.Tensor);
      if (model.trainableWeights.length > 0) await model.trainOnBatch(x, wanted);
      const artifacts = await saved(model);
      const again = await tf.loadLayersModel(tf.io.fromMemory(artifacts));

      const [before, after] = [model.layers[0], again.layers[0]] as [tf.layers.Layer, tf.layers.Layer];
      expect(plain(after.getConfig())).toEqual(plain(before.getConfig()));
      expect(after.trainable).toBe(before.trainable);
      expect(after.trainableWeights.length).toBe(before.trainableWeights.length);
      expect(after.weights.map(({ shape }) => shape)).toEqual(before.weights.map(({ shape }) => shape));
      const predictions = [model, again].map((each) => (each.predict(x) as tf.Tensor).dataSync());
      // Loading applies constraints once more, which may round.
      const share = name.endsWith("everything set") ? 1e-6 : 0;
      expectArrayClose(predictions[1] as Float32Array, predictions[0] as Float32Array, share, "predictions");
      // A second time, the file is the same.
      expect((await saved(again)).modelTopology).toEqual(artifacts.modelTopology);
      // What symbolic shapes promise is what comes.
      const promised = (model.outputs[0] as tf.SymbolicTensor).shape.slice(1);
      expect((model.predict(x) as tf.Tensor).shape.slice(1)).toEqual(promised);
    },
  );

  test("Swish and Glu compute what the reference does", async () => {
    const core = await reference();
    const x = plainFloats(24, 4, 5);
    const beta = Float32Array.of(1, -2, 0.5);
    const swish = new Swish({ beta: [...beta] }).apply(tf.tensor(x, [8, 3])) as tf.Tensor;
    const exact = await core.activate(activations.swish, { x }, { beta });
    expectArrayClose(swish.dataSync(), exact, 1e-6, "swish");
    for (const layout of ["gate-first", "gate-second", "interleaved"] as const)
      for (const axis of [1, 2, -1, -2]) {
        const glu = new Glu({ activation: "swigluBlend", layout, axis, parameters: { beta: 1.5 } });
        const y = glu.apply(tf.tensor(x, [3, 4, 2])) as tf.Tensor;
        const halves = unpack(x, [3, 4, 2], { layout, axis });
        const wanted = await core.activate(activations.swigluBlend, halves, { beta: 1.5 });
        expectArrayClose(y.dataSync(), wanted, 1e-6, `${layout} ${axis}`);
      }
  });

  test("the projecting layers compute what the reference does, biases included", async () => {
    const core = await reference();
    const x = plainFloats(3 * 4 * 5, 6);
    const input = tf.tensor(x, [3, 4, 5]);
    const args = { biasInitializer: "randomNormal", useBias: true } as const;
    const ffn = new GatedFfn({ dFf: 7, activation: "geglu", ...args });
    const y = ffn.apply(input) as tf.Tensor;
    const weight = (layer: tf.layers.Layer, name: string): Float32Array => {
      const at = layer.weights.findIndex((variable) => variable.originalName.endsWith(name));
      return (layer.getWeights()[at] as tf.Tensor).dataSync<"float32">();
    };
    const weights = {
      gate: weight(ffn, "gateKernel"),
      up: weight(ffn, "upKernel"),
      down: weight(ffn, "downKernel"),
      gateBias: weight(ffn, "gateBias"),
      upBias: weight(ffn, "upBias"),
      downBias: weight(ffn, "downBias"),
    };
    const block = await core.gatedFfn({ activation: activations.geglu, dModel: 5, dFf: 7, weights });
    expectArrayClose(y.dataSync(), await block.forward(x, 12), 1e-5, "GatedFfn");
    expect(y.shape).toEqual([3, 4, 5]);

    const affine = (kernel: Float32Array, bias: Float32Array, row: number, column: number): number => {
      let sum = bias[column] as number;
      for (let k = 0; k < 5; k++)
        sum += (x[5 * row + k] as number) * (kernel[k * bias.length + column] as number);
      return sum;
    };
    const dense = new GatedDense({ units: 7, activation: "swiglu", parameters: { beta: 0.5 }, ...args });
    const hidden = (dense.apply(input) as tf.Tensor).dataSync();
    const of = (name: string) => weight(dense, name);
    const [gate, up] = [[of("gateKernel"), of("gateBias")] as const, [of("upKernel"), of("upBias")] as const];
    const wanted = Float64Array.from({ length: 84 }, (_, i) => {
      const at = [Math.floor(i / 7), i % 7] as const;
      return evaluate(
        activations.swiglu,
        { gate: affine(...gate, ...at), up: affine(...up, ...at) },
        { beta: 0.5 },
      );
    });
    expectArrayClose(hidden, wanted, 1e-5, "GatedDense");

    const formulas: Readonly<Record<string, (x: number, p: number, s: (z: number) => number) => number>> = {
      swigluBlend: (x, p, s) => x * s(1.5 * x) + (1 - s(1.5 * x)) * p,
      selfGlu: (x, p, s) => x * s(p),
    };
    for (const [name, formula] of Object.entries(formulas)) {
      const parameters = name === "selfGlu" ? {} : { beta: { value: 1.5, trainable: true } };
      const layer = new SelfGated({ activation: name, parameters, ...args });
      const got = (layer.apply(input) as tf.Tensor).dataSync();
      const [kernel, bias] = [weight(layer, "kernel"), weight(layer, "bias")];
      const exact = Float64Array.from(x, (v, i) =>
        formula(v, affine(kernel, bias, Math.floor(i / 5), i % 5), (z) => 1 / (1 + Math.exp(-z))),
      );
      expectArrayClose(got, exact, 1e-5, name);
    }
  });

  test("masks pass through", () => {
    const ids = tf.tensor2d([
      [1, 2, 0],
      [3, 0, 0],
    ]);
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 5, outputDim: 4, maskZero: true, inputLength: 3 }),
        new GatedFfn({ dFf: 6 }),
        new Glu({ activation: "glu", layout: "gate-first" }),
        new Swish(),
        new GatedDense({ units: 2 }),
        new SelfGated(),
        tf.layers.lstm({ units: 2 }),
      ],
    });
    const y = model.predict(ids) as tf.Tensor;
    const shorter = model.predict(
      tf.tensor2d([
        [1, 2, 0],
        [3, 0, 0],
      ]),
    ) as tf.Tensor;
    expect(y.dataSync()).toEqual(shorter.dataSync());
    const layer = new Swish();
    const mask = tf.tensor2d([[1, 0]], [1, 2], "bool");
    expect(layer.computeMask(tf.ones([1, 2, 4]), mask)).toBe(mask);
    const across = new Glu({ activation: "glu", layout: "gate-first", axis: 1 });
    expect(() => across.computeMask(tf.ones([1, 2, 4]), mask)).toThrow("the mask covers axis 1");
  });

  test("training leaves as many tensors as there were", async () => {
    const model = tf.sequential({
      layers: [
        new GatedDense({ units: 6, inputShape: [4, 5], parameters: { beta: { trainable: "per-channel" } } }),
        new Glu({
          activation: "swigluOai",
          layout: "interleaved",
          parameters: { limit: { trainable: true } },
        }),
        new SelfGated({ parameters: { beta: { trainable: true } } }),
        new GatedFfn({ dFf: 5, activation: "gelu", useBias: true, kernelRegularizer: "l1l2" }),
        new Swish({ beta: { trainable: true } }),
      ],
    });
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const [x, y] = [tf.tensor(plainFloats(160, 1), [8, 4, 5]), tf.zeros([8, 4, 3])];
    const step = async () => {
      const loss = await model.trainOnBatch(x, y);
      expect(Number.isFinite(loss)).toBe(true);
      tf.dispose(model.predict(x));
    };
    for (let i = 0; i < 3; i++) await step();
    const before = tf.memory();
    for (let i = 0; i < 20; i++) await step();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });

  test("every trainable parameter moves, every fixed one stays", async () => {
    const parameters = {
      alphaP: { trainable: true },
      alphaN: [0.7, 0.8, 0.9],
      beta: { trainable: "per-channel" },
    } as const;
    const layer = new GatedDense({ units: 3, activation: "xielu", parameters, inputShape: [4] });
    const model = tf.sequential({ layers: [layer] });
    model.compile({ optimizer: tf.train.sgd(0.5), loss: "meanSquaredError" });
    const values = () => layer.getWeights().map((tensor) => [...tensor.dataSync()]);
    const [before, order] = [
      values(),
      layer.weights.map(({ originalName }) => originalName.split("/").at(-1)),
    ];
    await model.trainOnBatch(tf.tensor(plainFloats(20, 3), [5, 4]), tf.zeros([5, 3]));
    const after = values();
    order.forEach((name, i) => {
      if (name === "alphaN") expect(after[i]).toEqual([0.7, 0.8, 0.9].map(Math.fround));
      else expect(after[i], name).not.toEqual(before[i]);
    });
    expect(new Set(order)).toEqual(
      new Set(["gateKernel", "gateBias", "upKernel", "upBias", "alphaP", "alphaN", "beta"]),
    );
  });
});

describe("mistakes are errors when the layer is made or connected", () => {
  beforeAll(() => useBackend("cpu"));
  const wrong = <T>(value: unknown): T => value as T;
  const connect = (layer: tf.layers.Layer, ...shape: (number | null)[]) => layer.apply(tf.input({ shape }));

  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a wrong layout",
      () => new Glu({ activation: "swiglu", layout: wrong("gate_first"), name: "mine" }),
      'Glu layer "mine": layout is "gate_first", expected gate-first, gate-second and interleaved',
    ],
    [
      "no layout",
      () => new Glu(wrong({ activation: "swiglu" })),
      "expected gate-first, gate-second and interleaved",
    ],
    [
      "an unknown activation",
      () => new GatedDense({ units: 3, activation: "swigluu", name: "mine" }),
      'GatedDense layer "mine": unknown activation swigluu. Did you mean swiglu?',
    ],
    [
      "no activation",
      () => new Glu(wrong({ layout: "gate-first", name: "m" })),
      'Glu layer "m": activation is undefined',
    ],
    [
      "an activation's function",
      () => new GatedFfn({ dFf: 3, activation: wrong(Math.tanh) }),
      "expected a name of the catalogue or an activation from defineActivation",
    ],
    [
      "an odd size",
      () => connect(new Glu({ activation: "swiglu", layout: "gate-first", name: "mine" }), 7),
      'Glu layer "mine": packed has 7 elements along axis 1, which cannot be split into gate and up',
    ],
    [
      "the batch axis",
      () => new Glu({ activation: "swiglu", layout: "gate-first", axis: 0 }),
      "axis is 0, expected a whole number other than 0, which is the batch",
    ],
    [
      "an axis outside",
      () => connect(new Glu({ activation: "swiglu", layout: "gate-first", axis: 3 }), 4, 4),
      "axis is 3, expected one of the 3 axes of the input other than the batch",
    ],
    [
      "too many values of beta",
      () => connect(new Swish({ beta: [1, 2, 3, 4], name: "mine" }), 3),
      'Swish layer "mine": parameter beta has 4 values, expected 3: one for each channel of the last axis',
    ],
    [
      "values for one trainable beta",
      () => new Swish({ beta: { value: [1, 2], trainable: true } }),
      'parameter beta has 2 values and one trainable value for the layer: pass one number, or trainable: "per-channel"',
    ],
    [
      "beta of text",
      () => new Swish({ beta: wrong({ value: "1" }) }),
      "parameter beta has the value 1, expected finite",
    ],
    [
      "a misspelt option of beta",
      () => new Swish({ beta: wrong({ trainabel: true }) }),
      "Did you mean trainable?",
    ],
    [
      "a wrong mode",
      () => new Swish({ beta: { trainable: wrong("channel") } }),
      'trainable is "channel", expected false',
    ],
    [
      "a regulariser of a fixed beta",
      () => new Swish({ beta: { value: 1, regularizer: "l1l2" } }),
      "parameter beta has a regularizer, but is fixed: make it trainable",
    ],
    [
      "an unknown parameter",
      () => new GatedDense({ units: 3, activation: "geglu", parameters: { beta: 1 } }),
      "unknown parameter beta: geglu takes no parameters",
    ],
    [
      "no units",
      () => new GatedDense(wrong({})),
      "units is undefined, expected a whole number, 1 or greater",
    ],
    [
      "a fractional dFf",
      () => new GatedFfn({ dFf: 2.5 }),
      "dFf is 2.5, expected a whole number, 1 or greater",
    ],
    [
      "a gate of its own",
      () => new SelfGated({ activation: "swiglu" }),
      "swiglu is not self-gated: use selfGlu or swigluBlend, or a GatedDense layer",
    ],
    [
      "an unknown initialiser",
      () => new GatedDense({ units: 3, upKernelInitializer: "glorotUnifrom" }),
      'upKernelInitializer is "glorotUnifrom": expected an object such as',
    ],
    [
      "an unknown last axis",
      () => connect(new GatedDense({ units: 3 }), 4, null),
      "input has shape [null, 4, null], expected at least 2 axes and a known size of the last one",
    ],
    [
      "two inputs",
      () => new GatedDense({ units: 3 }).apply([tf.input({ shape: [3] }), tf.input({ shape: [3] })]),
      "expected one input, got 2",
    ],
  ];
  test.each(cases)("%s", (_name, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(/layer "/);
  });

  test("another width than the layer was built for is refused by TensorFlow.js itself", () => {
    const layer = new GatedDense({ units: 3 });
    layer.apply(tf.ones([2, 4]));
    expect(() => layer.apply(tf.ones([2, 5]))).toThrow(/incompatible with layer/);
  });
});

test("every activation comes back from a file", async () => {
  await useBackend("cpu");
  registerLayers();
  for (const activation of Object.values(activations) as Activation[]) {
    const layer = new GatedDense({ units: 2, activation, inputShape: [2] });
    const again = await tf.loadLayersModel(tf.io.fromMemory(await saved(tf.sequential({ layers: [layer] }))));
    expect((again.layers[0] as GatedDense).activation).toBe(activation);
  }
});

test("activations that the layers can take", () => {
  const all: readonly Activation[] = Object.values(activations);
  for (const activation of all) {
    const layer = new GatedDense({ units: 2, activation });
    const config = layer.getConfig();
    expect(config.activation).toBe(activation.name);
    expect(new GatedDense({ units: 2, activation: config.activation as string }).activation).toBe(activation);
  }
  const { activation } = new GatedDense({ units: 2, activation: own }).getConfig();
  expect(activation).not.toMatch(/[A-Z_]/);
  expect(activationToJson(new GatedDense({ units: 2, activation: activation as string }).activation)).toEqual(
    activationToJson(own),
  );
});
