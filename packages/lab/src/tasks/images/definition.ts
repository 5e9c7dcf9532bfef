// The task of naming what images show, in figures and words.
import type { TaskDefinition } from "../common/definition.js";
import { loss, type Metric } from "../common/score.js";
import type { ImagesConfig } from "./config.js";

const accuracy: Metric = {
  name: "accuracy",
  unit: "points",
  axis: "%",
  higherIsBetter: true,
  of: (score) => score.accuracy ?? Number.NaN,
  scale: 100,
  digits: 2,
  margin: () => 0.0025,
};

const tokensOf = ({ data, patch }: ImagesConfig): number => (data.imageSize / patch) ** 2;

export const images: TaskDefinition<ImagesConfig> = {
  kind: "images",
  examples: "images",
  data: "folder with the four IDX files, plain or .gz (default: MNIST)",
  network: "vision transformer",
  beyond: ", language above all",
  defaults: { steps: 500, batch: 128, width: 32, depth: 2, heads: 4, patch: 7 },
  settings: {
    patch: { largest: 2 ** 12, help: "images: side of a patch in pixels; must divide the images' side" },
  },
  dataSizes: { imageSize: 2 ** 12, classes: 2 ** 8 },
  metrics: [loss, accuracy],
  figures: { accuracy: 1 },
  headline: accuracy,
  ends: ({ data: { imageSize, classes }, patch }) => ({ imageSize, classes, patch }),
  extent: (config) => ({
    tokens: tokensOf(config),
    rows: config.patch ** 2 + config.data.classes,
    perToken: 0,
  }),
  misfit: ({ data, patch }) =>
    data.imageSize % patch === 0
      ? undefined
      : `patch: ${patch} does not divide the images' side, ${data.imageSize}`,
  reads: ({ patch }) => `patches of ${patch} x ${patch}`,
  method: (config, size) => ({
    network: `A vision transformer reads each image as ${tokensOf(config)} patches of ${config.patch} x ${config.patch} pixels ${size}.`,
    split:
      "One training image in twelve is held back for validation and never trained on; the test images serve for the figures only, never to choose.",
  }),
  lossesOnly: (config) => config,
  load: async () => (await import("./task.js")).imagesModule,
};
