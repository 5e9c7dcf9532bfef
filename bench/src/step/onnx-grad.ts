// The lab's model trained by onnx-grad on onnxruntime-node.
import { Training } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { activations } from "swiglu";
import { feeds, meanLoss, pack, packedPorts, parameterSpecs, ports } from "swiglu-lab";
import { type Contender, type StepConfig, value } from "./contender.js";

/** @param padded whether sequences keep their padding, which the lab's Trainer leaves out */
export async function onnxGrad(config: StepConfig, threads: number, padded = false): Promise<Contender> {
  const { batch, learningRate, weightDecay, clipNorm } = config;
  const variant = { name: "swiglu", activation: activations.swiglu, trained: false };
  const specs = parameterSpecs(variant, config);
  const { inputs, labels, scale } = examples(config);
  const packed =
    padded || "imageSize" in config ? undefined : pack(Int32Array.from(inputs), labels, config.context);
  const taken =
    packed === undefined || "imageSize" in config ? ports(config, batch) : packedPorts(config, packed.rows);
  const data = packed?.feeds ?? feeds(config, inputs, labels);
  const training = await Training.create(
    ort,
    {
      parameters: specs,
      loss: (weights) => meanLoss(variant, config, taken, weights),
      weightDecay,
      clipNorm,
    },
    // As in the lab, whose processes do nothing else either.
    { threads, flushDenormals: true },
  );
  for (const { name, shape, init } of specs) {
    training.parameter(name).forEach((_, i, all) => {
      all[i] = "value" in init ? init.value : (scale[name] ?? 1 / Math.sqrt(shape[0]!)) * value(name, i);
    });
  }
  const step = () => training.step(data, learningRate);
  return {
    name: `onnx-grad, ${threads} thread${threads === 1 ? "" : "s"}${padded ? ", with its padding" : ""}`,
    cores: threads,
    first: await step(),
    async run(steps) {
      const milliseconds: number[] = [];
      for (let i = 0; i < steps; i++) {
        const start = performance.now();
        await step();
        milliseconds.push(performance.now() - start);
      }
      return milliseconds;
    },
    close: () => training.dispose(),
  };
}

/** A batch by a formula, and the deviations of the tables; the same are in pytorch/step.py. */
function examples(config: StepConfig): {
  inputs: Float32Array | Int32Array;
  labels: Int32Array;
  scale: Readonly<Record<string, number>>;
} {
  const { batch } = config;
  if ("imageSize" in config) {
    const pixels = batch * config.imageSize ** 2;
    return {
      inputs: Float32Array.from({ length: pixels }, (_, i) => 0.5 + 0.5 * value("images", i)),
      labels: Int32Array.from({ length: batch }, (_, i) => i % config.classes),
      scale: { position: 0.02 },
    };
  }
  const { vocabulary, context, pairs } = config;
  const counts = (i: number): boolean => {
    const [source, target] = pairs?.[Math.floor(i / context)] ?? [1, context];
    const place = i % context;
    return place >= source - 1 && place < source - 1 + target;
  };
  const token = (i: number): number => (31 * i + (i % 7)) % vocabulary;
  return {
    inputs: Int32Array.from({ length: batch * context }, (_, i) => token(i)),
    labels: Int32Array.from({ length: batch * context }, (_, i) => (counts(i) ? token(i + 1) : -1)),
    scale: { position: 0.02, token: 0.5 },
  };
}
