// Evaluates expressions as an ideal float32 kernel would: every operation's exact result is rounded to float32 at once,
// special functions included. What passes here can be computed accurately; what fails needs another definition.
import { type Expr, schedule } from "../../src/expression/expr.js";
import { applyOperation } from "../../src/expression/tape.js";

/** The value of an expression in float32 at the given (float32) values of its variables. */
export function evaluateInFloat32(expr: Expr, point: Readonly<Record<string, number>>): number {
  const values = new Map<Expr, number>();
  for (const node of schedule([expr])) values.set(node, Math.fround(valueOfNode(node, values, point)));
  return values.get(expr) ?? Number.NaN;
}

function valueOfNode(
  node: Expr,
  values: ReadonlyMap<Expr, number>,
  point: Readonly<Record<string, number>>,
): number {
  if (node.op === "num") return node.value;
  if (node.op === "variable") return point[node.name] ?? Number.NaN;
  return applyOperation(
    node.op,
    node.args.map((arg) => values.get(arg) ?? Number.NaN),
  );
}
