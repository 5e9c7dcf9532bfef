// Reverse-mode differentiation: the nodes are visited backwards, and each turns the gradients of its outputs into those of its
// inputs. Gradients are ordinary tensors, so they can be differentiated again.
import { checkList } from "./graph/checks.js";
import { constant, type Node, nodesBehind, type Tensor } from "./graph/tensor.js";
import { checkTensors } from "./graph/tensor-checks.js";
import { add, expand } from "./operations/index.js";

/**
 * Gradients of a scalar with respect to any tensors, in their shapes. A tensor that `y` does not depend on gets zeros.
 * Errors if `y` is not a float scalar.
 * Example: `const [dw] = gradient(loss, [w])`.
 */
export function gradient(y: Tensor, wrt: readonly Tensor[]): Tensor[] {
  checkList("gradient", "wrt", wrt);
  checkTensors("gradient", { y, ...Object.fromEntries(wrt.map((x, i) => [`tensor ${i + 1} of wrt`, x])) });
  if (y.size !== 1 || (y.dtype !== "float32" && y.dtype !== "float64")) {
    throw new TypeError(
      `gradient needs a float scalar, but y is ${y.dtype} [${y.shape}]; reduce it first, e.g. sum(y)`,
    );
  }
  const nodes = nodesBehind([y]);
  const needed = dependants(nodes, wrt);
  const gradients = new Map<Tensor, Tensor>([[y, expand(constant(1, y.dtype), y.shape)]]);
  for (const node of nodes.reverse()) {
    if (!needed.has(node)) continue;
    const outputGradients = node.outputs.map((output) => gradients.get(output));
    if (outputGradients.every((dy) => dy === undefined)) continue;
    node.backward(outputGradients).forEach((dx, i) => {
      const x = node.inputs[i]!;
      if (!dx) return;
      const sofar = gradients.get(x);
      gradients.set(x, sofar ? add(sofar, dx) : dx);
    });
  }
  return wrt.map((x) => gradients.get(x) ?? expand(constant(0, x.dtype), x.shape));
}

/** The nodes through which one of the tensors reaches the end: only these need a gradient. */
function dependants(nodes: readonly Node[], wrt: readonly Tensor[]): Set<Node> {
  const wanted = new Set(wrt);
  const found = new Set<Node>();
  for (const node of nodes) {
    const reads = (x: Tensor): boolean =>
      wanted.has(x) || (x.source.kind === "node" && found.has(x.source.node));
    if (node.inputs.some(reads)) found.add(node);
  }
  return found;
}
