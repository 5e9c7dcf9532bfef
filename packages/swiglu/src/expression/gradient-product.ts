// What a backward kernel computes: dy times a slope, in an order that overflows only where the result does.
// In float32 a large up times a slope above 1 overflows although a dy below 1 would bring the product back.
import { type Expr, mul, num, type Operation } from "./expr.js";
import { simplify } from "./simplify.js";

/**
 * `dy` times a slope. Bounded factors meet half of dy first, then the inputs one by one, constants last.
 *
 * @example
 * text(timesGradient(mul("up", sigmoid("gate")))) // "sigmoid(gate) * dy * up"
 */
export function timesGradient(slope: Expr): Expr {
  const factors = factorsOf(slope);
  const inputs = factors.filter((factor) => factor.op === "variable");
  const constant = factors.reduce(
    (product, factor) => (factor.op === "num" ? product * factor.value : product),
    1,
  );
  const bounded = factors.filter((factor) => factor.op !== "variable" && factor.op !== "num");
  if (bounded.length === 0 || factors.length === 1) return mul(slope, "dy");
  // Factors of at most 1 need no room; others are taken to be below 2, as slopes of activations are.
  const half = bounded.every(atMostOne) ? 1 : 0.5;
  const start = mul(product(bounded), mul(half, "dy"));
  const all = apart(inputs).reduce<Expr>((a, b) => mul(a, b), start);
  return simplify(mul(all, num(constant / half)));
}

const upToOne: ReadonlySet<string> = new Set<Operation>(["sigmoid", "sigmoidSlope", "tanh", "normalCdf"]);

function atMostOne(expr: Expr): boolean {
  if (expr.op === "num") return Math.abs(expr.value) <= 1;
  if (expr.op !== "selectGreater") return upToOne.has(expr.op);
  return expr.args.slice(2).every(atMostOne);
}

function factorsOf(expr: Expr): Expr[] {
  if (expr.op === "mul") return expr.args.flatMap(factorsOf);
  if (expr.op === "neg") return [num(-1), ...expr.args.flatMap(factorsOf)];
  return [expr];
}

const product = (factors: readonly Expr[]): Expr => factors.reduce((a, b) => mul(a, b));

/** The same factors with repeated ones as far from each other as can be: gate, up, gate. */
function apart(factors: readonly Expr[]): Expr[] {
  const first = new Map<string, Expr>();
  const repeated: Expr[] = [];
  for (const factor of factors) {
    const name = factor.op === "variable" ? factor.name : "";
    if (first.has(name)) repeated.push(factor);
    else first.set(name, factor);
  }
  return [
    ...repeated,
    ...[...first].sort(([a], [b]) => order(repeated, a) - order(repeated, b)).map(([, f]) => f),
  ];
}

/** Names that are repeated come last, so that something else stands between. */
const order = (repeated: readonly Expr[], name: string): number =>
  repeated.some((factor) => factor.op === "variable" && factor.name === name) ? 1 : 0;
