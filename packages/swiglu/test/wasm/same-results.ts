// Threads must not show in results: arrays large enough to be divided give the same numbers on one thread and on many.
import { type Activation, activations, type SyncBackend } from "../../src/index.js";
import { expectTrue } from "../conformance/expect.js";
import { plainFloats } from "../conformance/samples.js";

/** All names that an activation's inputs can have: the comparison goes through activations of every kind. */
type Arrays = Readonly<Record<"x" | "gate" | "up", Float32Array>>;

/** Compares every activation, forward and backward, on two backends; odd sizes, so that no thread gets an even share. */
export function expectSameResults(
  one: SyncBackend,
  many: SyncBackend,
  chosen: readonly Activation[] = Object.values(activations),
): void {
  for (const activation of chosen) {
    const arrays = (count: number): Arrays =>
      Object.fromEntries(activation.inputs.map((name, i) => [name, plainFloats(count, 7 + i, 9)])) as Arrays;
    const dy = plainFloats(30_011, 5);
    const perChannel = Object.fromEntries(
      Object.entries(activation.parameters).map(([name, value]) => [
        name,
        Float32Array.from({ length: 30 }, (_, i) => value + i / 64),
      ]),
    );
    const results = [one, many].map((backend) => {
      const plain = arrays(30_011);
      return {
        y: backend.activateSync(activation, plain),
        channels: backend.activateSync(activation, arrays(30_030), perChannel),
        ...backend.activateBackwardSync(activation, plain, dy),
      } as Record<string, Float32Array | number>;
    });
    const [expected, got] = results as [(typeof results)[0], (typeof results)[0]];
    for (const [name, value] of Object.entries(expected))
      expectSame(value, got[name], `${activation.name} ${name}`);
  }
}

/** Arrays to the last bit; sums, whose order differs, nearly so. */
function expectSame(
  value: Float32Array | number,
  got: Float32Array | number | undefined,
  what: string,
): void {
  if (typeof value === "number") {
    expectTrue(
      typeof got === "number" && Math.abs(got - value) <= 1e-12 * Math.abs(value) + 1e-9,
      `${what}: the sum is ${value} on one thread and ${got} on several`,
    );
    return;
  }
  const other = got instanceof Float32Array ? got : new Float32Array(0);
  const at = value.findIndex((number, i) => !Object.is(number, other[i]));
  expectTrue(
    at < 0 && other.length === value.length,
    `${what}: element ${at} is ${value[at]} on one thread and ${other[at]} on several`,
  );
}
