// Simplifies expressions without changing what they compute, and makes equal parts one shared object.
// Only rewrites that are exact in floating point are used: no reassociation, no 0 * x.
import { apply, type Expr, num, type Operation, Rewriter } from "./expr.js";
import { applyOperation } from "./tape.js";

/** Simplifies one expression. Example: `simplify(mul(1, "x"))` is the variable `x`. */
export function simplify(expr: Expr): Expr {
  return simplifyAll([expr])[0] as Expr;
}

/** Simplifies several expressions so that what they have in common is shared between them too. */
export function simplifyAll(exprs: readonly Expr[]): Expr[] {
  const shared = new Interner();
  const rewriter = new Rewriter((node) => shared.intern(reduce(node)));
  return exprs.map((expr) => rewriter.rewrite(expr));
}

/** Operations whose two operands may be exchanged. */
export const commutative: ReadonlySet<string> = new Set<Operation>(["add", "mul"]);

/** Keeps one object for each distinct expression; `a * b` and `b * a` are the same one. */
class Interner {
  private readonly ids = new Map<Expr, number>();
  private readonly known = new Map<string, Expr>();

  /** Goes no deeper than what `reduce` has just made: all else is known. */
  intern(expr: Expr): Expr {
    if (this.ids.has(expr)) return expr;
    const node = "args" in expr ? { op: expr.op, args: expr.args.map((arg) => this.intern(arg)) } : expr;
    const key = this.key(node);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, node);
    this.ids.set(node, this.ids.size);
    return node;
  }

  private key(node: Expr): string {
    if (node.op === "num") return `num ${Object.is(node.value, -0) ? "-0" : node.value}`;
    if (node.op === "variable") return `variable ${node.name}`;
    const ids = node.args.map((arg) => this.ids.get(arg) as number);
    if (commutative.has(node.op)) ids.sort((a, b) => a - b);
    return `${node.op} ${ids.join(" ")}`;
  }
}

const isNum = (expr: Expr | undefined, value: number): boolean =>
  expr !== undefined && expr.op === "num" && expr.value === value;

/** One exact rewrite at the root of an expression whose operands are simplified already. */
function reduce(expr: Expr): Expr {
  if (!("args" in expr)) return expr;
  const values = expr.args.flatMap((arg) => (arg.op === "num" ? [arg.value] : []));
  if (values.length === expr.args.length) {
    const value = applyOperation(expr.op, values);
    if (Number.isFinite(value) || (expr.op === "neg" && !Number.isNaN(value))) return num(value);
  }
  const [a, b] = expr.args as readonly [Expr, Expr];
  switch (expr.op) {
    case "neg":
      return a.op === "neg" ? (a.args[0] as Expr) : expr;
    case "abs":
      return a.op === "neg" ? reduce(apply("abs", a.args)) : expr;
    case "add":
      if (isNum(a, 0)) return b;
      if (isNum(b, 0)) return a;
      if (b.op === "neg") return reduce(apply("sub", [a, b.args[0] as Expr]));
      if (a.op === "neg") return reduce(apply("sub", [b, a.args[0] as Expr]));
      return a === b ? apply("mul", [2, a]) : expr;
    case "sub":
      if (isNum(b, 0)) return a;
      if (isNum(a, 0)) return reduce(apply("neg", [b]));
      return b.op === "neg" ? reduce(apply("add", [a, b.args[0] as Expr])) : expr;
    case "mul":
      if (isNum(a, 1)) return b;
      if (isNum(b, 1)) return a;
      if (isNum(a, -1)) return reduce(apply("neg", [b]));
      if (isNum(b, -1)) return reduce(apply("neg", [a]));
      if (a.op === "neg") return reduce(apply("neg", [reduce(apply("mul", [a.args[0] as Expr, b]))]));
      if (b.op === "neg") return reduce(apply("neg", [reduce(apply("mul", [a, b.args[0] as Expr]))]));
      return expr;
    case "div":
      return isNum(b, 1) ? a : expr;
    // An infinite limit is none.
    case "min":
      return isNum(b, Infinity) ? a : isNum(a, Infinity) ? b : expr;
    case "max":
      return isNum(b, -Infinity) ? a : isNum(a, -Infinity) ? b : expr;
    case "softClamp":
      return isNum(b, Infinity) ? a : expr;
    case "clamp": {
      const high = expr.args[2] as Expr;
      if (isNum(b, -Infinity)) return reduce(apply("min", [a, high]));
      return isNum(high, Infinity) ? reduce(apply("max", [a, b])) : expr;
    }
    default:
      return expr;
  }
}
