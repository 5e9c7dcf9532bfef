// Writes sequences token by token: one call of the graph takes the next token of every row and gives the scores of the one
// after it. Keys and values of the tokens before are kept between calls, so that a token costs the same at every place.
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
  type Program,
  reshape,
  softmax,
  type Tensor,
  where,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { feedForward } from "./feed-forward.js";
import { type Normed, norm, project, type Weights } from "./projection.js";
import { parameterSpecs } from "./transformer.js";
import type { SequenceShape, Variant } from "./types.js";

type Caches = Record<string, Float32Array>;

/** A model of sequences that writes `rows` of them side by side. */
export class Decoder {
  #place = 0;
  #caches: Caches;
  #spare: Caches;

  private constructor(
    readonly shape: SequenceShape,
    readonly rows: number,
    private readonly program: Program,
  ) {
    const size = rows * shape.context * shape.width;
    const empty = (): Caches =>
      Object.fromEntries(cacheNames(shape).map((name) => [name, new Float32Array(size)]));
    this.#caches = empty();
    this.#spare = empty();
  }

  static async create(
    variant: Variant,
    shape: SequenceShape,
    { rows, threads }: { rows: number; threads: number },
  ): Promise<Decoder> {
    const layout = new ParameterLayout(parameterSpecs(variant, shape));
    const weights = layout.unpack(input("parameters", [layout.size]));
    return new Decoder(
      shape,
      rows,
      await compile(ort, nextScores(variant, shape, rows, weights), { threads }),
    );
  }

  /** The place of the token that the next call takes, from 0. */
  get place(): number {
    return this.#place;
  }

  /** Starts new sequences. */
  restart(): void {
    this.#place = 0;
  }

  /**
   * Takes the next token of every row.
   *
   * @param parameters the model's, as in `Trainer.state`
   * @param parents the row whose sequence so far each row goes on with: its own, or another one's
   * @returns log-probabilities [rows, vocabulary] of the token that follows
   */
  async next(parameters: Float32Array, tokens: Int32Array, parents: Int32Array): Promise<Float32Array> {
    if (this.#place >= this.shape.context) {
      throw new Error(
        `next: the sequences have ${this.#place} tokens already; the context is ${this.shape.context}`,
      );
    }
    const into = Object.fromEntries(
      Object.entries(this.#spare).map(([name, array]) => [`new ${name}`, array]),
    );
    const place = Int32Array.of(this.#place);
    const { scores } = await this.program.run({ parameters, tokens, parents, place, ...this.#caches }, into);
    [this.#caches, this.#spare] = [this.#spare, this.#caches];
    this.#place++;
    return scores as Float32Array;
  }

  async dispose(): Promise<void> {
    await this.program.dispose();
  }
}

const cacheNames = ({ depth }: SequenceShape): string[] =>
  Array.from({ length: depth }, (_, i) => [`keys${i}`, `values${i}`]).flat();

/** The graph: the same network as in transformer.ts, at one place. */
function nextScores(
  variant: Variant,
  shape: SequenceShape,
  rows: number,
  weights: Weights,
): Record<string, Tensor> {
  const { context, width, depth, heads } = shape;
  const size = width / heads;
  const place = input("place", [1], "int32");
  const parents = input("parents", [rows], "int32");
  const places = constant(
    Array.from({ length: context }, (_, i) => i),
    "int32",
    [context, 1],
  );
  const isHere = equal(places, place);
  const mask = mul(reshape(cast(greater(places, place), "float32"), [context]), -1e9);
  const outputs: Record<string, Tensor> = {};

  /** What is kept of all places, with this one's added: [rows, heads, context, size]. */
  const remembered = (name: string, now: Tensor): Tensor => {
    const before = embedding(input(name, [rows, heads * context * size]), parents);
    const all = where(
      isHere,
      reshape(now, [rows, heads, 1, size]),
      reshape(before, [rows, heads, context, size]),
    );
    outputs[`new ${name}`] = reshape(all, [rows, heads * context * size]);
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
