// Writes expressions for people: as plain text for terminals and code, and as LaTeX for documents.
// Each notation is one table of rules; brackets come from the precedence of what is written.
import { type Expr, type Rules, schedule, variablesOf } from "./expr.js";
import { simplify } from "./simplify.js";

/** How tightly written text holds together: a sum binds loosest, an atom needs no brackets ever. */
enum Binding {
  Choice,
  Sum,
  Product,
  Atom,
}
interface Written {
  readonly text: string;
  readonly binding: Binding;
}

interface Notation {
  readonly number: (value: number) => string;
  readonly variable: (name: string) => string;
  readonly rules: Rules<Written, Written>;
}

/** Plain text, close to JavaScript. Example: `text(activations.swish.expression)` is `x * sigmoid(beta * x)`. */
export function text(expr: Expr): string {
  return write(expr, plain).text;
}

/** LaTeX, with `g` for the gate and `u` for up. Example: `\\sigma\\left(\\beta\\,x\\right)`. */
export function latex(expr: Expr): string {
  return write(expr, tex).text;
}

/**
 * Plain text in which long parts that occur more than once have names, for gradients.
 *
 * @example
 * textWithParts(swigluClamped.expression) // "p * sigmoid(p) * clamp(up, -limit, limit), p = min(gate, limit)"
 */
export function textWithParts(expr: Expr): string {
  return writeWithParts(expr, plain, ", ");
}

/** LaTeX in which long parts that occur more than once have names. */
export function latexWithParts(expr: Expr): string {
  return writeWithParts(expr, tex, ", \\quad ");
}

/** Parts shorter than this in plain text are repeated rather than named. */
const shortPart = 14;

function writeWithParts(expr: Expr, notation: Notation, separator: string): string {
  const root = simplify(expr);
  const order = schedule([root]);
  const uses = new Map<Expr, number>();
  for (const node of order)
    if ("args" in node) for (const arg of node.args) uses.set(arg, (uses.get(arg) ?? 0) + 1);
  const free = [..."pqrstvwabcd"].filter((name) => !variablesOf(root).has(name));
  const names = new Map<Expr, string>();
  for (const node of order)
    if ("args" in node && (uses.get(node) ?? 0) > 1 && text(node).length > shortPart) {
      const name = free.shift();
      if (name !== undefined) names.set(node, name);
    }
  const parts = [...names].map(([node, name]) => {
    const others = new Map(names);
    others.delete(node);
    return `${name} = ${write(node, notation, others).text}`;
  });
  return [write(root, notation, names).text, ...parts].join(separator);
}

/** Writes an expression; parts in `names` appear by their name. */
function write(expr: Expr, notation: Notation, names?: ReadonlyMap<Expr, string>): Written {
  const name = names?.get(expr);
  if (name !== undefined) return atom(name);
  if (expr.op === "num")
    return { text: notation.number(expr.value), binding: expr.value < 0 ? Binding.Product : Binding.Atom };
  if (expr.op === "variable") return atom(notation.variable(expr.name));
  const rule = notation.rules[expr.op] as (...args: Written[]) => Written;
  return rule(...expr.args.map((arg) => write(arg, notation, names)));
}

const atom = (text: string): Written => ({ text, binding: Binding.Atom });

/** Rules shared by both notations, given how each writes brackets and products, and when a second factor needs brackets. */
function arithmetic(brackets: (text: string) => string, times: string, factor: Binding) {
  const hold = (part: Written, binding: Binding): string =>
    part.binding < binding ? brackets(part.text) : part.text;
  return {
    neg: (a: Written) => ({
      text: `-${hold(a, a.text.startsWith("-") ? Binding.Atom : Binding.Product)}`,
      binding: Binding.Sum,
    }),
    add: (a: Written, b: Written) => ({
      text: `${hold(a, Binding.Sum)} + ${hold(b, Binding.Product)}`,
      binding: Binding.Sum,
    }),
    sub: (a: Written, b: Written) => ({
      text: `${hold(a, Binding.Sum)} - ${hold(b, Binding.Product)}`,
      binding: Binding.Sum,
    }),
    mul: (a: Written, b: Written) => ({
      text: `${hold(a, Binding.Product)}${times}${hold(b, factor)}`,
      binding: Binding.Product,
    }),
    hold,
  };
}

const plainBrackets = (inner: string): string => `(${inner})`;
const { hold: holdPlain, ...plainArithmetic } = arithmetic(plainBrackets, " * ", Binding.Atom);
const call =
  (name: string) =>
  (...args: readonly Written[]): Written =>
    atom(`${name}(${args.map((arg) => arg.text).join(", ")})`);

const plain: Notation = {
  number: String,
  variable: (name) => name,
  rules: {
    ...plainArithmetic,
    div: (a, b) => ({
      text: `${holdPlain(a, Binding.Product)} / ${holdPlain(b, Binding.Atom)}`,
      binding: Binding.Product,
    }),
    abs: call("abs"),
    exp: call("exp"),
    expm1: call("expm1"),
    expResidual: call("expResidual"),
    log: call("log"),
    sqrt: call("sqrt"),
    sigmoid: call("sigmoid"),
    sigmoidSlope: call("sigmoidSlope"),
    softplus: call("softplus"),
    tanh: call("tanh"),
    tanhResidual: call("tanhResidual"),
    normalCdf: call("normalCdf"),
    atan: call("atan"),
    atlu: call("atlu"),
    atluSlope: call("atluSlope"),
    relu: call("relu"),
    min: call("min"),
    max: call("max"),
    softClamp: call("softClamp"),
    clamp: call("clamp"),
    selectGreater: (a, b, then, otherwise) => ({
      text: `${a.text} > ${b.text} ? ${then.text} : ${holdPlain(otherwise, Binding.Choice)}`,
      binding: Binding.Choice,
    }),
  },
};

const texBrackets = (inner: string): string => `\\left(${inner}\\right)`;
const { hold: holdTex, ...texArithmetic } = arithmetic(texBrackets, "\\,", Binding.Product);
const texCall =
  (name: string) =>
  (...args: readonly Written[]): Written =>
    atom(`${name}\\left(${args.map((arg) => arg.text).join(", ")}\\right)`);
const operator = (name: string) => texCall(`\\operatorname{${name}}`);
const power = (base: Written, exponent: number): Written => ({
  text: `${holdTex(base, Binding.Atom)}^${exponent}`,
  binding: Binding.Product,
});
const fraction = (over: string, under: string): string => `\\frac{${over}}{${under}}`;

const texNames: Readonly<Record<string, string>> = {
  gate: "g",
  up: "u",
  alphaP: "\\alpha_p",
  alphaN: "\\alpha_n",
};
const greek: ReadonlySet<string> = new Set([
  "alpha",
  "beta",
  "gamma",
  "delta",
  "epsilon",
  "lambda",
  "mu",
  "tau",
]);

const tex: Notation = {
  number: (value) => String(value).replace(/e([+-]?\d+)$/, (_, power) => ` \\cdot 10^{${Number(power)}}`),
  variable: (name) => {
    if (Object.hasOwn(texNames, name)) return texNames[name] as string;
    if (greek.has(name)) return `\\${name}`;
    return name.length === 1 ? name : `\\mathrm{${name.replaceAll("_", "\\_")}}`;
  },
  rules: {
    ...texArithmetic,
    mul: (a, b) => {
      if (a.text === b.text) return power(a, 2);
      if (b.text === power(a, 2).text) return power(a, 3);
      const digitsMeet = /\d$/.test(a.text) && /^[\d.]/.test(b.text);
      return digitsMeet
        ? { text: `${holdTex(a, Binding.Product)} \\cdot ${b.text}`, binding: Binding.Product }
        : texArithmetic.mul(a, b);
    },
    div: (a, b) => atom(fraction(a.text, b.text)),
    abs: (a) => atom(`\\left|${a.text}\\right|`),
    exp: (a) => atom(`e^{${a.text}}`),
    expm1: (a) => ({ text: `e^{${a.text}} - 1`, binding: Binding.Sum }),
    expResidual: (a) => ({
      text: `e^{${a.text}} - 1 - ${holdTex(a, Binding.Product)}`,
      binding: Binding.Sum,
    }),
    log: texCall("\\ln"),
    sqrt: (a) => atom(`\\sqrt{${a.text}}`),
    sigmoid: texCall("\\sigma"),
    sigmoidSlope: texCall("\\sigma'"),
    softplus: operator("softplus"),
    tanh: texCall("\\tanh"),
    tanhResidual: (a) => ({
      text: `\\tanh\\left(${a.text}\\right) - ${holdTex(a, Binding.Product)}\\,\\tanh'\\left(${a.text}\\right)`,
      binding: Binding.Sum,
    }),
    normalCdf: texCall("\\Phi"),
    atan: texCall("\\arctan"),
    atlu: (a) => ({ text: `${holdTex(a, Binding.Product)}\\,${atanCdf(a)}`, binding: Binding.Product }),
    atluSlope: (a) => ({
      text: `${fraction(`\\arctan\\left(${a.text}\\right)`, "\\pi")} + ${fraction("1", "2")} + ${fraction(a.text, `\\pi\\left(1 + ${holdTex(a, Binding.Atom)}^2\\right)`)}`,
      binding: Binding.Sum,
    }),
    relu: (a) => atom(`\\max\\left(0, ${a.text}\\right)`),
    min: texCall("\\min"),
    max: texCall("\\max"),
    softClamp: (a, limit) => ({
      text: `${holdTex(limit, Binding.Product)}\\,\\tanh\\left(${fraction(a.text, limit.text)}\\right)`,
      binding: Binding.Product,
    }),
    clamp: operator("clamp"),
    selectGreater: (a, b, then, otherwise) =>
      atom(
        `\\begin{cases} ${then.text} & ${a.text} > ${b.text} \\\\ ${otherwise.text} & \\text{otherwise} \\end{cases}`,
      ),
  },
};

/** The Cauchy distribution's cumulative function, which gates atlu. */
function atanCdf(a: Written): string {
  return texBrackets(`${fraction(`\\arctan\\left(${a.text}\\right)`, "\\pi")} + ${fraction("1", "2")}`);
}
