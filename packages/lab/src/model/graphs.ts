// The same graph in several sizes (rows of a batch, places of a context), each compiled when it is first needed and kept.
import type { CompileOptions, Program } from "onnx-grad";

/**
 * How every graph of the lab is compiled. Its processes do nothing else, so denormal numbers may count as zero, which keeps
 * steps fast; the first session of a process decides that, so each one asks for it.
 */
export const compileOptions = (threads: number): CompileOptions => ({ threads, flushDenormals: true });

export class GraphsBySize {
  private readonly graphs = new Map<number, Program>();

  constructor(private readonly make: (size: number) => Promise<Program>) {}

  async of(size: number): Promise<Program> {
    const graph = this.graphs.get(size) ?? (await this.make(size));
    this.graphs.set(size, graph);
    return graph;
  }

  async dispose(): Promise<void> {
    for (const graph of this.graphs.values()) await graph.dispose();
  }
}
