// Writes expressions for people: as plain text for terminals and code, and as LaTeX for documents.
// Each notation is one table of rules. Brackets follow from precedence; see brackets.ts.
import { short } from "../errors.js";
import { greekNames, symbolOf } from "../symbols.js";
import { atom, Binding, type Written, withBrackets } from "./brackets.js";
import { countUses, type Expr, type Rules, schedule } from "./expr.js";
import { simplify } from "./simplify.js";

export interface Notation {
  readonly number: (value: number) => string;
  readonly variable: (name: string) => string;
  /** The name of a part by number: t1, t2 ... */
  readonly numbered: (i: number) => string;
  /** A remark about what is written. */
  readonly remark: (words: string) => string;
  /** Stands between the formula and its parts, and between a part's name and what it is. */
  readonly separator: string;
  readonly equals: string;
  /** How many characters the notation takes for one of plain text, about; lengths are counted so. */
  readonly scale: number;
  readonly rules: Rules<Written, Written>;
}

/** Expressions up to this length are written in one piece. */
const longestPlain = 4000;
/** A part that is longer than this gets a name. */
const longestPart = 1000;
/** About the longest text of an expression. Parts that do not fit are left out, and the text says so. */
const longestText = 20_000;
/** Parts shorter than this in plain text are repeated rather than named. */
const shortPart = 14;

/**
 * Plain text, close to JavaScript. Example: `text(activations.swish.expression)` is `x * sigmoid(beta * x)`. What would be
 * longer than 4,000 characters is written in parts, as `textWithParts` does it.
 */
export function text(expr: Expr): string {
  return write(expr, plain);
}

/**
 * LaTeX, with `g` for the gate and `u` for up. Example: `\\sigma\\left(\\beta\\,x\\right)`. What would be longer than 4,000
 * characters is written in parts, as `latexWithParts` does it.
 */
export function latex(expr: Expr): string {
  return write(expr, tex);
}

/**
 * Plain text in which long parts that occur more than once have names, for gradients. Parts of more than about 1,000 characters
 * have names too. The text ends after about 20,000 characters, with a remark that says how much is left out.
 *
 * @example
 * textWithParts(swigluClamped.expression) // "p * sigmoid(p) * clamp(up, -limit, limit), p = min(gate, limit)"
 */
export function textWithParts(expr: Expr): string {
  return writeWithParts(simplify(expr), plain);
}

/** LaTeX in which long parts that occur more than once have names, otherwise as `textWithParts`. */
export function latexWithParts(expr: Expr): string {
  return writeWithParts(simplify(expr), tex);
}

/** An expression in a notation; in parts where it is long. */
export function write(expr: Expr, notation: Notation): string {
  const written = new Map<Expr, Written>();
  for (const node of schedule([expr])) {
    const whole = writeNode(node, notation, written);
    if (whole.text.length > longestPlain * notation.scale) return writeWithParts(expr, notation);
    written.set(node, whole);
  }
  return (written.get(expr) as Written).text;
}

/** An expression in a notation, its repeated and its long parts by name. */
export function writeWithParts(root: Expr, notation: Notation): string {
  const { separator, scale } = notation;
  const order = schedule([root]);
  const uses = countUses(order);
  const long = longParts(order);
  const names = partNames(order, notation);
  const written = new Map<Expr, Written>();
  const parts: string[] = [];
  for (const node of order) {
    const whole = writeNode(node, notation, written);
    const shared = (uses.get(node) ?? 0) > 1 && long.has(node);
    if (node !== root && "args" in node && (shared || whole.text.length > longestPart * scale)) {
      const name = names.next().value as string;
      parts.push(`${name}${notation.equals}${whole.text}`);
      written.set(node, atom(name));
    } else written.set(node, whole);
  }
  const { text } = written.get(root) as Written;
  let room = longestText * scale - text.length;
  let shownFrom = parts.length;
  for (let i = parts.length - 1; i >= 0 && room >= 0; i--) {
    room -= (parts[i] as string).length;
    if (room >= 0) shownFrom = i;
  }
  if (shownFrom === 0) return [text, ...parts].join(separator);
  // The parts near the root are shown; those far from it are left out.
  const remark = notation.remark(
    `cut here: ${shownFrom} of ${parts.length} parts are left out, of an expression of ${order.length} operations and operands`,
  );
  return [text, ...parts.slice(shownFrom).toReversed(), remark].join(separator);
}

/** Names for parts that are not the name of a variable: single letters, then t1, t2 ... */
function* partNames(order: readonly Expr[], { variable, numbered }: Notation): Generator<string, never> {
  const taken = new Set(order.flatMap((node) => (node.op === "variable" ? [node.name] : [])));
  for (const letter of "pqrstvwabcd") if (!taken.has(letter)) yield variable(letter);
  for (let i = 1; ; i++) if (!taken.has(`t${i}`)) yield numbered(i);
}

/** The parts whose plain text, without names for its own parts, is longer than `shortPart`. */
function longParts(order: readonly Expr[]): Set<Expr> {
  const long = new Set<Expr>();
  const written = new Map<Expr, Written>();
  for (const node of order) {
    const whole = writeNode(node, plain, written);
    if (whole.text.length > shortPart) long.add(node);
    // Only whether a text is longer matters, so longer ones are cut.
    written.set(node, { ...whole, text: whole.text.slice(0, shortPart + 1) });
  }
  return long;
}

/** Writes one node, given its written operands. */
function writeNode(node: Expr, notation: Notation, written: ReadonlyMap<Expr, Written>): Written {
  if (node.op === "num")
    return {
      text: notation.number(node.value),
      binding: node.value < 0 || Object.is(node.value, -0) ? Binding.Product : Binding.Atom,
    };
  if (node.op === "variable") return atom(notation.variable(node.name));
  const rule = notation.rules[node.op] as (...args: Written[]) => Written;
  return rule(...node.args.map((arg) => written.get(arg) as Written));
}

/** `-a`. It binds like a sum, so that it gets brackets within products and differences. */
const negation =
  (hold: (part: Written, least: Binding) => string) =>
  (a: Written): Written => ({
    text: `-${hold(a, a.text.startsWith("-") ? Binding.Atom : Binding.Product)}`,
    binding: Binding.Sum,
  });

const { hold: holdPlain, infix, call } = withBrackets("(", ")");

const plain: Notation = {
  number: (value) => (Object.is(value, -0) ? "-0" : String(value)),
  variable: short,
  numbered: (i) => `t${i}`,
  remark: (words) => `... (${words})`,
  separator: ", ",
  equals: " = ",
  scale: 1,
  rules: {
    neg: negation(holdPlain),
    add: infix(" + ", Binding.Sum),
    sub: infix(" - ", Binding.Sum),
    mul: infix(" * ", Binding.Product),
    div: infix(" / ", Binding.Product),
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
      text: `${holdPlain(a, Binding.Sum)} > ${holdPlain(b, Binding.Sum)} ? ${then.text} : ${holdPlain(otherwise, Binding.Choice)}`,
      binding: Binding.Choice,
    }),
  },
};

const { hold: holdTex, infix: texInfix, call: texCall } = withBrackets("\\left(", "\\right)");
const texProduct = texInfix("\\,", Binding.Product, Binding.Product);
const operator = (name: string) => texCall(`\\operatorname{${name}}`);
const power = (base: Written, exponent: number): Written => ({
  text: `${holdTex(base, Binding.Atom)}^${exponent}`,
  binding: Binding.Product,
});
const fraction = (over: string, under: string): string => `\\frac{${over}}{${under}}`;

const tex: Notation = {
  number: (value) => String(value).replace(/e([+-]?\d+)$/, (_, power) => ` \\cdot 10^{${Number(power)}}`),
  variable: (name) => {
    const { letter, index } = symbolOf(name);
    const greek = greekNames.get(letter);
    const base = greek === undefined ? letter : `\\${greek}`;
    if (index !== undefined) return `${base}_${index.length === 1 ? index : `{${index}}`}`;
    return greek !== undefined || letter.length === 1
      ? base
      : `\\mathrm{${short(letter).replaceAll("_", "\\_")}}`;
  },
  numbered: (i) => `t_{${i}}`,
  remark: (words) => `\\ldots \\text{ (${words})}`,
  separator: ", \\quad ",
  equals: " = ",
  scale: 1,
  rules: {
    neg: negation(holdTex),
    add: texInfix(" + ", Binding.Sum),
    sub: texInfix(" - ", Binding.Sum),
    mul: (a, b) => {
      if (a.text === b.text) return power(a, 2);
      if (b.text === power(a, 2).text) return power(a, 3);
      const digitsMeet = /\d$/.test(a.text) && /^[\d.]/.test(b.text);
      return digitsMeet
        ? { text: `${holdTex(a, Binding.Product)} \\cdot ${b.text}`, binding: Binding.Product }
        : texProduct(a, b);
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
  return `\\left(${fraction(`\\arctan\\left(${a.text}\\right)`, "\\pi")} + ${fraction("1", "2")}\\right)`;
}
