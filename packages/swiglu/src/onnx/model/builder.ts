// Collects the nodes and the data of a graph, and gives its results their names. Every graph of this project is built by it.
import type { ElementType } from "./elements.js";
import type { Initializer, OnnxAttribute, OnnxFragment, OnnxNode } from "./model.js";

/** How a builder calls the tensors that it names itself. */
export interface TensorNames {
  /** The name of what the next node computes; `nodes` is the number of nodes before it. */
  node(nodes: number): string;
  /** The name of the next piece of data; `constants` is the number of pieces before it. */
  constant(constants: number): string;
}

/** What a builder keeps once where it is asked for twice. */
export interface BuilderOptions {
  /** Data of equal type, shape and numbers, up to 64 numbers. Default: no. */
  readonly shareConstants?: boolean;
  /** Nodes of one operator with equal inputs and attributes. Default: no. */
  readonly shareNodes?: boolean;
}

/** A node's attributes by name. */
export type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** Longer data is not compared with other data. */
const longestShared = 64;

/**
 * Builds a graph node by node. Made for this project's own packages (`onnx-grad` builds its graphs with it): its methods may
 * change between minor versions.
 *
 * A tensor is known by its name inside the builder. A result gets its name for the outside at the end:
 *
 *     node("Add", ["x", "y"])  ->  "t0"        the name inside
 *     name("sum", "t0")                        in the finished graph, "t0" is "sum" everywhere
 *     name("copy", "t0")                       a second name for one tensor is an Identity node
 *
 * @example
 * const names = { node: (nodes) => `t${nodes}`, constant: (constants) => `c${constants}` };
 * const graph = new GraphBuilder(names);
 * graph.name("y", graph.node("Neg", ["x"]));
 * graph.nodes() // [{ opType: "Neg", inputs: ["x"], outputs: ["y"] }]
 */
export class GraphBuilder<T extends ElementType = ElementType> {
  /** Data in the graph, in the order in which it was added. */
  readonly initializers: (Initializer & { readonly dtype: T })[] = [];
  private readonly collected: OnnxNode[] = [];
  /** Names of everything that a node computes. */
  private readonly computed = new Set<string>();
  /** From names that stand for another tensor to that tensor's name. */
  private readonly aliases = new Map<string, string>();
  /** From names inside to those of results. */
  private readonly results = new Map<string, string>();
  private readonly knownConstants = new Map<string, string>();
  private readonly knownNodes = new Map<string, readonly string[]>();

  constructor(
    private readonly names: TensorNames,
    private readonly options: BuilderOptions = {},
  ) {}

  /** A name that nothing has yet, for what the next node computes. */
  fresh(): string {
    return this.names.node(this.collected.length);
  }

  /** Puts data into the graph; returns the name of its tensor, which `name` sets unless equal data is there already. */
  constant(
    shape: readonly number[],
    data: ArrayLike<number>,
    dtype: T = "float32" as T,
    name?: string,
  ): string {
    const key = this.options.shareConstants ? keyOf(shape, data, dtype) : undefined;
    const known = key === undefined ? undefined : this.knownConstants.get(key);
    if (known !== undefined) return known;
    const own = name ?? this.names.constant(this.initializers.length);
    this.initializers.push({ name: own, dtype, shape, data });
    if (key !== undefined) this.knownConstants.set(key, own);
    return own;
  }

  /** Adds a node with one output, under a name of its own unless `output` is given; returns that name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output: string = this.fresh(),
  ): string {
    const some = Object.keys(attributes).length > 0;
    this.add({ opType, inputs, outputs: [output], ...(some && { attributes }) });
    return this.resolve(output);
  }

  /** Adds a node under the names that it brings. One that is there already lends its outputs instead. */
  add(node: OnnxNode): void {
    const inputs = node.inputs.map((name) => this.resolve(name));
    const key = this.options.shareNodes ? keyOfNode(node, inputs) : undefined;
    const known = key === undefined ? undefined : this.knownNodes.get(key);
    if (known !== undefined) {
      node.outputs.forEach((name, i) => {
        this.alias(name, known[i] as string);
      });
      return;
    }
    if (key !== undefined) this.knownNodes.set(key, node.outputs);
    this.collected.push({ ...node, inputs });
    for (const name of node.outputs) this.computed.add(name);
  }

  /** Adds all nodes and constants of a fragment under the names that it brings. */
  append({ nodes, constants }: OnnxFragment): void {
    for (const { name, dtype, value } of constants)
      this.alias(name, this.constant([], [value], dtype as T, name));
    for (const node of nodes) this.add(node);
  }

  /** Lets a name stand for another tensor in every node that is added from now on. */
  alias(name: string, tensor: string): void {
    if (name !== tensor) this.aliases.set(name, tensor);
  }

  /** The name of the tensor that a name stands for: its own, unless it is an alias. */
  resolve(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  /** Gives a tensor the name of a result. What a node computes is renamed; inputs, data and repeats are copied. */
  name(result: string, tensor: string): void {
    if (this.computed.has(tensor) && !this.results.has(tensor)) this.results.set(tensor, result);
    else this.collected.push({ opType: "Identity", inputs: [tensor], outputs: [result] });
  }

  /** All nodes in computing order, with the results under their names. */
  nodes(): OnnxNode[] {
    const final = (name: string): string => this.results.get(name) ?? name;
    return this.collected.map(({ inputs, outputs, ...node }) => ({
      ...node,
      inputs: inputs.map(final),
      outputs: outputs.map(final),
    }));
  }
}

/** A text that equal data shares; undefined where the data is too long to compare. */
function keyOf(shape: readonly number[], data: ArrayLike<number>, dtype: ElementType): string | undefined {
  if (data.length > longestShared) return undefined;
  return `${dtype}[${shape}]:${Array.from(data, (value) => (Object.is(value, -0) ? "-0" : `${value}`))}`;
}

/** A text that nodes share which compute the same. */
function keyOfNode({ opType, domain = "", attributes = {}, outputs }: OnnxNode, inputs: readonly string[]) {
  return JSON.stringify([domain, opType, inputs, attributes, outputs.length]);
}
