// The same graph in several sizes (rows of a batch, places of a context), each compiled when it is first needed and kept.
import type { Program } from "onnx-grad";

export class GraphsBySize {
  readonly #graphs = new Map<number, Program>();

  constructor(private readonly make: (size: number) => Promise<Program>) {}

  async of(size: number): Promise<Program> {
    const graph = this.#graphs.get(size) ?? (await this.make(size));
    this.#graphs.set(size, graph);
    return graph;
  }

  async dispose(): Promise<void> {
    for (const graph of this.#graphs.values()) await graph.dispose();
  }
}
