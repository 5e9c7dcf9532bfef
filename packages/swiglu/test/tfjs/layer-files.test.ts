// What layers keep in a file: every setting, weight and prediction, user-defined activations included; and registration.
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Activation,
  activations,
  activationToJson,
  defineActivation,
  expressions as e,
} from "../../src/index.js";
import { GatedDense, GatedFfn, Glu, registerLayers, SelfGated, Swish } from "../../src/tfjs/index.js";
import { expectArrayClose } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";
import { backends, useBackend } from "./backends.js";

const registered = () => tf.serialization.SerializationMap.getMap().classNameMap;
const names = ["Swish", "Glu", "GatedDense", "SelfGated", "GatedFfn"];

/** Forgets what is registered under some names, and brings it back after a test. */
const without = (forgotten: readonly string[], run: () => Promise<void>) => async () => {
  const before = { ...registered() };
  for (const name of forgotten) delete registered()[name];
  try {
    await run();
  } finally {
    for (const name of forgotten) delete registered()[name];
    Object.assign(registered(), before);
  }
};

test("importing registers nothing; registerLayers does, under names of its own, and may be called twice", () => {
  const all = [...names, ...names.map((name) => `Swiglu${name}`)];
  for (const name of all) expect(registered()).not.toHaveProperty(name);
  registerLayers();
  registerLayers();
  for (const name of all) expect(registered()).toHaveProperty(name);
});

/** A user's own layer: ten times its input. */
class Own extends tf.layers.Layer {
  static readonly className: string = "Swish";
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(Array.isArray(x) ? (x[0] as tf.Tensor) : x, 10);
  }
}

describe.each(["before", "after"])("a user's own Swish, registered %s ours", (when) => {
  test(
    "is the user's own when a model of it is loaded, and ours is ours",
    without(
      names.flatMap((name) => [name, `Swiglu${name}`]),
      async () => {
        await useBackend("cpu");
        if (when === "before") tf.serialization.registerClass(Own);
        registerLayers();
        if (when === "after") tf.serialization.registerClass(Own);
        registerLayers();
        const layers = [new Own({ inputShape: [2] }), new Swish({ beta: 0.5 })];
        const model = tf.sequential({ layers });
        const again = await tf.loadLayersModel(tf.io.fromMemory(await saved(model)));
        expect(again.layers[0]).toBeInstanceOf(Own);
        expect(again.layers[1]).toBeInstanceOf(Swish);
        const x = tf.tensor2d([[0.1, -0.2]]);
        const [wanted, got] = [model, again].map((each) => (each.predict(x) as tf.Tensor).dataSync());
        expect(got).toEqual(wanted);
        // 10 x / (1 + e^(-x * 10 / 2)) at 0.1
        expect(got?.[0]).toBeCloseTo(1 / (1 + Math.exp(-0.5)), 6);
      },
    ),
  );
});

test(
  "another class under a name of ours is an error that says what to do, and stays",
  without(["SwigluSwish"], async () => {
    class Other extends Own {
      static override readonly className = "SwigluSwish";
    }
    tf.serialization.registerClass(Other);
    expect(() => registerLayers()).toThrow(
      /^another class is registered with TensorFlow.js as SwigluSwish.*give it another className$/,
    );
    expect(registered().SwigluSwish?.[0]).toBe(Other);
  }),
);

test("a file of version 0.1.0 loads, predicts what it predicted, and is written under the new names", async () => {
  await useBackend("cpu");
  registerLayers();
  const path = new URL("./files/swiglu-0.1.0.json", import.meta.url);
  const { weightData, x, prediction, ...file } = JSON.parse(readFileSync(path, "utf8"));
  const data = Uint8Array.from(Buffer.from(weightData, "base64")).buffer;
  const model = await tf.loadLayersModel(tf.io.fromMemory({ ...file, weightData: data }));
  const classes = [GatedDense, Swish, SelfGated, GatedFfn, Glu];
  model.layers.forEach((layer, i) => {
    expect(layer).toBeInstanceOf(classes[i] as typeof Glu);
  });
  expect((model.predict(tf.tensor2d(x)) as tf.Tensor).arraySync()).toEqual(prediction);
  const { modelTopology } = await saved(model);
  const written = JSON.stringify(modelTopology).match(/"class_name":"Swiglu\w+"/g);
  expect(written).toEqual(classes.map(({ className }) => `"class_name":"${className}"`));
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
      // No norm lies beyond it at first (heNormal's is below 2.83): half of the way back would be done again by loading.
      gateKernelConstraint: minMaxNorm({ minValue: 0.1, maxValue: 3, rate: 0.5, axis: 0 }),
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
});

test("a file holds what was given", () => {
  const layer = (layers["GatedDense, everything set"] as () => tf.layers.Layer)();
  const l2 = { className: "L1L2", config: { l1: 0, l2: 0.125 } };
  expect(plain(layer.getConfig())).toMatchObject({
    trainable: false,
    activation: "swigluStep",
    units: 5,
    useBias: false,
    gateKernelInitializer: { config: { mode: "fanIn", scale: 2 } },
    upKernelInitializer: { className: "TruncatedNormal", config: { stddev: 0.5, seed: 7 } },
    gateKernelRegularizer: l2,
    upKernelRegularizer: l2,
    gateBiasRegularizer: null,
    gateKernelConstraint: {
      className: "MinMaxNorm",
      config: { minValue: 0.1, maxValue: 3, rate: 0.5, axis: 0 },
    },
    upKernelConstraint: { className: "MaxNorm", config: { maxValue: 3 } },
  });
  const text = String((layers["GatedFfn, everything set"] as () => tf.layers.Layer)().getConfig().parameters);
  const plainParameter = { initializer: null, regularizer: null, constraint: null };
  expect(JSON.parse(text.replaceAll("alpha^", "alpha_"))).toEqual({
    alpha_p: { value: 0.7, trainable: false, ...plainParameter },
    alpha_n: { value: 0.8, trainable: "per-layer", ...plainParameter },
    beta: { value: 0.25, trainable: "per-channel", ...plainParameter },
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
