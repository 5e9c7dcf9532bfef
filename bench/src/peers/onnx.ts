// The cases as ONNX graphs, built by onnx-grad, on a runtime that the side hands in. Weights are part of the graph, so
// that the runtime may arrange them as it likes; sigmoid is its own, fast one.
import {
  activate,
  compile,
  constant,
  gradient,
  input,
  matmul,
  mul,
  type Runtime,
  sum,
  type Tensor,
} from "onnx-grad";
import { differentiate, expressions as e, simplify } from "swiglu";
import { type Case, elementwiseData, type FfnCase, ffnData } from "./cases.js";
import { options, type Work } from "./serve.js";

interface Graph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly feeds: Readonly<Record<string, Float32Array>>;
}

/** `gate * sigmoid(gate) * up`, its slope 1 being a constant. */
const expression = simplify(e.mul(e.mul("gate", e.sigmoid("gate")), "up"));
const fast = { math: "fast" } as const;

function elementwise({ kind, count }: Exclude<Case, FfnCase>): Graph {
  const { dy, ...feeds } = elementwiseData(count);
  const [gate, up, slope] = ["gate", "up", "dy"].map((name) => input(name, [count])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  if (kind === "forward") return { outputs: { y: activate(expression, { gate, up }, fast) }, feeds };
  const times = (variable: string): Tensor =>
    activate(e.mul(differentiate(expression, variable), "dy"), { gate, up, dy: slope }, fast);
  return { outputs: { dGate: times("gate"), dUp: times("up") }, feeds: { ...feeds, dy } };
}

function block(task: FfnCase): Graph {
  const { kind, rows, dModel, dFf } = task;
  const data = ffnData(task);
  const x = input("x", [rows, dModel]);
  const gate = constant(data.gate, "float32", [dModel, dFf]);
  const up = constant(data.up, "float32", [dModel, dFf]);
  const down = constant(data.down, "float32", [dFf, dModel]);
  const hidden = activate(expression, { gate: matmul(x, gate), up: matmul(x, up) }, fast);
  const y = matmul(hidden, down);
  if (kind === "ffnForward") return { outputs: { y }, feeds: { x: data.x } };
  const loss = sum(mul(y, input("dY", [rows, dModel])));
  const [dx, dGate, dUp, dDown] = gradient(loss, [x, gate, up, down]) as [Tensor, Tensor, Tensor, Tensor];
  // The loss is an output too, so that y is computed, as in training.
  return { outputs: { dx, dGate, dUp, dDown, loss }, feeds: { x: data.x, dY: data.dY } };
}

/** The graph of a case, and what it is fed. */
export const graphOf = (task: Case): Graph => ("count" in task ? elementwise(task) : block(task));

/** A case ready to run. With `reuse` the runtime writes into the same arrays on every call. */
export async function prepare(runtime: Runtime, task: Case, reuse: boolean): Promise<Work> {
  const { outputs, feeds } = graphOf(task);
  // As it comes, also with threads that wait by spinning, which is its fastest: the driver leaves them time to stop.
  const session = {
    extra: { optimization: { disable_specified_optimizers: "DivMulFusion" } },
  };
  const program = await compile(runtime, outputs, { threads: options.threads, session });
  const arrays = Object.entries(outputs).map(([name, { size }]) => [name, new Float32Array(size)] as const);
  const into = reuse ? Object.fromEntries(arrays) : {};
  let last = await program.run(feeds, into);
  return {
    async run() {
      last = await program.run(feeds, into);
    },
    results: () =>
      Object.keys(outputs)
        .filter((name) => name !== "loss")
        .map((name) => last[name] as Float32Array),
    close: () => program.dispose(),
  };
}
