// What a page or a process must do where no code may be made from text: a file's round trip, the backend on ONNX Runtime, a
// training step. Plain JavaScript on the built packages, so that Node and a page run the very same.
import { activate, crossEntropy, input, linear, Training } from "onnx-grad";
import { activations, reference, swiglu } from "swiglu";
import { activationGraph, decodeModel, encodeModel, gatedFfnGraph, ort, toFile } from "swiglu/onnx";

const near = (got, expected, what) => {
  for (let i = 0; i < expected.length; i++)
    if (!(Math.abs(got[i] - expected[i]) <= 1e-5))
      throw new Error(`${what}[${i}] is ${got[i]}, expected ${expected[i]}`);
};
const [gate, up] = [Float32Array.of(-2, 0.5, 3), Float32Array.of(4, 5, 6)];
const expected = [-0.953623, 1.556148, 17.146334]; // gate * sigmoid(gate) * up

const steps = {
  "code cannot be made from text": async () => {
    try {
      new Function("return 1")();
    } catch (error) {
      if (error instanceof EvalError) return;
      throw error;
    }
    throw new Error("it can: the policy is not in force");
  },
  "a file's round trip": async (runtime) => {
    const weights = {
      gate: new Float32Array(6).fill(0.5),
      up: new Float32Array(6),
      down: new Float32Array(6),
    };
    for (const file of [
      toFile(gatedFfnGraph({ activation: swiglu, dModel: 2, dFf: 3, weights }), { dtype: "float16" }),
      toFile(activationGraph("swiglu"), { asFunction: true }),
    ]) {
      const again = encodeModel(decodeModel(file));
      if (String(again) !== String(file)) throw new Error("the file changed");
    }
    const session = await runtime.InferenceSession.create(toFile(activationGraph("swiglu")));
    const tensor = (data) => new runtime.Tensor("float32", data, [3]);
    const { y } = await session.run({ gate: tensor(gate), up: tensor(up) });
    near(y.data, expected, "y");
  },
  "ort()": async (runtime) => {
    const backend = await ort({ runtime, threads: 1 });
    near(await backend.activate(swiglu, { gate, up }), expected, "y");
    const dy = Float32Array.of(1, 1, 1);
    const gradients = await backend.activateBackward(swiglu, { gate, up }, dy);
    const exact = await (await reference()).activateBackward(swiglu, { gate, up }, dy);
    near(gradients.gate, exact.gate, "gradients.gate");
    backend.dispose();
  },
  "a training step": async (runtime) => {
    const training = await Training.create(runtime, {
      parameters: [
        { name: "gate", shape: [2, 4], decay: true },
        { name: "down", shape: [4, 2], decay: true },
      ],
      loss: (p) => {
        const x = input("points", [4, 2]);
        const hidden = activate(activations.swiglu.expression, {
          gate: linear(x, p.gate),
          up: linear(x, p.gate),
          beta: input("beta", []),
        });
        return crossEntropy(linear(hidden, p.down), input("labels", [4], "int32"));
      },
    });
    training.state.parameters.forEach((_, i, all) => {
      all[i] = Math.sin(i * i);
    });
    const feeds = {
      points: Float32Array.of(1, 2, -1, 0.5, 3, -2, 0, 1),
      labels: Int32Array.of(0, 1, 1, 0),
      beta: Float32Array.of(1),
    };
    const losses = [];
    for (let i = 0; i < 5; i++) losses.push((await training.step(feeds, 0.05)).loss);
    if (!(losses[4] < losses[0])) throw new Error(`the loss went ${losses.join(", ")}`);
    await training.dispose();
  },
};

/** Runs every step and prints a line for each: its name, and its error if it failed. */
export async function runSteps(runtime) {
  for (const [name, step] of Object.entries(steps)) {
    let error;
    try {
      await step(runtime);
    } catch (thrown) {
      error = String(thrown?.stack ?? thrown);
    }
    console.log(JSON.stringify({ kind: "case", configuration: "", name, error }));
  }
  console.log(JSON.stringify({ kind: "end" }));
}
