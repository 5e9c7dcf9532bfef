// Writes the three models of a feed-forward block, with its weights inside: forward, forward that also returns what the backward
// needs, and backward.
import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import type { Model } from "../../onnx/model/model.js";
import { outputGradients } from "./block-gradients.js";
import {
  type Activated,
  activate,
  type Block,
  BlockGraph,
  kept,
  slopeName,
  varyingSlopes,
} from "./block-graph.js";

/** From `x`, [rows, dModel], to `y`. */
export function forwardModel(block: Block): Model {
  const graph = new BlockGraph(block);
  return finish(graph, activate(graph, graph.rows("x"), []));
}

/** From `x` to `y`, and to each of `keptNames`, [rows, dFf]. */
export function recordModel(block: Block): Model {
  const graph = new BlockGraph(block);
  const state = activate(graph, graph.rows("x"), varyingSlopes(block.plan));
  const { dFf } = block.plan;
  graph.output("hidden", state.hidden, ["rows", dFf]);
  for (const [name, slope] of Object.entries(state.slopes))
    graph.output(slopeName(name), slope, ["rows", dFf]);
  if (state.own !== undefined) graph.output("own", state.own, ["rows", dFf]);
  return finish(graph, state);
}

/** The names of what a recorded pass keeps besides x: the hidden layer, slopes, and a self-gated block's first product. */
export function keptNames(plan: BlockPlan): string[] {
  const own = fusedForm(plan.form).second === undefined ? [] : ["own"];
  return ["hidden", ...varyingSlopes(plan).map(slopeName), ...own];
}

/** From `x`, `dY`, and what was kept unless it is computed again, to the outputs of `outputGradients`. */
export function backwardModel(block: Block, recompute: boolean): Model {
  const graph = new BlockGraph(block);
  const x = graph.rows("x");
  const state = recompute ? activate(graph, x, varyingSlopes(block.plan)) : kept(graph, x);
  outputGradients(graph, state, graph.rows("dY"));
  return graph.model();
}

function finish(graph: BlockGraph, { hidden }: Activated): Model {
  graph.output("y", graph.linear(hidden, "down"), ["rows", graph.plan.dModel]);
  return graph.model();
}
