// Simplifies expressions without changing their values, and makes equal parts one shared object.
// Every rewrite is exact in floating point: sums are not reordered, and 0 * x stays, since x may be infinite.
import { type Apply, apply, arity, type Expr, type Num, num, operandsOf, Rewriter } from "./expr.js";
import { isCommutative } from "./operations.js";
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

/** Keeps one object for each distinct expression. `a * b` and `b * a` are not distinct. */
class Interner {
  private readonly ids = new Map<Expr, number>();
  private readonly known = new Map<string | number, Expr>();

  /** The object for an expression. The walk ends at parts that are known, so it is only as deep as what `reduce` has made. */
  intern(expr: Expr): Expr {
    if (this.ids.has(expr)) return expr;
    const made = operandsOf(expr).some((arg) => !this.ids.has(arg));
    const node = made
      ? { op: (expr as Apply).op, args: operandsOf(expr).map((arg) => this.intern(arg)) }
      : expr;
    const key = this.key(node);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, node);
    this.ids.set(node, this.ids.size);
    return node;
  }

  /** What tells an expression from others: a number if the operands' ids fit into it, since texts are slow, else a text. */
  private key(node: Expr): string | number {
    if (node.op === "num") return `num ${Object.is(node.value, -0) ? "-0" : node.value}`;
    if (node.op === "variable") return `variable ${node.name}`;
    const ids = node.args.map((arg) => this.ids.get(arg) as number);
    if (isCommutative(node.op)) ids.sort((a, b) => a - b);
    const [a = 0, b = 0] = ids;
    const code = codes.get(node.op) as number;
    return ids.length < 3 && this.ids.size < idsInKey
      ? (code * idsInKey + a) * idsInKey + b
      : `${node.op} ${ids.join(" ")}`;
  }
}

/** Two ids below this and the operation's number fit into a whole number below 2^53. */
const idsInKey = 2 ** 24;
const codes: ReadonlyMap<string, number> = new Map(Object.keys(arity).map((op, i) => [op, i]));

const isNum = (expr: Expr | undefined, value: number): boolean =>
  expr !== undefined && expr.op === "num" && expr.value === value;

/** Applies the exact rewrites at the root of an expression whose operands are simplified already. */
function reduce(expr: Expr): Expr {
  if (!("args" in expr)) return expr;
  if (expr.args.every((arg) => arg.op === "num")) {
    const value = applyOperation(
      expr.op,
      expr.args.map((arg) => (arg as Num).value),
    );
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
    // A limit of Infinity means no limit.
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
