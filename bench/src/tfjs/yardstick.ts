// What the machine can do at best: multiply-adds in registers, in the same process and the same rounds.
import { flopsPerTurn, yardstickModule } from "../peers/kernels.js";

const turns = 400_000;

/** Milliseconds that so many floating-point operations take when nothing else is done. */
export function bareMultiplyAdds(): (flops: number) => number {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const type = { shared: false, initial: 1, maximum: 1 };
  const relaxed = WebAssembly.validate(yardstickModule(type, true));
  const module = new WebAssembly.Module(yardstickModule(type, relaxed));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const multiplyAdd = exports.multiplyAdd as (out: number, a: number, b: number, turns: number) => void;
  return (flops) => {
    const before = performance.now();
    multiplyAdd(0, 0, 0, turns);
    return ((performance.now() - before) * flops) / (turns * flopsPerTurn);
  };
}
