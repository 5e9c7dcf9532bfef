// Turns expressions into WGSL. There are two tables with a rule for each operation: f32, and numbers of any size (wide.ts).
// Parts that occur more than once, and calls of functions, become named declarations.
import { atom, Binding, type Written, withBrackets } from "../../expression/brackets.js";
import {
  type Apply,
  add,
  countUses,
  type Expr,
  mul,
  type Operation,
  Rewriter,
  type Rules,
  schedule,
} from "../../expression/expr.js";
import { canVanish, isCheap } from "../../expression/operations.js";
import { simplifyAll } from "../../expression/simplify.js";
import { literal } from "./text.js";

/** The most operations that are nested in one statement. Compilers limit how deep brackets may be nested. */
const deepest = 24;
/** The most operations of a function. Drivers' compilers need minutes for longer ones. */
const mostOperations = 10_000;

const { hold, infix, call } = withBrackets("(", ")");

const real: Rules<Written, Written> = {
  neg: (a) => ({ text: `-${hold(a, Binding.Atom)}`, binding: Binding.Product }),
  abs: call("abs"),
  exp: call("exponential"),
  expm1: call("expm1"),
  expResidual: call("expResidual"),
  log: call("logarithm"),
  sqrt: call("squareRoot"),
  sigmoid: call("sigmoid"),
  sigmoidSlope: call("sigmoidSlope"),
  softplus: call("softplus"),
  tanh: call("hyperbolicTangent"),
  tanhResidual: call("tanhResidual"),
  normalCdf: call("normalCdf"),
  atan: call("arcTangent"),
  atlu: call("atlu"),
  atluSlope: call("atluSlope"),
  relu: (a) => call("max")(a, atom("0f")),
  add: infix(" + ", Binding.Sum),
  sub: infix(" - ", Binding.Sum),
  mul: infix(" * ", Binding.Product),
  div: infix(" / ", Binding.Product),
  min: call("min"),
  max: call("max"),
  softClamp: call("softClamp"),
  clamp: (a, low, high) => call("min")(call("max")(a, low), high),
  selectGreater: (a, b, then, otherwise) =>
    atom(`select(${otherwise.text}, ${then.text}, ${hold(a, Binding.Sum)} > ${hold(b, Binding.Sum)})`),
};

const wide: Rules<Written, Written> = {
  neg: call("wide_neg"),
  abs: call("wide_abs"),
  exp: call("wide_exp"),
  expm1: call("wide_expm1"),
  expResidual: call("wide_expResidual"),
  log: call("wide_log"),
  sqrt: call("wide_sqrt"),
  sigmoid: call("wide_sigmoid"),
  sigmoidSlope: call("wide_sigmoidSlope"),
  softplus: call("wide_softplus"),
  tanh: call("wide_tanh"),
  tanhResidual: call("wide_tanhResidual"),
  normalCdf: call("wide_normalCdf"),
  atan: call("wide_atan"),
  atlu: call("wide_atlu"),
  atluSlope: call("wide_atluSlope"),
  relu: (a) => call("wide_max")(a, atom("Wide(0f, 0)")),
  add: call("wide_add"),
  sub: call("wide_sub"),
  mul: call("wide_mul"),
  div: call("wide_div"),
  min: call("wide_min"),
  max: call("wide_max"),
  softClamp: call("wide_softClamp"),
  clamp: (a, low, high) => call("wide_min")(call("wide_max")(a, low), high),
  selectGreater: (a, b, then, otherwise) => call("wide_choose")(a, b, then, otherwise),
};

/** A number in f32. One that is too large becomes the largest float32: then `constantsFit` is false. */
function realNumber(value: number): Written {
  const most = 3.4028233e38; // nine digits of the largest number round up beyond it
  const text = literal(Math.min(Math.max(value, -most), most));
  return { text, binding: text.startsWith("-") ? Binding.Product : Binding.Atom };
}

/** Whether float32 can hold a constant, on every driver: some take denormal numbers for 0. */
const fitsFloat32 = (value: number): boolean =>
  value === 0 || (Math.abs(value) >= 2 ** -126 && Number.isFinite(Math.fround(value)));

function wideNumber(value: number): Written {
  const e = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value)));
  if (Math.abs(e) <= 8) return atom(`Wide(${literal(value)}, 0)`);
  const half = e >> 1; // in two steps, neither of which overflows
  return atom(`Wide(${literal(value / 2 ** half / 2 ** (e - half))}, ${e})`);
}

/** The two arithmetics: f32, or `Wide` numbers of any size. */
export type Arithmetic = "real" | "wide";
const targets = {
  real: { rules: real, number: realNumber },
  wide: { rules: wide, number: wideNumber },
};

/** Code for expressions: the declarations of named parts, and an expression for each result. */
export interface Emitted {
  readonly statements: readonly string[];
  readonly results: readonly string[];
}

/**
 * Writes expressions as WGSL. `nameOf` gives the name of a variable in WGSL. Parts that the expressions share are computed once.
 * The code calls functions of `functions.ts` and `wide.ts`.
 */
export function emitWgsl(
  expressions: readonly Expr[],
  arithmetic: Arithmetic,
  nameOf: (variable: string) => string,
): Emitted {
  const { rules, number } = targets[arithmetic];
  const simple = simplifyAll(expressions);
  const roots = arithmetic === "real" ? doubledFactors(simple) : simple;
  const results = new Set(roots);
  const order = schedule(roots);
  if (order.length > mostOperations)
    throw new RangeError(
      `the formula and its gradients have ${order.length} operations, more than the ${mostOperations} that a WebGPU kernel may have: compute it in several activations, or on the reference backend`,
    );
  const uses = countUses(order, roots);

  const statements: string[] = [];
  const counts = new Map<Operation, number>();
  const written = new Map<Expr, Written>();
  const depths = new Map<Expr, number>();
  const textOf = (expr: Expr): Written => written.get(expr) as Written;
  const named = ({ op }: Apply, value: Written): Written => {
    const count = (counts.get(op) ?? 0) + 1;
    counts.set(op, count);
    const name = `${op}_${count}`;
    statements.push(`let ${name} = ${value.text};`);
    return atom(name);
  };
  for (const node of order) {
    if (node.op === "num") written.set(node, number(node.value));
    else if (node.op === "variable") written.set(node, atom(nameOf(node.name)));
    else {
      const rule = rules[node.op] as (...operands: readonly Written[]) => Written;
      const value = rule(...node.args.map(textOf));
      const depth = 1 + Math.max(...node.args.map((arg) => depths.get(arg) ?? 0));
      const shared = (uses.get(node) ?? 0) > 1 || (!isCheap(node.op) && !results.has(node));
      const apart = shared || depth >= deepest;
      written.set(node, apart ? named(node, value) : value);
      if (!apart) depths.set(node, depth);
    }
  }
  return { statements, results: roots.map((root) => textOf(root).text) };
}

/**
 * Expressions in which the sum of two products of the same factors is one product with one factor doubled. Drivers may take what
 * is below 2^-126 for zero, and two such losses are more than the error bound allows. Doubled, an ordinary number has room.
 */
function doubledFactors(expressions: readonly Expr[]): Expr[] {
  const rewriter = new Rewriter((node) => {
    if (node.op !== "add") return node;
    const [factors, others] = node.args.map(factorsOf) as [Expr[], Expr[]];
    if (factors.length < 2 || factors.length !== others.length) return node;
    for (const factor of factors) {
      const at = others.indexOf(factor);
      if (at < 0) return node;
      others.splice(at, 1);
    }
    const [first, ...rest] = factors as [Expr, ...Expr[]];
    return rest.reduce((product, factor) => mul(product, factor), add(first, first));
  });
  return expressions.map((expression) => rewriter.rewrite(expression));
}

/** The factors of a product of a few; of any other expression, itself. */
function factorsOf(expr: Expr): Expr[] {
  const factors = [expr];
  for (let i = 0; i < factors.length && factors.length <= 8; ) {
    const factor = factors[i] as Expr;
    if (factor.op === "mul") factors.splice(i, 1, ...factor.args);
    else i++;
  }
  return factors;
}

/** Whether float32 arithmetic can hold every constant of the expressions. */
export const constantsFit = (expressions: readonly Expr[]): boolean =>
  schedule(expressions).every((node) => node.op !== "num" || fitsFloat32(node.value));

/** Whether code for the expressions calls functions that may set `vanishing`. */
export const mayVanish = (expressions: readonly Expr[]): boolean =>
  schedule(simplifyAll(expressions)).some((node) => "args" in node && canVanish(node.op));
