// A process of its own: what JavaScript and each backend compute before and after a call that opens a session of ONNX Runtime.
// Argument: the call. Prints one line of JSON. WebGPU is not among the backends: its numbers are not the processor's.
import { compile, input, mean, mul, Training } from "onnx-grad";
import * as native from "onnxruntime-node";
import { reference, silu, wasm } from "swiglu";
import { ort } from "swiglu/onnx";

const x = Float32Array.from({ length: 200_000 }, (_, i) => (i % 2 ? -87.34 : -90));

async function train(options) {
  const training = await Training.create(
    native,
    {
      parameters: [{ name: "w", shape: [4], decay: true }],
      loss: ({ w }) => mean(mul(w, input("x", [4]))),
    },
    options,
  );
  await training.step({ x: [1, 2, 3, 4] }, 0.1);
  const program = await training.graph(({ w }) => mean(mul(w, input("x", [4]))));
  await training.step({ x: [1, 2, 3, 4] }, 0.1, program);
  await training.dispose();
}

async function run(runtime, options) {
  const program = await compile(runtime, { y: mul(input("x", [1]), 2) }, options);
  await program.run({ x: [1e-40] });
  await program.dispose();
}

const entries = {
  compile: () => run(native),
  "compile with two threads": () => run(native, { threads: 2 }),
  "compile for onnxruntime-web": async () => run(await import("onnxruntime-web")),
  Training: () => train({}),
  "ort()": () => computed(() => ort({ runtime: native, threads: 2 })),
  "compile with flushDenormals": () => run(native, { flushDenormals: true }),
  "Training with flushDenormals": () => train({ flushDenormals: true }),
};

/** What a backend computes, as bits: every distinct value of both inputs. */
async function computed(make) {
  const backend = await make();
  const y = await backend.activate(silu, { x });
  backend.dispose();
  const bits = new Uint32Array(y.buffer, y.byteOffset, y.length);
  return [0, 1].map((odd) => [...new Set(bits.filter((_, i) => i % 2 === odd))]);
}

async function all() {
  return {
    // As text at once: where denormals are zero, JSON writes them as zero.
    javascript: [Number("1e-310"), Float64Array.of(2 ** -1022)[0] / 2, Float32Array.of(2e-38)[0] ** 2].map(
      String,
    ),
    reference: await computed(reference),
    wasm1: await computed(() => wasm({ threads: 1 })),
    wasm2: await computed(() => wasm({ threads: 2 })),
  };
}

const before = await all();
await entries[process.argv[2]]();
const after = { ...(await all()), ort: await computed(() => ort({ runtime: native, threads: 2 })) };
console.log(JSON.stringify({ before, after }));
process.exit(0);
