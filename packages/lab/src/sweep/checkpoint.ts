// A run in the middle, as a file: what training needs to go on bit for bit as if it had never stopped.
// Layout: a line of JSON, the three float32 arrays of the state, a SHA-256 of all before it.
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import type { TrainingState } from "onnx-grad";
import { z } from "zod";
import { problemOf } from "../config/schema.js";
import type { Config } from "../config/types.js";
import { type CurvePoint, curveSchema } from "../records/record.js";
import { type Run, runHash } from "../records/run.js";
import { messageOf } from "../system/errors.js";
import { parseJson, readIfThere } from "../system/files.js";
import { writeAtomically } from "./atomic.js";

/** A run after some of its steps. The order of the data follows from the seed and the number of steps. */
export interface RunProgress {
  readonly state: Readonly<TrainingState>;
  readonly curve: readonly CurvePoint[];
  readonly validationCurve: readonly CurvePoint[];
  /** Sum of the losses since the last point of the curve, and how many they are. */
  readonly sum: number;
  readonly since: number;
  /** Milliseconds so far: in training steps, on the clock and of the processor, and in all. */
  readonly trainingTime: number;
  readonly cpuTime: number;
  readonly elapsed: number;
}

/** What to hold on to between the steps of a run, and what an earlier process left of it. */
export interface Checkpoints {
  readonly resumed: RunProgress | undefined;
  /** Called between steps; writes when it is time to. */
  offer(progress: () => RunProgress): Promise<void>;
}

const FORMAT = "swiglu-lab checkpoint 2";
const DIGEST_BYTES = 32;
const ARRAYS = ["parameters", "firstMoment", "secondMoment"] as const;

/** The checkpoint file of one run. */
export class CheckpointFile implements Checkpoints {
  readonly resumed: RunProgress | undefined;
  /** Why a checkpoint that was there is not used, as a sentence. */
  readonly refusal: string | undefined;
  private readonly hash: string;
  private written = performance.now();

  /**
   * Reads what is there.
   *
   * @param interval seconds between checkpoints
   */
  constructor(
    private readonly file: string,
    private readonly config: Config,
    run: Run,
    private readonly interval: number,
  ) {
    this.hash = runHash(config, run);
    try {
      const content = readIfThere(file);
      if (content === undefined) return;
      const resumed = decode(content, this.hash, config.version);
      if (resumed.state.steps > config.steps)
        throw new Error(`it is of step ${resumed.state.steps} of ${config.steps}`);
      this.resumed = resumed;
    } catch (thrown) {
      this.refusal = `its checkpoint cannot be used: ${messageOf(thrown)}; the run starts anew`;
    }
  }

  async offer(progress: () => RunProgress): Promise<void> {
    if (performance.now() - this.written < 1000 * this.interval) return;
    await writeAtomically(this.file, encode(progress(), this.hash, this.config.version));
    this.written = performance.now();
  }

  /** For a run that has its record. */
  async remove(): Promise<void> {
    await rm(this.file, { force: true });
  }
}

function encode({ state, ...rest }: RunProgress, run: string, version: string): Uint8Array {
  const { steps, parameters } = state;
  const header = { format: FORMAT, version, run, steps, size: parameters.length, ...rest };
  const parts = [Buffer.from(`${JSON.stringify(header)}\n`), ...ARRAYS.map((name) => bytesOf(state[name]))];
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return Buffer.concat([...parts, digest.digest()]);
}

function decode(file: Buffer, run: string, version: string): RunProgress {
  const content = file.subarray(0, -DIGEST_BYTES);
  const digest = createHash("sha256").update(content).digest();
  if (!digest.equals(file.subarray(-DIGEST_BYTES))) throw new Error("it is damaged");
  const end = content.indexOf("\n");
  const json = parseJson(content.subarray(0, Math.max(0, end)));
  const origin = originSchema.safeParse(json).data;
  if (origin === undefined) throw new Error("its first line is not that of a checkpoint");
  if (origin.format !== FORMAT) throw new Error(`its format is "${origin.format}", expected "${FORMAT}"`);
  if (origin.version !== version)
    throw new Error(`it is of swiglu-lab ${origin.version}, this is ${version}`);
  if (origin.run !== run) throw new Error("it is of another configuration");
  const { data: header, error } = headerSchema.safeParse(json);
  if (header === undefined) throw new Error(`its first line is not as it should be (${problemOf(error)})`);
  const floats = (content.length - end - 1) / 4;
  if (floats !== ARRAYS.length * header.size)
    throw new Error(`it has ${floats} numbers, expected ${ARRAYS.length} times ${header.size}`);
  const { steps, size, curve, validationCurve, sum, since, trainingTime, cpuTime, elapsed } = header;
  const [parameters, firstMoment, secondMoment] = ARRAYS.map((_, i) => {
    const start = end + 1 + 4 * size * i;
    return floatsOf(content.subarray(start, start + 4 * size));
  });
  const state = { parameters: parameters!, firstMoment: firstMoment!, secondMoment: secondMoment!, steps };
  return { state, curve, validationCurve, sum, since, trainingTime, cpuTime, elapsed };
}

/** Whose a checkpoint is, in every format. */
const originSchema = z.object({
  format: z.string().max(100),
  version: z.string().max(100),
  run: z.string().max(100),
});

const number = z.number().nonnegative();

/** The first line. */
const headerSchema = originSchema.extend({
  steps: z.int().positive(),
  size: z.int().positive(),
  curve: curveSchema,
  validationCurve: curveSchema,
  sum: number,
  since: z.int().nonnegative(),
  trainingTime: number,
  cpuTime: number,
  elapsed: number,
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
