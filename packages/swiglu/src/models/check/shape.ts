// What shapes and names say of a block: layout, orientation, widths, experts, biases, and how its numbers are stored.

import type { PackedLayout } from "../../layout.js";
import type { Slot } from "../blocks/names.js";
import type { Site } from "../blocks/sites.js";
import { type Weight, weightOf } from "../blocks/weight.js";
import type { Model } from "../model.js";
import { inOutRules, isAmong, layoutRules } from "./clamps.js";
import { type Field, field, unknown } from "./field.js";

export type BlockLayout = PackedLayout | "separate" | "ungated";
export type Orientation = "[out,in]" | "[in,out]";

/** A block's matrices and what their shapes decide. */
export interface BlockShape {
  /** The first expert's matrices, or those of all experts in one tensor. */
  readonly weights: Readonly<Partial<Record<Slot, Weight>>>;
  /** Whether all experts lie in one tensor, along its first axis. */
  readonly stacked: boolean;
  readonly layout: Field<BlockLayout>;
  readonly orientation: Field<Orientation>;
  readonly dModel: Field<number>;
  readonly dFf: Field<number>;
  readonly experts: Field<number>;
  readonly biases: Field<readonly Slot[]>;
  readonly stored: Field<string>;
}

/** The family a block belongs to, as rules name it, and whether any rule knows it. */
export interface Family {
  readonly name: string;
  readonly known: boolean;
}

/** A width that something beside the shapes says: the block's input, or the rows that a bias counts. */
interface Hint {
  readonly width: number;
  readonly source: string;
}

type Size = readonly [rows: number, columns: number];

/** Reads shapes and names. `width` is the model's width where the metadata has it. */
export function shapeOf(model: Model, site: Site, family: Family, width: Hint | undefined): BlockShape {
  const weights: Partial<Record<Slot, Weight>> = {};
  for (const slot of slots) {
    const first = site.matrices[slot]?.values().next().value;
    if (first !== undefined) weights[slot] = weightOf(model, first);
  }
  const { stacked } = site;
  const sizes = sizesOf(weights, stacked);
  const name = site.scheme.parts;
  const layout = layoutOf(site, weights, sizes, family);
  const packedTwice = layout.value !== "separate" && layout.value !== "ungated";
  const orientation = orientationOf(model, site, { weights, stacked }, sizes, packedTwice, family, width);
  const transposed = orientation.value === "[in,out]";
  const down = sizes.down;
  const tensor = weights.down?.name ?? name.down ?? "down";
  const measured = (value: number | undefined): Field<number> =>
    value === undefined || orientation.value === "unknown"
      ? unknown(
          `${tensor} has ${down === undefined ? `no shape that is read (${weights.down?.stored})` : `shape ${shown(down)}`}`,
        )
      : field(value, "tensors", `${tensor} has shape ${shown(down as Size)}, ${orientation.value}`);
  return {
    weights,
    stacked,
    layout,
    orientation,
    dModel: measured(down?.[transposed ? 1 : 0]),
    dFf: measured(down?.[transposed ? 0 : 1]),
    experts: expertsOf(site, weights, stacked),
    biases: biasesOf(site),
    stored: storedOf(weights),
  };
}

const slots: readonly Slot[] = ["gate", "up", "packed", "down"];
const shown = (size: Size): string => `[${size.join(", ")}]`;

/** The last two axes of each matrix, where shapes are known and of the expected rank. */
function sizesOf(weights: BlockShape["weights"], stacked: boolean): Partial<Record<Slot, Size>> {
  const sizes: Partial<Record<Slot, Size>> = {};
  for (const slot of slots) {
    const shape = weights[slot]?.shape;
    // A convolution over one step is a matrix.
    const matrix = shape?.length === 3 && !stacked && shape[2] === 1 ? shape.slice(0, 2) : shape;
    if (matrix !== undefined && matrix.length === (stacked ? 3 : 2))
      sizes[slot] = matrix.slice(-2) as unknown as Size;
  }
  return sizes;
}

/** Whether a matrix holds gate and up: twice the rows that down has columns, or the same of the transposes. */
function holdsBoth(size: Size, down: Size): boolean {
  const straight = size[0] === 2 * down[1] && size[1] === down[0];
  const transposed = size[1] === 2 * down[0] && size[0] === down[1];
  return straight || transposed;
}

function layoutOf(
  site: Site,
  { up }: BlockShape["weights"],
  sizes: Partial<Record<Slot, Size>>,
  family: Family,
): Field<BlockLayout> {
  const { parts } = site.scheme;
  if (parts.gate !== undefined) {
    const names = `${parts.gate} and ${parts.up} are two tensors`;
    return field("separate", "tensors", names);
  }
  const part = (parts.packed ?? parts.up) as string;
  const [size, down] = [sizes.packed ?? sizes.up, sizes.down];
  if (size === undefined || down === undefined) {
    if (parts.packed === undefined)
      return unknown(
        `${part} is stored in a form whose shape is not read, so it may be up alone or gate and up`,
      );
  } else if (!holdsBoth(size, down)) {
    const like = up?.shape?.join();
    const other = site.others.find(({ shape }) => shape.join() === like);
    if (parts.packed === undefined && other !== undefined)
      return unknown(
        `${other.name} has the shape of ${part}, and may be a gate under a name that no rule knows`,
      );
    if (parts.packed === undefined)
      return field(
        "ungated",
        "tensors",
        `${part} ${shown(size)} fits ${parts.down} ${shown(down)} as up alone`,
      );
    return unknown(
      `${part} has shape ${shown(size)} and ${parts.down} ${shown(down)}, which fit neither way`,
    );
  }
  const rule = layoutRules.find((candidate) => candidate.part === part && isAmong(candidate, family.name));
  if (rule !== undefined) return field(rule.layout, "family", `${family.name} packs ${part} ${rule.layout}`);
  return family.known
    ? field("gate-first", "family", `${part} holds both; ${family.name} packs gate first`)
    : field("gate-first", "default", `${part} holds both; most families pack gate first`);
}

function orientationOf(
  model: Model,
  site: Site,
  { weights, stacked }: Pick<BlockShape, "weights" | "stacked">,
  sizes: Partial<Record<Slot, Size>>,
  packedTwice: boolean,
  family: Family,
  width: Hint | undefined,
): Field<Orientation> {
  if (model.format === "gguf") return field("[out,in]", "tensors", "GGUF keeps the input's axis innermost");
  const { parts } = site.scheme;
  const part = (parts.packed ?? parts.up) as string;
  const [size, down] = [sizes.packed ?? sizes.up, sizes.down];
  const first = weights.packed ?? weights.up;
  if (first?.shape !== undefined && size === undefined)
    return unknown(`${first.name} has ${first.shape.length} axes, where ${stacked ? 3 : 2} were expected`);
  let why = `${part} is stored in a form whose shape is not read`;
  if (size !== undefined && down !== undefined) {
    const pair = `${part} ${shown(size)} and ${parts.down} ${shown(down)}`;
    if (packedTwice && holdsBoth(size, down))
      return field(size[0] === 2 * down[1] ? "[out,in]" : "[in,out]", "tensors", pair);
    if (size[0] !== down[1] || size[1] !== down[0])
      return unknown(`${pair} do not fit together as two matrices`);
    if (size[0] === size[1]) why = `shapes cannot decide: ${part} is square, ${shown(size)}`;
    else {
      for (const hint of [biasHint(site), width, normHint(model, site)]) {
        if (hint === undefined) continue;
        if (hint.width === size[1]) return field("[out,in]", "tensors", `${pair}; ${hint.source}`);
        if (hint.width === size[0]) return field("[in,out]", "tensors", `${pair}; ${hint.source}`);
      }
      why = `${pair} fit both ways`;
    }
  }
  const rule = inOutRules.find(
    (candidate) =>
      candidate.part === part &&
      isAmong(candidate, family.name) &&
      (candidate.role ?? site.role) === site.role,
  );
  if (rule !== undefined) return field("[in,out]", "family", `${why}; ${family.name} keeps them [in,out]`);
  return field(
    "[out,in]",
    family.known ? "family" : "default",
    `${why}; PyTorch's linear layers are [out,in]`,
  );
}

/** The bias of the first projection has as many numbers as its rows: the other axis is the input's. */
function biasHint(site: Site): Hint | undefined {
  const slot = site.matrices.packed === undefined ? "up" : "packed";
  const parts = site.matrices[slot]?.values().next().value;
  const [bias, weight] = [parts?.get("bias")?.shape, parts?.get("weight")?.shape];
  if (bias === undefined || weight?.length !== 2 || bias.length !== 1) return undefined;
  const other = bias[0] === weight[0] ? weight[1] : bias[0] === weight[1] ? weight[0] : undefined;
  return other === undefined ? undefined : { width: other, source: `its bias has ${bias[0]} numbers` };
}

/** A norm of the same layer has as many weights as the model is wide. */
function normHint(model: Model, site: Site): Hint | undefined {
  const layer = /^(.*?\.)?\d+\./.exec(`${site.path}.`)?.[0];
  if (layer === undefined) return undefined;
  for (const name of [
    "input_layernorm",
    "ln_1",
    "norm1",
    "attention_norm",
    "layernorm_before",
    "post_attention_layernorm",
  ]) {
    const shape = model.tensors.get(`${layer}${name}.weight`)?.shape;
    if (shape?.length === 1) return { width: shape[0] as number, source: `${name} has ${shape[0]} weights` };
  }
  return undefined;
}

function expertsOf(site: Site, weights: BlockShape["weights"], stacked: boolean): Field<number> {
  if (site.role !== "routed" && !stacked) return field(1, "tensors", `${weights.down?.name} is one matrix`);
  if (!stacked) {
    const count = site.matrices.down?.size ?? 0;
    if (site.matrices.down?.has(undefined))
      return unknown(`${weights.down?.name} has the experts of a layer in one matrix`);
    return field(count, "tensors", `${count} experts are tensors of their own`);
  }
  const shape = weights.down?.shape;
  if (shape?.length !== 3) return unknown(`${weights.down?.name} has no shape of three axes`);
  return field(shape[0] as number, "tensors", `${weights.down?.name} has shape [${shape.join(", ")}]`);
}

function biasesOf(site: Site): Field<readonly Slot[]> {
  const found = slots.filter((slot) => site.matrices[slot]?.values().next().value?.has("bias"));
  return field(
    found,
    "tensors",
    found.length === 0 ? "no bias beside the weights" : `biases of ${found.join(", ")}`,
  );
}

function storedOf(weights: BlockShape["weights"]): Field<string> {
  const kinds = [...new Set(slots.flatMap((slot) => weights[slot]?.stored ?? []))];
  return field(kinds.join(" and "), "tensors", `${weights.down?.name} and its like`);
}
