// What a probe has to say, in sections of a title, an explanation and a table: the same in the terminal, on the page and in
// the documents.
import { definitionOf } from "../tasks/registry.js";
import { count, grouped } from "../words/format.js";
import type { Shape } from "./shape.js";
import { summariseProbe } from "./summary.js";
import { type Cells, changeCells, gateCells, gradientCells, shapeCells } from "./tables.js";
import type { ProbeResults } from "./types.js";

export interface Section {
  readonly title: string;
  readonly text: string;
  readonly cells: Cells;
}

/** The section on formulas. */
export const shapeSection = (shapes: readonly Shape[]): Section => ({
  title: "From the formulas",
  text:
    "Along x of a unary activation, and along the gate of a gated one with up held at 1, from -12 to 12: exact derivatives in " +
    "float64, parameters at their defaults. A kink is a jump of the slope; the second derivative is that beside kinks. The minimum is the lowest point " +
    "between a falling and a rising part. Flat and falling are the shares of inputs from a standard normal distribution where the slope " +
    "is less than 0.01 in magnitude, and where it is negative.",
  cells: shapeCells(shapes),
});

/** All sections: formulas, gradients, their change nearby, gates. */
export function probeSections(results: ProbeResults): [Section, Section, Section, Section] {
  const { config, shapes, examples } = results;
  const variants = summariseProbe(results);
  const batch = `${grouped(examples)} validation ${definitionOf(config).examples}`;
  return [
    shapeSection(shapes),
    {
      title: "Gradients of the training steps, and the loss along them",
      text:
        `Means of ${count(config.seeds.length, "seed")}, with their range. Gradient norm: the mean length of the training batches' gradients, before clipping; ` +
        "step to step: the mean of |ln(length / length one step before)|; step length: the mean distance that a step goes in parameter space. " +
        `Curvature: the mean second derivative of the loss along its own gradient, within a distance to both sides, on the same ${batch} always; ` +
        "the median of ten places of the run.",
      cells: gradientCells(variants),
    },
    {
      title: "How fast the gradient changes nearby",
      text:
        `|gradient there - gradient here| / distance, down along the gradient, on the same ${batch}; the median of ten places of the run. ` +
        "Where the loss is smooth this comes to rest as the distance shrinks, and the last column, the change over 0.0001 against that over 0.01, " +
        "is near 1. Where it has kinks, a few of them are crossed however short the way, and it grows.",
      cells: changeCells(variants),
    },
    {
      title: "What the gates do",
      text:
        `Before training \u2192 at its end (range of the seeds), on the same ${batch}, means over the blocks. ` +
        "The factor of a unit is what multiplies up, d a(gate, up) / d up; in an ungated block, where there is no up, it is the hidden value. " +
        "Closed: the share of tokens and units whose factor is at most 1 % of the block's root mean square factor. Units closed for all: those " +
        "that are closed for every token. In the top tenth: the share of all squared factors that their largest tenth holds, 10 % where all are alike. Flat and falling: the share of tokens and units where the activation's slope along its gate, up at 1, is " +
        "less than 0.01 in magnitude, and where it is negative.",
      cells: gateCells(variants),
    },
  ];
}
