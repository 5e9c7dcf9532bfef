// What every backend and adapter must hold for a batch of no rows: results of no elements, and sums of nothing, which are 0.
import { type Activation, activations, type ParameterValue } from "../../src/index.js";
import type { ElementwiseCase } from "./elementwise.js";
import { expectTrue } from "./expect.js";
import type { BlockCase } from "./ffn.js";
import { plainFloats } from "./samples.js";

const { silu, swiglu, swigluOai, xielu, relu, selfGlu } = activations;
type Gradients = Readonly<Record<string, ParameterValue>>;

/** Checks a gradient of so many numbers, all 0. */
function expectZeros(gradient: ParameterValue | undefined, count: number | undefined, what: string): void {
  const values = typeof gradient === "number" ? [gradient] : gradient;
  expectTrue(
    values !== undefined && (count === undefined) === (typeof gradient === "number"),
    `${what} is ${gradient}`,
  );
  expectTrue(values?.length === (count ?? 1), `${what} has ${values?.length} elements, expected ${count}`);
  expectTrue(
    Array.from(values ?? []).every((value) => value === 0),
    `${what} is ${gradient}, expected zeros`,
  );
}

/** Activations on no elements, parameters fixed and per channel, separate and packed. */
export function emptyElementwiseCases(): ElementwiseCase[] {
  const empty = new Float32Array(0);
  return [
    {
      name: "no elements: no results, gradients of parameters are 0",
      run: async (backend) => {
        for (const activation of [silu, swiglu, swigluOai, xielu] as readonly Activation[])
          for (const channels of [undefined, 3]) {
            const inputs = Object.fromEntries(activation.inputs.map((name) => [name, empty]));
            const parameters = Object.fromEntries(
              Object.entries(activation.parameters).map(([name, value]) => [
                name,
                channels === undefined ? value : new Float32Array(channels).fill(value),
              ]),
            );
            const y = await backend.activate(activation, inputs as never, parameters);
            expectTrue(y.length === 0, `${activation.name} has ${y.length} results`);
            const gradients = (await backend.activateBackward(
              activation,
              inputs as never,
              empty,
              parameters,
            )) as Gradients;
            for (const name of activation.inputs) expectZeros(gradients[name], 0, `the gradient of ${name}`);
            for (const name of Object.keys(parameters))
              expectZeros(gradients[name], channels, `${activation.name}: the gradient of ${name}`);
          }
      },
    },
    {
      name: "no elements, packed: the same, whichever axis is empty",
      run: async (backend) => {
        for (const layout of ["gate-first", "gate-second", "interleaved"] as const)
          for (const [shape, axis] of [
            [[0, 6], 1],
            [[2, 0], 0],
            [[0, 3], 0],
          ] as const) {
            const input = { packed: empty, shape, axis, layout };
            const what = `${layout} [${shape}] axis ${axis}`;
            const y = await backend.activate(swiglu, input, { beta: 1.5 });
            expectTrue(y.length === 0, `${what}: ${y.length} results`);
            const gradients = (await backend.activateBackward(swiglu, input, empty, {
              beta: 1.5,
            })) as Gradients;
            expectZeros(gradients.packed, 0, `${what}: the gradient of packed`);
            expectZeros(gradients.beta, undefined, `${what}: the gradient of beta`);
          }
      },
    },
  ];
}

/** Blocks of every form on no rows. */
export function emptyBlockCases(): BlockCase[] {
  const [dModel, dFf] = [3, 4];
  const down = { down: plainFloats(dFf * dModel, 1), downBias: plainFloats(dModel, 2) };
  const matrix = (seed: number) => plainFloats(dModel * dFf, seed);
  const forms = {
    gated: { gate: matrix(3), gateBias: plainFloats(dFf, 4), up: matrix(5), ...down },
    packed: { packed: plainFloats(2 * dModel * dFf, 6), packedBias: plainFloats(2 * dFf, 7), ...down },
    selfGated: {
      in: matrix(8),
      square: plainFloats(dFf * dFf, 9),
      squareBias: plainFloats(dFf, 10),
      ...down,
    },
    ungated: { up: matrix(11), upBias: plainFloats(dFf, 12), ...down },
  };
  return Object.entries(forms).map(([form, weights]) => ({
    name: `ffn of no rows, ${form}: no y, every gradient is 0`,
    run: async (backend) => {
      // Numbers that stale memory would show.
      const parameters = form === "gated" ? { beta: new Float32Array(dFf).fill(1.5) } : {};
      const activation = { gated: swiglu, packed: swiglu, selfGated: selfGlu, ungated: relu }[
        form
      ] as Activation;
      const options = { activation, dModel, dFf, weights: weights as never, parameters };
      const layout = form === "packed" ? { layout: "gate-first" as const } : {};
      const block =
        form === "ungated" ? await backend.ffn(options) : await backend.gatedFfn({ ...options, ...layout });
      const before = await block.record(plainFloats(2 * dModel, 13), 2);
      await before.backward(plainFloats(2 * dModel, 14));
      before.dispose();
      const empty = new Float32Array(0);
      const y = await block.forward(empty, 0);
      expectTrue(y.length === 0, `y has ${y.length} elements`);
      const pass = await block.record(empty, 0);
      expectTrue(pass.y.length === 0, `recorded y has ${pass.y.length} elements`);
      const gradients = (await pass.backward(empty)) as Gradients;
      const sizes = { x: empty, ...weights, ...parameters };
      for (const [name, { length }] of Object.entries(sizes))
        expectZeros(gradients[name], length, `the gradient of ${name}`);
      pass.dispose();
      block.dispose();
    },
  }));
}

/** What whole backends have beside: outputs of the caller's own, which hold other numbers before. */
export const emptyOutputs: BlockCase = {
  name: "ffn of no rows: zeros go into the caller's arrays and tensors too",
  run: async (backend) => {
    const weights = { up: plainFloats(12, 1), down: plainFloats(12, 2), upBias: plainFloats(4, 3) };
    const block = await backend.ffn({ activation: relu, dModel: 3, dFf: 4, weights });
    const pass = await block.record(new Float32Array(0), 0);
    const out = { up: plainFloats(12, 4), upBias: plainFloats(4, 5) };
    const written = await pass.backward(new Float32Array(0), { out });
    for (const name of ["up", "upBias"] as const) {
      expectTrue(written[name] === out[name], `the gradient of ${name} is the array in out`);
      expectZeros(out[name], weights[name].length, `the gradient of ${name}`);
    }
    pass.dispose();
    block.dispose();
  },
};
