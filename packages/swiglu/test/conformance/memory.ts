// What every backend must hold for memory, which does not depend on the activation: outputs, in-place outputs, tensors,
// and that synchronous calls give what the others give.
import type { Activation, SyncBackend } from "../../src/index.js";
import { expectError, expectTrue } from "./expect.js";
import type { ConformanceCase } from "./index.js";
import { plainFloats } from "./samples.js";

type Gradients = Readonly<Record<string, Float32Array>>;

/** All cases. */
export function memoryCases(activation: Activation<"gated", "beta">): ConformanceCase[] {
  const gate = plainFloats(37, 1, 5);
  const up = plainFloats(37, 2, 5);
  return [
    {
      name: "out: returned, may be an input, and nothing beside it is written",
      run: async (backend) => {
        const y = await backend.activate(activation, { gate, up });
        for (const offset of [0, 1, 2, 3, 5]) {
          const buffer = new Float32Array(64).fill(77);
          const out = buffer.subarray(offset, offset + 37);
          const returned = await backend.activate(activation, { gate, up }, {}, { out });
          expectTrue(returned === out, "out is not what was returned");
          expectTrue(String(out) === String(y), `out at offset ${offset} differs`);
          const canaries = [...buffer.subarray(0, offset), ...buffer.subarray(offset + 37)];
          expectTrue(
            canaries.every((value) => value === 77),
            `a write beside out at offset ${offset}`,
          );
        }
        for (const name of ["gate", "up"] as const) {
          const inputs = { gate: gate.slice(), up: up.slice() };
          await backend.activate(activation, inputs, {}, { out: inputs[name] });
          expectTrue(String(inputs[name]) === String(y), `out = ${name} differs`);
        }
      },
    },
    {
      name: "tensors: accepted everywhere, also as out, read back, refused when disposed",
      run: async (backend) => {
        const tensors = { gate: backend.tensor(gate, [37]), up: backend.tensor(up, [37]) };
        const y = await backend.activate(activation, { gate, up });
        expectTrue(String(await backend.activate(activation, tensors)) === String(y), "tensor inputs differ");
        const out = backend.tensor(new Float32Array(37), [37]);
        expectTrue(
          (await backend.activate(activation, tensors, {}, { out })) === out,
          "out tensor not returned",
        );
        expectTrue(String(await out.read()) === String(y), "out tensor differs");
        const dy = plainFloats(37, 3);
        const separate = await backend.activateBackward(activation, { gate, up }, dy);
        const resident = await backend.activateBackward(activation, tensors, backend.tensor(dy, [37]));
        expectTrue(String(separate.gate) === String(resident.gate), "gradient through tensors differs");
        const held = { gate: new Float32Array(37), up: backend.tensor(new Float32Array(37), [37]) };
        const given = await backend.activateBackward(activation, tensors, dy, {}, { out: held });
        expectTrue(given.gate === held.gate && given.up === held.up, "gradient outputs are not returned");
        expectTrue(String(held.gate) === String(separate.gate), "gradient in an output array differs");
        expectTrue(
          String(await held.up.read()) === String(separate.up),
          "gradient in an output tensor differs",
        );
        const one = new Float32Array(37);
        await expectError(
          () => backend.activateBackward(activation, tensors, dy, {}, { out: { gate: one, up: one } }),
          /^out.up is also out.gate/,
        );
        tensors.gate.dispose();
        tensors.gate.dispose();
        await expectError(() => backend.activate(activation, tensors), /disposed/);
      },
    },
    {
      name: "parameterGradients: false leaves the gradients of parameters out, and the others as they are",
      run: async (backend) => {
        const dy = plainFloats(37, 4);
        for (const beta of [1.5, Float32Array.of(1.5)]) {
          const all = await backend.activateBackward(activation, { gate, up }, dy, { beta });
          const options = { parameterGradients: false };
          const some = await backend.activateBackward(activation, { gate, up }, dy, { beta }, options);
          expectTrue(Object.keys(some).join() === "gate,up", `gradients of ${Object.keys(some)}`);
          expectTrue(String(some.gate) === String(all.gate), "the gradient in gate differs");
          expectTrue(String(some.up) === String(all.up), "the gradient in up differs");
        }
      },
    },
    {
      name: "sync calls, where the backend has them, equal the asynchronous ones",
      run: async (backend) => {
        if (!("activateSync" in backend)) return;
        const sync = backend as SyncBackend;
        const y = sync.activateSync(activation, { gate, up });
        expectTrue(String(y) === String(await backend.activate(activation, { gate, up })), "activateSync");
        const dy = plainFloats(37, 8);
        const now: Gradients = sync.activateBackwardSync(activation, { gate, up }, dy) as Gradients;
        const later = await backend.activateBackward(activation, { gate, up }, dy);
        expectTrue(String(now.gate) === String(later.gate), "activateBackwardSync");
      },
    },
  ];
}
