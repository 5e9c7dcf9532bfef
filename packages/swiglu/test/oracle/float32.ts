// Evaluates expressions as an ideal float32 kernel would: every operation's exact result is rounded to float32 at once,
// special functions included. What passes here can be computed accurately; what fails needs another definition.
import { type Expr, schedule } from "../../src/expression/expr.js";
import { applyOperation } from "../../src/expression/tape.js";

type Point = Readonly<Record<string, number>>;

/** The value of an expression in float32, as a function of the (float32) values of its variables. */
export function float32Evaluator(expr: Expr): (point: Point) => number {
  const order = schedule([expr]);
  const slots = new Map(order.map((node, i) => [node, i]));
  const values = new Float32Array(order.length);
  const steps = order.map((node): ((point: Point) => number) => {
    if (node.op === "num") return () => node.value;
    if (node.op === "variable") return (point) => point[node.name] ?? Number.NaN;
    const args = node.args.map((arg) => slots.get(arg) as number);
    const operands = args.map(() => 0);
    return () => {
      args.forEach((slot, k) => {
        operands[k] = values[slot] as number;
      });
      return applyOperation(node.op, operands);
    };
  });
  const result = slots.get(expr) as number;
  return (point) => {
    steps.forEach((step, i) => {
      values[i] = step(point);
    });
    return values[result] as number;
  };
}
