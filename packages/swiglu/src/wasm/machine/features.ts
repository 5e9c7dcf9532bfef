// What this engine's WebAssembly can do. It is found out by validating tiny modules.
import { f32, f32x4, i32, v128 } from "../assembler/instructions.js";
import { ModuleBuilder } from "../assembler/module.js";

/** `relaxed` uses fused multiply-add (relaxed SIMD); `plain` runs on every engine with SIMD. */
export type Simd = "plain" | "relaxed";

let relaxedKnown: boolean | undefined;

/** Whether the engine accepts relaxed SIMD. Found out once. */
function hasRelaxedSimd(): boolean {
  relaxedKnown ??= validates((splat) => f32x4.relaxed_madd(splat, splat, splat));
  return relaxedKnown;
}

function validates(use: (splat: ReturnType<typeof f32x4.splat>) => ReturnType<typeof f32x4.add>): boolean {
  const module = new ModuleBuilder({ shared: false, initial: 1, maximum: 1 });
  module.function("probe", [], () => [v128.store(i32.const(0), use(f32x4.splat(f32.const(0))))]);
  return typeof WebAssembly === "object" && WebAssembly.validate(module.encode());
}

/**
 * The SIMD variant to assemble for. Throws an Error where the one asked for is not available, or no SIMD at all is.
 *
 * @param asked `plain` or `relaxed`; by default the best there is
 */
export function chooseSimd(asked?: Simd): Simd {
  if (asked !== undefined && asked !== "plain" && asked !== "relaxed")
    throw new TypeError(`simd is ${String(asked)}, expected "plain" or "relaxed"`);
  if (!validates((splat) => f32x4.add(splat, splat)))
    throw new Error(
      "this engine has no WebAssembly SIMD: use reference(), or Node 20 or a browser from 2023 on",
    );
  if (asked === "relaxed" && !hasRelaxedSimd())
    throw new Error(
      'simd "relaxed" is not available in this engine: leave it out, or use Node 24 (Node 20 needs --experimental-wasm-relaxed-simd)',
    );
  return asked ?? (hasRelaxedSimd() ? "relaxed" : "plain");
}
