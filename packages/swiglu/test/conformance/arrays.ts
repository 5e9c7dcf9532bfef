// What every backend must hold for the arrays it is given, whatever realm they come from and whatever memory they lie in:
// the same numbers as from plain ones, or a sentence.
import { activations, type GradientOutputs, unpack } from "../../src/index.js";
import { expectArrayClose, expectError, expectTrue } from "./expect.js";
import { foreign } from "./foreign.js";
import type { ConformanceCase } from "./index.js";
import { plainFloats } from "./samples.js";

const { swiglu, silu } = activations;

/** Ways to hand over the same numbers. */
const kinds: Readonly<Record<string, (values: ArrayLike<number>) => Float32Array>> = {
  "of another realm": foreign,
  "in a buffer that threads share": (values) => inBuffer(shared(), values),
  "in a buffer that can grow": (values) => inBuffer(resizable(4 * values.length + 8), values),
};

/** Pages that are not isolated have no class for it, but WebAssembly gives it. */
const shared = (): ArrayBuffer => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;

/** Made here, as the compiler's library does not know the option. */
const resizable = (bytes: number): ArrayBuffer =>
  new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(bytes, {
    maxByteLength: 2 * bytes,
  });

function inBuffer(buffer: ArrayBufferLike, values: ArrayLike<number>): Float32Array {
  const array = new Float32Array(buffer, 8, values.length);
  array.set(values);
  return array;
}

const same = (got: unknown, expected: unknown, what: string): void =>
  expectTrue(String(got) === String(expected), `${what} differs: ${got} for ${expected}`);

const kindCases = Object.entries(kinds).flatMap(([kind, make]): ConformanceCase[] => [
  {
    name: `arrays ${kind}: taken for inputs, dy, parameters and tensors, and written as out`,
    run: async (backend) => {
      const [gate, up, dy] = [plainFloats(36, 1, 5), plainFloats(36, 2, 5), plainFloats(36, 3)];
      const beta = Float32Array.of(0.5, 1, 1.5);
      const given = { gate: make(gate), up: make(up) };
      const [slope, slopes] = [make(dy), make(beta)];
      const y = await backend.activate(swiglu, { gate, up }, { beta });
      same(await backend.activate(swiglu, given, { beta: slopes }), y, "y");
      const out = make(new Float32Array(36));
      expectTrue((await backend.activate(swiglu, given, { beta: slopes }, { out })) === out, "y is out");
      same(out, y, "y in out");
      const packed = { shape: [2, 36], layout: "interleaved" } as const;
      const both = plainFloats(72, 4, 5);
      same(
        await backend.activate(swiglu, { ...packed, packed: make(both) }),
        await backend.activate(swiglu, { ...packed, packed: both }),
        "y of a packed input",
      );
      const expected = await backend.activateBackward(swiglu, { gate, up }, dy, { beta });
      const fresh = await backend.activateBackward(swiglu, given, slope, { beta: slopes });
      const held = { gate: make(new Float32Array(36)), up: make(new Float32Array(36)) };
      const written = await backend.activateBackward(swiglu, given, slope, { beta: slopes }, { out: held });
      for (const name of ["gate", "up", "beta"] as const) {
        same(fresh[name], expected[name], `the gradient of ${name}`);
        same(written[name], expected[name], `the gradient of ${name} beside out`);
      }
      expectTrue(written.gate === held.gate && written.up === held.up, "gradients are those in out");
      const tensor = backend.tensor(given.gate, [36]);
      same(await tensor.read(), gate, "a tensor");
      tensor.dispose();
    },
  },
  {
    name: `arrays ${kind}: taken for a block's x, dY, weights and biases, and written as out`,
    run: async (backend) => {
      for (const [dModel, dFf] of [
        [5, 7],
        [8, 16],
      ] as const) {
        const weights = {
          gate: plainFloats(dModel * dFf, 1, 0.5),
          up: plainFloats(dModel * dFf, 2, 0.5),
          down: plainFloats(dModel * dFf, 3, 0.5),
          upBias: plainFloats(dFf, 4, 0.5),
        };
        const parameters = { beta: plainFloats(dFf, 5, 2) };
        const [x, dY] = [plainFloats(3 * dModel, 6), plainFloats(3 * dModel, 7)];
        const options = { activation: swiglu, dModel, dFf };
        const plain = await backend.gatedFfn({ ...options, weights, parameters });
        const made = Object.fromEntries(
          Object.entries(weights).map(([name, values]) => [name, make(values)]),
        ) as typeof weights;
        const block = await backend.gatedFfn({
          ...options,
          weights: made,
          parameters: { beta: make(parameters.beta) },
        });
        const [given, slope] = [make(x), make(dY)];
        const expected = await plain.record(x, 3);
        const y = make(new Float32Array(3 * dModel));
        expectTrue((await block.forward(given, 3, { out: y })) === y, "y is out");
        same(y, expected.y, "y in out");
        const pass = await block.record(given, 3);
        same(pass.y, expected.y, "recorded y");
        const gradients = await expected.backward(dY);
        const out = { x: make(x), down: make(weights.down), upBias: make(weights.upBias) };
        const written = await pass.backward(slope, { out });
        for (const name of ["x", "gate", "up", "down", "upBias", "beta"] as const)
          expectArrayClose(
            written[name] as Float32Array,
            gradients[name] as Float32Array,
            0,
            `the gradient of ${name}`,
          );
        for (const name of ["x", "down", "upBias"] as const)
          expectTrue(written[name] === out[name], `the gradient of ${name} is the array in out`);
        for (const each of [pass, expected, block, plain]) each.dispose();
      }
    },
  },
]);

/** An array whose memory another thread has now. */
function transferred(count: number): Float32Array {
  const array = new Float32Array(count);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const gone = (name: string): RegExp => new RegExp(`^${name} is a Float32Array whose memory is gone`);

/** All cases. */
export function arrayCases(): ConformanceCase[] {
  return [
    ...kindCases,
    {
      name: "arrays whose memory is gone: an error that names them, not an empty result",
      run: async (backend) => {
        const here = new Float32Array(4);
        const lost = transferred(4);
        const none = new Float32Array(0);
        await expectError(() => backend.activate(silu, { x: lost }), gone("x"));
        await expectError(() => backend.activate(silu, { x: none }, {}, { out: lost }), gone("out"));
        await expectError(() => backend.activateBackward(silu, { x: none }, lost), gone("dy"));
        await expectError(
          () => backend.activateBackward(silu, { x: none }, none, {}, { out: { x: lost } }),
          gone("out.x"),
        );
        await expectError(
          () => backend.activate(swiglu, { gate: here, up: here }, { beta: lost }),
          gone("parameter beta"),
        );
        await expectError(() => backend.tensor(lost, [0]), gone("data"));
        const weights = { up: here, down: here };
        const options = { activation: silu, dModel: 2, dFf: 2 };
        await expectError(
          () => backend.ffn({ ...options, weights: { ...weights, up: lost } }),
          gone("weights.up"),
        );
        const block = await backend.ffn({ ...options, weights });
        await expectError(() => block.forward(lost, 0), gone("x"));
        await expectError(() => block.forward(none, 0, { out: lost }), gone("out"));
        block.dispose();
        const buffer = resizable(16);
        const cut = new Float32Array(buffer, 8, 2);
        (buffer as unknown as { resize(bytes: number): void }).resize(8);
        await expectError(() => backend.activate(silu, { x: cut }), gone("x"));
      },
    },
    {
      name: "out may overlap inputs and parameters in any way",
      run: async (backend) => {
        const numbers = plainFloats(80, 1, 5);
        const y = await backend.activate(silu, { x: numbers.slice(0, 64) });
        for (const start of [1, 3, 16]) {
          const memory = numbers.slice();
          const out = memory.subarray(start, start + 64);
          await backend.activate(silu, { x: memory.subarray(0, 64) }, {}, { out });
          same(out, y, `y at ${start}`);
        }
        for (const channels of [1, 8, 64]) {
          const gated = { gate: numbers.slice(0, 64), up: numbers.slice(16) };
          const out = numbers.slice(0, 64);
          const beta = out.slice(0, channels);
          const expected = await backend.activate(swiglu, gated, { beta });
          await backend.activate(swiglu, gated, { beta: out.subarray(0, channels) }, { out });
          same(out, expected, `y over ${channels} values of beta`);
        }
        for (const layout of ["gate-first", "gate-second", "interleaved"] as const) {
          const packed = numbers.slice(0, 64);
          const expected = await backend.activate(swiglu, unpack(packed, [64], { layout }));
          const out = packed.subarray(16, 48);
          await backend.activate(swiglu, { packed, shape: [64], layout }, {}, { out });
          same(out, expected, `y in a ${layout} input`);
        }
      },
    },
    {
      name: "gradient outputs that overlap each other, an input, dy or a parameter are an error",
      run: async (backend) => {
        const memory = new Float32Array(24);
        const [first, second] = [memory.subarray(0, 8), memory.subarray(7, 15)];
        const apart = memory.subarray(15, 23);
        const [gate, up, dy] = [plainFloats(8, 1), plainFloats(8, 2), plainFloats(8, 3)];
        const backward = (out: GradientOutputs, more: { gate?: Float32Array; dy?: Float32Array } = {}) =>
          backend.activateBackward(swiglu, { gate: more.gate ?? gate, up }, more.dy ?? dy, {}, { out });
        const overlaps = (name: string, other: string) => new RegExp(`^out.${name} overlaps ${other}`);
        await expectError(() => backward({ gate: first, up: second }), overlaps("up", "out.gate"));
        await expectError(() => backward({ up: second }, { gate: first }), overlaps("up", "an input"));
        await expectError(() => backward({ gate: second }, { dy: first }), overlaps("gate", "an input"));
        const beta = memory.subarray(6, 8);
        await expectError(
          () => backend.activateBackward(swiglu, { gate, up }, dy, { beta }, { out: { up: first } }),
          overlaps("up", "an input"),
        );
        const input = { packed: memory.subarray(0, 16), shape: [16], layout: "gate-first" } as const;
        const packed = memory.subarray(1, 17);
        await expectError(
          () => backend.activateBackward(swiglu, input, dy, {}, { out: { packed } }),
          overlaps("packed", "an input"),
        );
        const weights = { gate: plainFloats(6, 1), up: plainFloats(6, 2), down: plainFloats(6, 3) };
        const block = await backend.gatedFfn({ activation: swiglu, dModel: 2, dFf: 3, weights });
        const pass = await block.record(plainFloats(4, 4), 2);
        const out = { x: memory.subarray(0, 4), down: memory.subarray(3, 9) };
        await expectError(() => pass.backward(plainFloats(4, 5), { out }), overlaps("down", "out.x"));
        pass.dispose();
        block.dispose();
        // Side by side in one buffer is no overlap.
        const fine = await backward({ gate: first, up: apart });
        const expected = await backend.activateBackward(swiglu, { gate, up }, dy);
        same(fine.gate, expected.gate, "the gradient of gate");
        same(fine.up, expected.up, "the gradient of up");
      },
    },
  ];
}
