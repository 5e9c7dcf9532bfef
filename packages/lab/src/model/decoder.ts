// Writes sequences token by token: one call of the graph takes the next token of every row and gives the scores of the one
// after it. Keys and values of the tokens before are kept between calls, in arrays that grow in a few stages.
import {
  add,
  cast,
  compile,
  constant,
  embedding,
  equal,
  greater,
  input,
  logSoftmax,
  matmul,
  mul,
  ParameterLayout,
  reshape,
  softmax,
  type Tensor,
  where,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { feedForward } from "./feed-forward.js";
import { compileOptions, GraphsBySize } from "./graphs.js";
import { type Normed, norm, project, type Weights } from "./projection.js";
import { parameterSpecs } from "./transformer.js";
import type { SequenceShape, Variant } from "./types.js";

type Caches = Record<string, Float32Array>;

/** In how many stages the room for keys and values grows to the context: a token costs by the room, not by the context. */
const STAGES = 4;

/** A model of sequences that writes `rows` of them side by side. */
export class Decoder {
  readonly rows: number;
  /** By the places that there is room for. */
  private readonly graphs: GraphsBySize;
  private written = 0;
  /** Places that the caches have room for. */
  private room = 0;
  private caches: Caches = {};
  private spare: Caches = {};

  constructor(
    variant: Variant,
    readonly shape: SequenceShape,
    { rows, threads }: { rows: number; threads: number },
  ) {
    this.rows = rows;
    const layout = new ParameterLayout(parameterSpecs(variant, shape));
    const weights = layout.unpack(input("parameters", [layout.size]));
    this.graphs = new GraphsBySize((places) =>
      compile(ort, nextScores(variant, shape, { rows, places }, weights), compileOptions(threads)),
    );
  }

  /** The place of the token that the next call takes, from 0. */
  get place(): number {
    return this.written;
  }

  /** Starts new sequences. */
  restart(): void {
    this.written = 0;
    this.room = 0;
  }

  /**
   * Takes the next token of every row.
   *
   * @param parameters the model's, as in `Trainer.state`
   * @param parents the row whose sequence so far each row goes on with: its own, or another one's
   * @returns log-probabilities [rows, vocabulary] of the token that follows
   */
  async next(parameters: Float32Array, tokens: Int32Array, parents: Int32Array): Promise<Float32Array> {
    if (this.written >= this.shape.context) {
      throw new Error(
        `next: the sequences have ${this.written} tokens already; the context is ${this.shape.context}`,
      );
    }
    if (this.written >= this.room) this.grow();
    const program = await this.graphs.of(this.room);
    const into = Object.fromEntries(
      Object.entries(this.spare).map(([name, array]) => [`new ${name}`, array]),
    );
    const place = Int32Array.of(this.written);
    const { scores } = await program.run({ parameters, tokens, parents, place, ...this.caches }, into);
    [this.caches, this.spare] = [this.spare, this.caches];
    this.written++;
    return scores as Float32Array;
  }

  /** Makes room for the next stage. Keys and values are in runs of all places, one for each row and head. */
  private grow(): void {
    const { shape, rows } = this;
    const { context, width, heads } = shape;
    const stage = Math.floor((STAGES * this.written) / context) + 1;
    const room = Math.ceil((context * stage) / STAGES);
    const empty = (): Caches =>
      Object.fromEntries(cacheNames(shape).map((name) => [name, new Float32Array(rows * room * width)]));
    const [from, to] = [(this.room * width) / heads, (room * width) / heads];
    const caches = empty();
    if (from > 0)
      for (const [name, array] of Object.entries(this.caches))
        for (let run = 0; run < rows * heads; run++)
          caches[name]!.set(array.subarray(run * from, (run + 1) * from), run * to);
    this.room = room;
    this.caches = caches;
    this.spare = empty();
  }

  async dispose(): Promise<void> {
    await this.graphs.dispose();
  }
}

const cacheNames = ({ depth }: SequenceShape): string[] =>
  Array.from({ length: depth }, (_, i) => [`keys${i}`, `values${i}`]).flat();

/** The graph: the same network as in transformer.ts, for one place, where the caches have room for `places`. */
function nextScores(
  variant: Variant,
  shape: SequenceShape,
  { rows, places }: { rows: number; places: number },
  weights: Weights,
): Record<string, Tensor> {
  const { width, depth, heads } = shape;
  const size = width / heads;
  const place = input("place", [1], "int32");
  const parents = input("parents", [rows], "int32");
  const numbers = constant(
    Array.from({ length: places }, (_, i) => i),
    "int32",
    [places, 1],
  );
  const isHere = equal(numbers, place);
  const mask = mul(reshape(cast(greater(numbers, place), "float32"), [places]), -1e9);
  const outputs: Record<string, Tensor> = {};

  /** What is kept of all places, with this one's added: [rows, heads, places, size]. */
  const remembered = (name: string, now: Tensor): Tensor => {
    const before = embedding(input(name, [rows, heads * places * size]), parents);
    const all = where(
      isHere,
      reshape(now, [rows, heads, 1, size]),
      reshape(before, [rows, heads, places, size]),
    );
    outputs[`new ${name}`] = reshape(all, [rows, heads * places * size]);
    return all;
  };
  const attention = (from: Normed, i: number): Tensor => {
    const query = reshape(project(from, weights, `block${i}.query`), [rows, heads, 1, size]);
    const keys = remembered(`keys${i}`, project(from, weights, `block${i}.key`));
    const values = remembered(`values${i}`, project(from, weights, `block${i}.value`));
    const scores = matmul(query, keys, { transposeB: true, scale: 1 / Math.sqrt(size) });
    const mixed = matmul(softmax(add(scores, mask)), values);
    return project(reshape(mixed, [rows, width]), weights, `block${i}.out`);
  };

  const token = embedding(weights.token!, input("tokens", [rows], "int32"));
  let x = add(token, embedding(weights.position!, place));
  for (let i = 0; i < depth; i++) {
    x = add(x, attention(norm(x, weights, `block${i}.norm1`), i));
    const normed = norm(x, weights, `block${i}.norm2`);
    x = add(x, feedForward(variant, normed, weights, `block${i}.ffn`, { math: "fast" }));
  }
  outputs.scores = logSoftmax(project(norm(x, weights, "norm"), weights, "head"));
  return outputs;
}
