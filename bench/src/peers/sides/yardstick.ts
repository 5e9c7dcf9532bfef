// What this machine does at best: instead of an activation a bare multiply, a copy; instead of a block a loop of nothing
// but multiply-adds, or a read of the weights. Scaled to the size of the case, each stands in its table.
import { type Case, elementwiseData, type FfnCase, flops } from "../cases.js";
import { Crew, type Kernel } from "../crew.js";
import { flopsPerTurn, stride, yardstickModule } from "../kernels.js";
import { options, serve, type Work } from "../serve.js";

const { threads } = options;
const kernel = options.variant as Kernel;
const reserved = 4096;
const page = 65536;
/** Rows up to which a block is limited by reading its weights, rather than by arithmetic. */
const fewRows = 4;

/** The crew of one case over a memory of its own. */
async function crewOver(bytes: number): Promise<{ crew: Crew; memory: WebAssembly.Memory }> {
  const pages = Math.ceil((reserved + bytes) / page);
  const type = { shared: threads > 1, initial: pages, maximum: pages };
  const memory = new WebAssembly.Memory(type);
  const fused = yardstickModule(type, true);
  const code = WebAssembly.validate(fused) ? fused : yardstickModule(type, false);
  return { crew: await Crew.start(code, memory, threads), memory };
}

/** Runs the kernel over arrays of `bytes` that lie behind one another, an equal part on each thread. */
async function overMemory(bytes: number, operands: readonly Float32Array[]): Promise<Work> {
  const { crew, memory } = await crewOver(3 * bytes);
  const [a, b, out] = [0, 1, 2].map((i) => reserved + i * bytes) as [number, number, number];
  // Memory that was never written is one page of zeros in many places, which any cache holds.
  new Float32Array(memory.buffer, reserved).fill(1);
  operands.forEach((data, i) => {
    new Float32Array(memory.buffer, reserved + i * bytes, data.length).set(data);
  });
  const part = Math.floor(bytes / threads / stride) * stride;
  const calls = Array.from({ length: threads }, (_, i) => {
    const from = i * part;
    // A read leaves 16 bytes only: each thread's in a place of its own.
    const to = kernel === "read" ? reserved - stride * (i + 1) : out + from;
    return [to, a + from, b + from, part] as const;
  });
  return {
    run: () => crew.run(kernel, calls),
    results: () => [],
    close: () => crew.close(),
    scale: bytes / (part * threads),
  };
}

function elementwise({ count }: Exclude<Case, FfnCase>): Promise<Work> {
  const { gate, up } = elementwiseData(count);
  return overMemory(4 * count, [gate, up]);
}

async function multiplyAdds(task: FfnCase): Promise<Work> {
  const { crew } = await crewOver(0);
  const turns = 200_000;
  const calls = Array.from(
    { length: threads },
    (_, i) => [reserved - stride * (i + 1), 0, 0, turns] as const,
  );
  return {
    run: () => crew.run(kernel, calls),
    results: () => [],
    close: () => crew.close(),
    scale: flops(task) / (turns * threads * flopsPerTurn),
  };
}

await serve({ version: "wasm" }, async (task) => {
  if ("count" in task)
    return task.kind === "forward" && (kernel === "multiply" || kernel === "copy")
      ? elementwise(task)
      : `no ${kernel} in this case`;
  if (kernel === "multiplyAdd") return multiplyAdds(task);
  return kernel === "read" && task.kind === "ffnForward" && task.rows <= fewRows
    ? overMemory(3 * 4 * task.dModel * task.dFf, [])
    : `no ${kernel} in this case`;
});
