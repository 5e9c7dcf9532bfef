// The feed-forward blocks of a model, found by the names of its tensors: which matrices each has, and which experts.
import type { TensorInfo } from "../tensor.js";
import { type Parsed, parseName, type Role, type Scheme, type Slot, schemes } from "./names.js";

/** The tensors of one matrix by what each is: "weight", "bias", "scales" ... */
export type Parts = ReadonlyMap<string, TensorInfo>;

/** One feed-forward block, or all experts of one kind in a layer. */
export interface Site {
  readonly path: string;
  /** The path with its layer's number left open: the same for all layers of one stack. */
  readonly stack: string;
  readonly layer: number | undefined;
  readonly role: Role;
  /** Whether each matrix's tensor holds those of all experts, along its first axis. */
  readonly stacked: boolean;
  /** Other matrices of the same module, under names that no scheme has. */
  readonly others: readonly TensorInfo[];
  readonly scheme: Scheme;
  /** Each matrix's tensors: one set for all experts (stacked), or one for each expert's number. */
  readonly matrices: Readonly<Partial<Record<Slot, ReadonlyMap<number | undefined, Parts>>>>;
}

type Matrices = Map<number | undefined, Map<string, TensorInfo>>;
interface Group {
  readonly first: Parsed;
  readonly parts: Map<string, Matrices>;
}

/** The value under a key, made where there is none yet. */
function within<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

/** Finds all blocks, in the order of the file's names. */
export function findSites(tensors: ReadonlyMap<string, TensorInfo>): Site[] {
  const groups = new Map<string, Group>();
  const others = new Map<string, TensorInfo[]>();
  for (const [name, tensor] of tensors) {
    const parsed = parseName(name);
    if (parsed === undefined) {
      const module = moduleOf(name);
      if (module !== undefined && tensor.shape.length > 1)
        within(others, module, (): TensorInfo[] => []).push(tensor);
      continue;
    }
    const group = within(groups, parsed.site, () => ({ first: parsed, parts: new Map<string, Matrices>() }));
    const matrices = within(group.parts, parsed.part, (): Matrices => new Map());
    within(matrices, parsed.expert, () => new Map<string, TensorInfo>()).set(parsed.attribute, tensor);
  }
  const sites: Site[] = [];
  for (const [path, { first, parts }] of groups) {
    const scheme = schemes.find(
      (candidate) =>
        Object.values(candidate.parts).every((part) => parts.has(part)) &&
        (candidate.within === undefined || candidate.within.test(path)),
    );
    if (scheme === undefined) continue;
    const matrices = Object.fromEntries(
      Object.entries(scheme.parts).map(([slot, part]) => [slot, parts.get(part)]),
    ) as Site["matrices"];
    const { layer } = first;
    const stacked = isStacked(matrices.down?.get(undefined));
    const role = stacked && first.role === "dense" ? "routed" : first.role;
    const stack = layer === undefined ? path : path.replace(/(^|\.)\d+(?=\.|:|$)/, "$1N");
    sites.push({ path, stack, layer, role, stacked, others: others.get(path) ?? [], scheme, matrices });
  }
  return sites;
}

/** Whether a matrix's tensor has an axis more than a matrix: of experts, and not of a convolution over one step. */
function isStacked(parts: Parts | undefined): boolean {
  const [weight, blocks] = [parts?.get("weight")?.shape, parts?.get("blocks")?.shape];
  return (weight?.length === 3 && weight[2] !== 1) || blocks?.length === 4;
}

/** The module that holds a matrix, by its name; in GGUF, where a layer is one module, for feed-forward names only. */
function moduleOf(name: string): string | undefined {
  const components = name.split(".");
  const part = components.at(-1) === "weight" ? components.at(-2) : components.at(-1);
  if (part === undefined || /^(gate|router|ffn_gate_inp)/.test(part)) return undefined;
  const module = components.slice(0, components.at(-1) === "weight" ? -2 : -1).join(".");
  return /(^|\.)blk\.\d+$/.test(module) && !part.startsWith("ffn_") ? undefined : module;
}
