// The cases as ONNX graphs on the WebGPU of a runtime that the side hands in. Operands are brought to the GPU once, by a graph that
// returns them, and results stay there.
import { buildModel, encodeModel, input, mul } from "onnx-grad";
import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from "onnxruntime-node";
import type { Case } from "../peers/cases.js";
import { graphOf } from "../peers/onnx.js";
import type { Work } from "../peers/serve.js";

/** The part of a runtime that is used. */
export interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

type Outputs = Parameters<typeof buildModel>[0];
type Location = "gpu-buffer" | "cpu";

/** A session on the runtime's own device, or the one given. */
export function load(
  runtime: OnnxRuntime,
  outputs: Outputs,
  location: Location,
  device?: GPUDevice,
): Promise<InferenceSession> {
  return runtime.InferenceSession.create(encodeModel(buildModel(outputs)), {
    executionProviders: [device ? { name: "webgpu", device } : "webgpu"],
    preferredOutputLocation: location,
    extra: { optimization: { disable_specified_optimizers: "DivMulFusion" } },
  });
}

type Named = Readonly<Record<string, Tensor>>;

/** A case ready to run. */
export async function prepare(runtime: OnnxRuntime, task: Case, device?: GPUDevice): Promise<Work> {
  const { outputs, feeds } = graphOf(task);
  // A tensor on the GPU is gone with the session that made it.
  const sessions: InferenceSession[] = [];
  const open = async (graph: Outputs, location: Location): Promise<InferenceSession> => {
    const session = await load(runtime, graph, location, device);
    sessions.push(session);
    return session;
  };
  const placed: Record<string, Tensor> = {};
  for (const { name, shape } of buildModel(outputs).inputs) {
    const upload = await open({ y: mul(input("x", shape), 1) }, "gpu-buffer");
    const { y } = await upload.run({ x: new runtime.Tensor("float32", feeds[name]!, shape) });
    placed[name] = y!;
  }
  const session = await open(outputs, "gpu-buffer");
  const dispose = (tensors: Named): void => {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  };
  let last: Named = {};
  return {
    async run() {
      dispose(last);
      last = await session.run(placed);
    },
    async results() {
      const readable = await load(runtime, outputs, "cpu", device);
      const results = await readable.run(placed);
      await readable.release();
      return Object.keys(outputs)
        .filter((name) => name !== "loss")
        .map((name) => results[name]!.data as Float32Array);
    },
    async close() {
      dispose(last);
      dispose(placed);
      for (const each of sessions) await each.release();
    },
  };
}
