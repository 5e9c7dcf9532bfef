// One feed-forward block of a model file as weights of this library: gate, up and down apart, row-major [in, out], float32.
import type { FfnWeights, SeparateWeights } from "../../block/weights.js";
import type { Activation } from "../../catalogue/activation.js";
import { activationByName } from "../../catalogue/catalogue.js";
import type { BlockReport } from "../check/block-report.js";
import { type Judged, judgeAll } from "../check/report.js";
import { ModelFileError } from "../files/bytes.js";
import type { GraphMatrices } from "../graph/place.js";
import type { Model } from "../model.js";
import type { Rows } from "../read.js";
import type { Role, Slot } from "./names.js";
import { graphWeights } from "./open-graph.js";
import type { Parts, Site } from "./sites.js";
import { weightOf } from "./weight.js";

/** Which block to open, and what to take for what the file does not say. */
export interface BlockChoice {
  readonly layer: number;
  /** The number of a routed expert; leave it out for the dense block, or with `role: "shared"`. */
  readonly expert?: number;
  /** Default: "routed" where `expert` is given, else "dense", else "shared" where that is all there is. */
  readonly role?: Role;
  /** Where several parts of the model have such a layer: a part of the path, such as "vision". */
  readonly stack?: string;
  /** In place of the activation and parameters that `check` finds. */
  readonly activation?: Activation;
  readonly parameters?: Readonly<Record<string, number>>;
  /** True: open the block although it computes more than activation, gate and up (see `extras` of its report). */
  readonly partial?: boolean;
}

interface Opened<W> {
  readonly activation: Activation;
  readonly parameters: Readonly<Record<string, number>>;
  readonly dModel: number;
  readonly dFf: number;
  /** Row-major [in, out]. */
  readonly weights: W;
  /** What `check` says of the block. */
  readonly report: BlockReport;
}
/** Ready for `backend.gatedFfn(block)` where `gated`, for `backend.ffn(block)` where not. */
export type OpenedBlock =
  | ({ readonly gated: true } & Opened<SeparateWeights>)
  | ({ readonly gated: false } & Opened<FfnWeights>);

/**
 * Opens one block: reads its matrices (one expert's only), unpacks gate and up, and transposes them to [in, out], so that they
 * go to `gatedFfn` (or `ffn`, where ungated) of any backend as they are. Throws a ModelFileError, as a sentence, where the file
 * does not say what the block computes, where it computes more than the block does, and for numbers stored in a way that is not
 * read; a RangeError for a layer or expert that is not there.
 *
 * @example
 * const identity = Float32Array.of(1, 0, 0, 1);
 * const names = ["gate_proj", "up_proj", "down_proj"].map((part) => `model.layers.0.mlp.${part}.weight`);
 * const entry = (i) => ({ dtype: "F32", shape: [2, 2], data_offsets: [16 * i, 16 * i + 16] });
 * const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(names.map((name, i) => [name, entry(i)]))));
 * const file = new Uint8Array(8 + header.length + 48);
 * new DataView(file.buffer).setUint32(0, header.length, true);
 * file.set(header, 8);
 * for (const i of [0, 1, 2]) file.set(new Uint8Array(identity.buffer), 8 + header.length + 16 * i);
 * const config = new TextEncoder().encode('{"model_type":"llama","hidden_act":"silu"}');
 * const model = await openModel({ "model.safetensors": file, "config.json": config });
 * const block = await openBlock(model, { layer: 0 });
 * const ffn = await (await reference()).gatedFfn(block);
 * Array.from(await ffn.forward(Float32Array.of(0, 1), 1)); // [0, 0.7310585975646973]
 */
export async function openBlock(model: Model, choice: BlockChoice): Promise<OpenedBlock> {
  const judged = choose(judgeAll(model), choice);
  const { place, matrices, report } = judged;
  const where = `layer ${choice.layer} (${report.stack})`;
  if (place === undefined && matrices === undefined)
    throw new ModelFileError(
      `${where}: blocks that are one operator of ONNX Runtime (MoE, MatMulNBitsMlp) are judged, and not opened as weights`,
    );
  const known = <T>(name: "layout" | "orientation" | "dModel" | "dFf"): T => {
    const { value, evidence } = report[name];
    if (value === "unknown") throw new ModelFileError(`${where}: its ${name} is unknown: ${evidence}`);
    return value as T;
  };
  if (report.extras.length > 0 && !choice.partial)
    throw new ModelFileError(
      `${where} computes more than an activation of gate and up: ${report.extras.join("; ")}. Pass partial: true to open it without`,
    );
  const { activation, parameters } = formulaOf(report, choice, where);
  const layout = known<string>("layout");
  const [dModel, dFf] = [known<number>("dModel"), known<number>("dFf")];
  if (place === undefined) {
    const weights = await graphWeights(model, matrices as GraphMatrices, dModel, dFf);
    const block = { activation, parameters, dModel, dFf, report, weights };
    return { gated: layout !== "ungated", ...block } as OpenedBlock;
  }
  const { site, shape } = place;
  const transposed = known<string>("orientation") === "[in,out]";
  const expert = site.role === "routed" || site.stacked ? (choice.expert ?? 0) : undefined;
  checkExpert(place, report, expert, where);
  const read = matrixReader(model, site, shape.stacked, expert, transposed);

  const down = await read("down", dFf, dModel, whole);
  const common = { activation, parameters, dModel, dFf, report };
  if (layout === "ungated") {
    const up = await read("up", dModel, dFf, whole);
    const weights: FfnWeights = { ...named("up", up), ...named("down", down) };
    return { gated: false, ...common, weights };
  }
  const slot: Slot = site.scheme.parts.packed === undefined ? "up" : "packed";
  const halves = layout === "separate" ? undefined : pick(layout, dFf);
  const gate = await read(halves === undefined ? "gate" : slot, dModel, dFf, halves?.gate ?? whole);
  const up = await read(halves === undefined ? "up" : slot, dModel, dFf, halves?.up ?? whole);
  const weights = { ...named("gate", gate), ...named("up", up), ...named("down", down) };
  return { gated: true, ...common, weights: weights as SeparateWeights };
}

function choose(all: readonly Judged[], { layer, expert, role, stack }: BlockChoice): Judged {
  const inLayer = all.filter(
    ({ report }) => report.layer === layer && (stack === undefined || report.stack.includes(stack)),
  );
  const roles: readonly Role[] =
    role !== undefined ? [role] : expert !== undefined ? ["routed"] : ["dense", "shared"];
  for (const wanted of roles) {
    const found = inLayer.filter(({ report }) => report.role === wanted);
    if (found.length > 1)
      throw new RangeError(
        `layer ${layer} is in ${found.map(({ report }) => report.stack).join(" and ")}: pass stack to say which`,
      );
    if (found[0] !== undefined) return found[0];
  }
  const layers = [...new Set(all.map(({ report }) => report.layer))].filter((number) => number !== undefined);
  const other = inLayer.map(({ report }) => report.role).join(" and ");
  throw new RangeError(
    other === ""
      ? `the model has no feed-forward block in layer ${layer}${stack === undefined ? "" : ` of ${stack}`}; it has ${layers.length} layers with one`
      : `layer ${layer} has no ${roles[0]} block, only ${other}`,
  );
}

function formulaOf(report: BlockReport, choice: BlockChoice, where: string) {
  const { activation: found, parameters } = report;
  if (choice.activation !== undefined)
    return { activation: choice.activation, parameters: choice.parameters ?? {} };
  if (found.value === "unknown")
    throw new ModelFileError(
      `${where}: its activation is unknown: ${found.evidence}. Pass activation to say it`,
    );
  if (parameters.value === "unknown" && choice.parameters === undefined)
    throw new ModelFileError(`${where}: ${parameters.evidence}. Pass parameters to say them`);
  return {
    activation: activationByName(found.value),
    parameters: choice.parameters ?? (parameters.value as Readonly<Record<string, number>>),
  };
}

function checkExpert(
  { shape, site }: NonNullable<Judged["place"]>,
  report: BlockReport,
  expert: number | undefined,
  where: string,
): void {
  if (expert === undefined) return;
  const there = shape.stacked
    ? Number.isSafeInteger(expert) && expert >= 0 && expert < Number(report.experts.value)
    : site.matrices.down?.has(expert);
  if (!there)
    throw new RangeError(`${where} has ${report.experts.value} experts, and none of number ${expert}`);
}

/** Which output of the stored matrix each output of the wanted one is. */
type Pick = (i: number) => number;
const whole: Pick = (i) => i;

function pick(layout: string, dFf: number): { readonly gate: Pick; readonly up: Pick } {
  const later: Pick = (i) => dFf + i;
  if (layout === "gate-first") return { gate: whole, up: later };
  if (layout === "gate-second") return { gate: later, up: whole };
  return { gate: (i) => 2 * i, up: (i) => 2 * i + 1 };
}

const tile = 32;

interface Matrix {
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
}

/** Reads matrices of one block as [in, out], keeping the outputs that are picked; a stored one is read once. */
function matrixReader(
  model: Model,
  site: Site,
  stacked: boolean,
  expert: number | undefined,
  transposed: boolean,
): (slot: Slot, inputs: number, outputs: number, pick: Pick) => Promise<Matrix> {
  const stored = new Map<Slot, Promise<{ numbers: Float32Array; bias: Float32Array | undefined }>>();
  const rows: Rows | undefined = stacked ? { start: expert as number, count: 1 } : undefined;
  const load = async (slot: Slot) => {
    const parts = site.matrices[slot]?.get(stacked ? undefined : expert) as Parts;
    const { name, stored: how, read } = weightOf(model, parts);
    if (read === undefined)
      throw new ModelFileError(`${name} is stored as ${how}, which is recognised but not read`);
    const bias = parts.get("bias");
    return {
      numbers: await read(rows),
      bias: bias === undefined ? undefined : await model.read(bias.name, rows),
    };
  };
  return async (slot, inputs, outputs, pickOutput) => {
    const loading = stored.get(slot) ?? load(slot);
    stored.set(slot, loading);
    const { numbers, bias } = await loading;
    const width = numbers.length / inputs;
    const weight = new Float32Array(inputs * outputs);
    // A few outputs at a time, so that neither side of the transposition strides through memory.
    const [perOutput, perInput] = transposed ? [1, width] : [inputs, 1];
    for (let first = 0; first < outputs; first += tile) {
      const starts = Array.from(
        { length: Math.min(tile, outputs - first) },
        (_, o) => pickOutput(first + o) * perOutput,
      );
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < starts.length; o++)
          weight[i * outputs + first + o] = numbers[(starts[o] as number) + i * perInput] as number;
    }
    const picked = bias && Float32Array.from({ length: outputs }, (_, o) => bias[pickOutput(o)] as number);
    return { weight, bias: picked };
  };
}

const named = <S extends "gate" | "up" | "down">(slot: S, { weight, bias }: Matrix) =>
  ({ [slot]: weight, ...(bias === undefined ? {} : { [`${slot}Bias`]: bias }) }) as {
    readonly [K in S]: Float32Array;
  };
