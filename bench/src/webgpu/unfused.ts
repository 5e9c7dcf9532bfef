// `swiglu` as a framework without fused kernels computes it: one elementwise kernel after the other, each by the same
// emitter from a piece's own definition, each reading and writing whole tensors.
import { type Backend, bilinear, type Data, defineActivation, expressions as e, sigmoid } from "swiglu";

/** One elementwise kernel: what it reads, and what it writes. */
export interface Step {
  readonly reads: readonly string[];
  readonly writes: string;
  /** Runs it on tensors by name. */
  run(backend: Backend, tensor: (name: string) => Data): Promise<unknown>;
}

const sum = defineActivation({ name: "sum", kind: "gated", expression: e.add("gate", "up") });
/** A slope times the derivative of a sigmoid, from that sigmoid's value. */
const sigmoidBackward = defineActivation({
  name: "sigmoidBackward",
  kind: "gated",
  expression: e.mul("gate", e.mul("up", e.sub(1, "up"))),
});

const binary =
  (piece: typeof sum) =>
  (first: string, second: string, writes: string): Step => ({
    reads: [first, second],
    writes,
    run: (backend, tensor) =>
      backend.activate(piece, { gate: tensor(first), up: tensor(second) }, {}, { out: tensor(writes) }),
  });
const product = binary(bilinear);

export const forwardSteps: readonly Step[] = [
  {
    reads: ["gate"],
    writes: "sigmoid",
    run: (backend, tensor) =>
      backend.activate(sigmoid, { x: tensor("gate") }, {}, { out: tensor("sigmoid") }),
  },
  product("gate", "sigmoid", "silu"),
  product("silu", "up", "y"),
];

/** As a tape walks back; `sigmoid` and `silu` are kept from the forward pass. */
export const backwardSteps: readonly Step[] = [
  product("dy", "silu", "dUp"),
  product("dy", "up", "dSilu"),
  product("dSilu", "sigmoid", "dGateDirect"),
  product("dSilu", "gate", "dSigmoid"),
  binary(sigmoidBackward)("dSigmoid", "sigmoid", "dGateThrough"),
  binary(sum)("dGateDirect", "dGateThrough", "dGate"),
];
