// The ends of a decoder of sequences: tokens are looked up in a table, attention sees what came before, and the head reads
// every token. Sequences may be packed, several in a row.
import {
  add,
  cast,
  compile,
  constant,
  crossEntropy,
  type DType,
  embedding,
  greater,
  input,
  logLoss,
  mul,
  type ParameterLayout,
  type Program,
  reshape,
  sub,
  type Tensor,
  transpose,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import type { Ends, Measure, Network, Packing, Ports } from "./ends.js";
import { compileOptions, GraphsBySize } from "./graphs.js";
import { type PackedBatch, pack, placesOf } from "./packing.js";
import { type Normed, project, tableSpec, type Weights } from "./projection.js";
import type { Inputs, ParameterSpec, SequenceEndsShape } from "./types.js";

/** How far token embeddings are spread at the start. */
const EMBEDDING_DEVIATION = 0.5;

/** Tokens that one call takes when a model is evaluated, about. */
const EVALUATED_TOKENS = 2048;

export class SequenceEnds implements Ends {
  readonly sizes: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly scores: number;
  readonly headRows: number;
  readonly inputsPerExample: number;
  readonly inputNoun = "tokens";
  readonly labelsPerExample: number;
  readonly evaluationBatch: number;
  readonly hasAccuracy = false;

  constructor({ vocabulary, context }: SequenceEndsShape) {
    this.sizes = { vocabulary, context };
    this.scores = vocabulary;
    this.tokens = context;
    this.headRows = context;
    this.inputsPerExample = context;
    this.labelsPerExample = context;
    this.evaluationBatch = Math.ceil(EVALUATED_TOKENS / context);
  }

  misfit(): undefined {
    return undefined;
  }

  embeddingSpecs(width: number): ParameterSpec[] {
    return [tableSpec("token", this.scores, width, EMBEDDING_DEVIATION)];
  }

  ports(count: number): Ports {
    return {
      inputs: input("tokens", [count, this.tokens], "int32"),
      labels: input("labels", [count, this.tokens], "int32"),
    };
  }

  inputFeeds(tokens: Inputs): Record<string, Inputs> {
    return { tokens };
  }

  blanks(count: number): Inputs {
    return new Int32Array(count * this.tokens);
  }

  pack(tokens: Inputs, labels: Int32Array): PackedBatch | undefined {
    return pack(Int32Array.from(tokens), labels, this.tokens);
  }

  packedPorts(rows: number): Required<Ports> {
    const places = [placesOf(rows, this.tokens)];
    return {
      inputs: input("tokens", [rows, this.tokens], "int32"),
      labels: input("labels", places, "int32"),
      packing: {
        positions: input("positions", [rows, this.tokens], "int32"),
        places: input("places", places, "int32"),
      },
    };
  }

  /** Tokens [count, context] -> [context, count, width] */
  embed(tokens: Tensor, weights: Weights): Tensor {
    return embedding(weights.token!, transpose(tokens));
  }

  /**
   * [context, context]: 0 where a token (row) may look, and so far below that softmax gives 0 where it may not, which is what
   * comes later. [rows, 1, context, context] of packed sequences, where it is what stands before the own sequence, too.
   */
  mask(dtype: DType, packing: Packing | undefined): Tensor {
    const context = this.tokens;
    const places = Array.from({ length: context }, (_, i) => i);
    const [looking, seen] = [constant(places, dtype, [context, 1]), constant(places, dtype, [1, context])];
    const later = cast(greater(seen, looking), dtype);
    if (packing === undefined) return mul(later, -1e9);
    const first = sub(looking, cast(reshape(packing.positions, [-1, 1, context, 1]), dtype));
    return mul(add(later, cast(greater(first, seen), dtype)), -1e9);
  }

  /** [context, count, vocabulary], tokens first; [places, vocabulary] of packed sequences. */
  head(last: Normed, count: number, weights: Weights, packing: Packing | undefined): Tensor {
    if (packing) return project({ ...last, x: embedding(last.x, packing.places) }, weights, "head");
    return reshape(project(last, weights, "head"), [this.tokens, count, -1]);
  }

  meanLoss(scores: Tensor, { labels, packing }: Pick<Ports, "labels" | "packing">): Tensor {
    return crossEntropy(scores, packing ? labels : transpose(labels), { padding: true });
  }

  exported(scores: Tensor): Tensor {
    return transpose(scores, [1, 0, 2]);
  }

  async measure(network: Network, layout: ParameterLayout, threads: number): Promise<Measure> {
    const graphOf = (ports: Ports): Promise<Program> => {
      const weights = layout.unpack(input("parameters", [layout.size]));
      return compile(ort, { losses: this.losses(network(ports, weights), ports) }, compileOptions(threads));
    };
    const whole = await graphOf(this.ports(this.evaluationBatch));
    const packed = new GraphsBySize((rows) => graphOf(this.packedPorts(rows)));
    return {
      of: async (parameters, inputs, labels) => {
        const tokens = Int32Array.from(inputs);
        const batch = this.pack(tokens, labels);
        if (batch === undefined) {
          const results = await whole.run({ parameters, tokens, labels });
          return { losses: results.losses as Float32Array, right: 0 };
        }
        const results = await (await packed.of(batch.rows)).run({ parameters, ...batch.feeds });
        const losses = new Float32Array(labels.length);
        batch.origins.forEach((origin, i) => {
          losses[origin] = Number(results.losses![i]);
        });
        return { losses, right: 0 };
      },
      async dispose() {
        await whole.dispose();
        await packed.dispose();
      },
    };
  }

  /** The cross-entropy of every label in nats, in the order of the labels; 0 where it is padding. */
  private losses(scores: Tensor, { labels, packing }: Ports): Tensor {
    const each = logLoss(scores, packing ? labels : transpose(labels), { padding: true });
    return packing ? each : transpose(each);
  }

  /** Labels lie example by example, rows token by token. */
  countedRows(rows: number, labels: Int32Array): number[] {
    const examples = rows / this.tokens;
    return Array.from({ length: rows }, (_, row) => row).filter(
      (row) => labels[(row % examples) * this.tokens + Math.floor(row / examples)]! >= 0,
    );
  }
}
