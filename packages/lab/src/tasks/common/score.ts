// What models are judged by: the score of a model on a part of the data, and the metrics that tasks read from it.

/** How well a model does on one part of the data; what a task does not measure is missing. */
export interface Score {
  /** Mean cross-entropy in nats: of an image, or of a token. */
  readonly loss: number;
  /** Share of images that are labelled rightly, 0 to 1. */
  readonly accuracy?: number;
  /** Cross-entropy in bits for every byte of the text. */
  readonly bitsPerByte?: number;
  /** chrF and BLEU of translations, 0 to 100. */
  readonly chrf?: number;
  readonly bleu?: number;
  /** Any other figure, by the name that its task gives it. */
  readonly [figure: string]: number | undefined;
}

/** A translation that a model made. */
export interface Sample {
  readonly source: string;
  readonly reference: string;
  readonly output: string;
}

export interface Metric {
  readonly name: string;
  /** What a difference is counted in, after its number: "points", "nats per token". */
  readonly unit: string;
  /** The unit on the axis of a chart. */
  readonly axis: string;
  readonly higherIsBetter: boolean;
  /** The figure of a score. */
  of(score: Score): number;
  /** The factor with which figures and differences are shown. */
  readonly scale: number;
  readonly digits: number;
  /** A difference that nobody would care about, where the reference has this mean; fixed in docs/method-first-edition.md. */
  margin(reference: number): number;
}

/** The cross-entropy of an example that has one label. */
export const loss: Metric = {
  name: "loss",
  unit: "nats",
  axis: "nats",
  higherIsBetter: false,
  of: (score) => score.loss,
  scale: 1,
  digits: 4,
  margin: (reference) => 0.01 * reference,
};

/** The cross-entropy of a token. */
export const tokenLoss: Metric = { ...loss, unit: "nats per token", axis: "nats per token" };
