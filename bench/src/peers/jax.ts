// The cases in jax-js, on whichever of its devices is the default: functions compiled with jit, gradients by vjp.
// Its arrays are counted by hand: a function takes its arguments over, `.ref` keeps one for another use.
import { type Array as JaxArray, jit, nn, numpy as np, vjp } from "@jax-js/jax";
import { type Case, elementwiseData, type FfnCase, ffnData } from "./cases.js";
import type { Work } from "./serve.js";

/** Has its results computed, or at least begun: on their own they would wait until somebody reads them. */
type Finish = (results: readonly JaxArray[]) => unknown;

const activation = (g: JaxArray, u: JaxArray): JaxArray => nn.silu(g).mul(u);
const ffn = (x: JaxArray, gate: JaxArray, up: JaxArray, down: JaxArray): JaxArray =>
  np.matmul(activation(np.matmul(x.ref, gate), np.matmul(x, up)), down);

/** Runs a function of resident arrays again and again, and keeps its last results only. */
function repeat(
  operands: readonly JaxArray[],
  compute: (...operands: JaxArray[]) => JaxArray[] | Promise<JaxArray[]>,
  finish: Finish,
): Work {
  let last: JaxArray[] = [];
  return {
    async run() {
      for (const array of last) array.dispose();
      last = await compute(...operands.map((array) => array.ref));
      await finish(last);
    },
    results: () => Promise.all(last.map(async (array) => Float32Array.from(await array.ref.data()))),
    close() {
      for (const array of [...last, ...operands]) array.dispose();
    },
  };
}

function elementwise({ kind, count }: Exclude<Case, FfnCase>, finish: Finish): Work {
  const { gate, up, dy } = elementwiseData(count);
  const arrays = [gate, up].map((values) => np.array(values));
  if (kind === "forward")
    return repeat(
      arrays,
      jit((g: JaxArray, u: JaxArray) => [activation(g, u)]),
      finish,
    );
  const gradients = jit((g: JaxArray, u: JaxArray, slope: JaxArray) => {
    const [y, pull] = vjp(activation, [g, u]);
    y.dispose();
    return pull(slope);
  });
  return repeat([...arrays, np.array(dy)], gradients, finish);
}

function block(task: FfnCase, finish: Finish): Work {
  const { kind, rows, dModel, dFf } = task;
  const data = ffnData(task);
  const x = np.array(data.x, { shape: [rows, dModel] });
  const weights = [
    np.array(data.gate, { shape: [dModel, dFf] }),
    np.array(data.up, { shape: [dModel, dFf] }),
    np.array(data.down, { shape: [dFf, dModel] }),
  ];
  if (kind === "ffnForward")
    return repeat(
      [x, ...weights],
      jit((a: JaxArray, g: JaxArray, u: JaxArray, d: JaxArray) => [ffn(a, g, u, d)]),
      finish,
    );
  const step = jit((a: JaxArray, g: JaxArray, u: JaxArray, d: JaxArray, slope: JaxArray) => {
    const [y, pull] = vjp(ffn, [a, g, u, d]);
    y.dispose();
    return pull(slope);
  });
  return repeat([x, ...weights, np.array(data.dY, { shape: [rows, dModel] })], step, finish);
}

/** A case ready to run. */
export const prepare = (task: Case, finish: Finish): Work =>
  "count" in task ? elementwise(task, finish) : block(task, finish);
