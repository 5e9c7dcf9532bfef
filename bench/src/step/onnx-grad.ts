// The lab's model trained by onnx-grad on onnxruntime-node.
import { crossEntropy, input, Training } from "onnx-grad";
import * as ort from "onnxruntime-node";
import { activations } from "swiglu";
import { logits, parameterSpecs } from "swiglu-lab";
import { type Contender, type StepConfig, value } from "./contender.js";

export async function onnxGrad(config: StepConfig, threads: number): Promise<Contender> {
  const { batch, classes, imageSize, learningRate, weightDecay, clipNorm } = config;
  const variant = { name: "swiglu", activation: activations.swiglu, trained: false };
  const specs = parameterSpecs(variant, config);
  const pixels = imageSize ** 2;
  const training = await Training.create(
    ort,
    {
      parameters: specs,
      loss: (weights) =>
        crossEntropy(
          logits(variant, config, input("images", [batch, pixels]), weights),
          input("labels", [batch], "int32"),
        ),
      weightDecay,
      clipNorm,
    },
    { threads },
  );
  for (const { name, shape, init } of specs) {
    const scale = name === "position" ? 0.02 : 1 / Math.sqrt(shape[0]!);
    training.parameter(name).forEach((_, i, all) => {
      all[i] = "value" in init ? init.value : scale * value(name, i);
    });
  }
  const images = Float32Array.from({ length: batch * pixels }, (_, i) => 0.5 + 0.5 * value("images", i));
  const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
  const step = () => training.step({ images, labels }, learningRate);
  return {
    name: `onnx-grad, ${threads} thread${threads === 1 ? "" : "s"}`,
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
