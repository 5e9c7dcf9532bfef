// The machine that something is computed on: what decides, beside the configuration, how it rounds and how long it takes.
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { env } from "onnxruntime-node";

export interface Environment {
  readonly node: string;
  readonly platform: string;
  /** Its name and, where the system tells, its widest vectors, on which rounding depends: "AMD EPYC (AVX2)". */
  readonly processor: string;
  readonly cores: number;
  /** Its version. */
  readonly onnxRuntime: string;
}

export function environment(): Environment {
  const processors = cpus();
  const vectors = widestVectors();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: `${processors[0]?.model.trim() ?? "unknown"}${vectors === undefined ? "" : ` (${vectors})`}`,
    cores: processors.length,
    onnxRuntime: env.versions.node ?? "unknown",
  };
}

/** In one line, as records have it. */
export const describeEnvironment = ({ processor, cores, platform, node, onnxRuntime }: Environment): string =>
  `${processor}, ${cores} cores; ${platform}; Node ${node}, ONNX Runtime ${onnxRuntime}`;

/**
 * The machines that runs were made on, each once.
 *
 * @param environment where they were put together; what says no machine, as records of before 0.2.0, was made there
 */
export function machinesOf(
  records: readonly { readonly machine?: string }[],
  environment: Environment,
): string[] {
  const here = describeEnvironment(environment);
  return [...new Set(records.length === 0 ? [here] : records.map(({ machine = here }) => machine))];
}

/** What Linux says of an x64 processor. */
function widestVectors(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
    if (flags.includes("avx512f")) return "AVX-512";
    return flags.includes("avx2") ? "AVX2" : undefined;
  } catch {
    return undefined;
  }
}
