// Writes expressions as presentation MathML, which browsers show and screen readers speak without a library.
// The same precedence, parts and limits as the other notations have; only the table of rules differs.
import { short } from "../errors.js";
import { atom, Binding, type Written, withBrackets } from "../expression/brackets.js";
import type { Expr } from "../expression/expr.js";
import { type Notation, write, writeWithParts } from "../expression/print.js";
import { simplify } from "../expression/simplify.js";
import { symbolOf } from "../symbols.js";

/**
 * Presentation MathML, one `<math>` element, with `g` for the gate and `u` for up as in `latex`. What would be long is written
 * in parts, as `mathmlWithParts` does it.
 *
 * @example
 * mathml(expressions.add("beta", 1)) // "<math><mi>β</mi><mo>+</mo><mn>1</mn></math>"
 */
export function mathml(expr: Expr): string {
  return element("math", write(expr, notation));
}

/** MathML in which long parts that occur more than once have names, otherwise as `textWithParts`. */
export function mathmlWithParts(expr: Expr): string {
  return element("math", writeWithParts(simplify(expr), notation));
}

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;
const identifier = (name: string): string => element("mi", escaped(name));
const operator = (sign: string): string => element("mo", sign);
const digits = (value: string): string => element("mn", value);
/** One child element, whatever the text holds. */
const row = (content: string): string => element("mrow", content);

const escaped = (text: string): string =>
  text.replace(/[<>&"\p{C}]/gu, (character) => {
    const entities: Readonly<Record<string, string>> = {
      "<": "&lt;",
      ">": "&gt;",
      "&": "&amp;",
      '"': "&quot;",
    };
    return entities[character] ?? "\u{fffd}";
  });

const brackets = (inner: string): string => row(`${operator("(")}${inner}${operator(")")}`);
/** A product is the invisible times sign, which is spoken. */
const times = operator("\u2062");
const { hold, infix } = withBrackets(`<mrow>${operator("(")}`, `${operator(")")}</mrow>`);
const product = infix(times, Binding.Product, Binding.Product);

/** `f(x)`: the invisible sign says that f is applied. */
const applied =
  (name: string) =>
  (...args: readonly Written[]): Written =>
    atom(`${name}${operator("\u2061")}${brackets(args.map(({ text }) => text).join(operator(",")))}`);
const named = (name: string) => applied(identifier(name));
const fraction = (over: string, under: string): string => element("mfrac", row(over) + row(under));
const power = (base: Written, exponent: string): string =>
  element("msup", row(hold(base, Binding.Atom)) + exponent);
const exponential = (a: Written): string => element("msup", identifier("e") + row(a.text));
const pi = identifier("π");

const arctan = (a: Written): string => applied(identifier("arctan"))(a).text;
const plus = operator("+");
const minus = operator("\u2212");
const half = fraction(digits("1"), digits("2"));

const notation: Notation = {
  number: (value) => {
    if (value === 0 && !Object.is(value, -0)) return digits("0");
    const negative = value < 0 || Object.is(value, -0);
    const [mantissa = "", exponent] = String(Math.abs(value)).split("e");
    const size =
      mantissa === "Infinity" ? operator("∞") : mantissa === "NaN" ? element("mi", "NaN") : digits(mantissa);
    const whole =
      exponent === undefined
        ? size
        : `${size}${operator("⋅")}${element("msup", digits("10") + row(signed(Number(exponent))))}`;
    return negative ? `${minus}${whole}` : whole;
  },
  variable: (name) => {
    const { letter, index } = symbolOf(name);
    const base = identifier(short(letter));
    return index === undefined ? base : element("msub", base + identifier(index));
  },
  numbered: (i) => element("msub", identifier("t") + digits(String(i))),
  remark: (words) => `${operator("…")}${element("mtext", escaped(` (${words})`))}`,
  separator: `${operator(",")}<mspace width="1em"></mspace>`,
  equals: operator("="),
  scale: 12,
  rules: {
    neg: (a) => ({
      text: `${minus}${hold(a, a.text.startsWith(minus) ? Binding.Atom : Binding.Product)}`,
      binding: Binding.Sum,
    }),
    add: infix(plus, Binding.Sum),
    sub: infix(minus, Binding.Sum),
    mul: (a, b) => {
      if (a.text === b.text) return { text: power(a, digits("2")), binding: Binding.Product };
      if (b.text === power(a, digits("2"))) return { text: power(a, digits("3")), binding: Binding.Product };
      const numbersMeet = a.text.endsWith("</mn>") && b.text.startsWith("<mn>");
      return numbersMeet
        ? {
            text: `${hold(a, Binding.Product)}${operator("⋅")}${hold(b, Binding.Product)}`,
            binding: Binding.Product,
          }
        : product(a, b);
    },
    div: (a, b) => atom(fraction(a.text, b.text)),
    abs: (a) => atom(row(`${operator("|")}${a.text}${operator("|")}`)),
    exp: (a) => atom(exponential(a)),
    expm1: (a) => ({ text: `${exponential(a)}${minus}${digits("1")}`, binding: Binding.Sum }),
    expResidual: (a) => ({
      text: `${exponential(a)}${minus}${digits("1")}${minus}${hold(a, Binding.Product)}`,
      binding: Binding.Sum,
    }),
    log: named("ln"),
    sqrt: (a) => atom(element("msqrt", a.text)),
    sigmoid: named("σ"),
    sigmoidSlope: applied(element("msup", identifier("σ") + operator("′"))),
    softplus: named("softplus"),
    tanh: named("tanh"),
    tanhResidual: (a) => ({
      text: `${named("tanh")(a).text}${minus}${hold(a, Binding.Product)}${times}${applied(element("msup", identifier("tanh") + operator("′")))(a).text}`,
      binding: Binding.Sum,
    }),
    normalCdf: named("Φ"),
    atan: named("arctan"),
    atlu: (a) => ({
      text: `${hold(a, Binding.Product)}${times}${brackets(`${fraction(arctan(a), pi)}${plus}${half}`)}`,
      binding: Binding.Product,
    }),
    atluSlope: (a) => ({
      text: `${fraction(arctan(a), pi)}${plus}${half}${plus}${fraction(a.text, `${pi}${times}${brackets(`${digits("1")}${plus}${power(a, digits("2"))}`)}`)}`,
      binding: Binding.Sum,
    }),
    relu: (a) =>
      atom(`${identifier("max")}${operator("\u2061")}${brackets(`${digits("0")}${operator(",")}${a.text}`)}`),
    min: named("min"),
    max: named("max"),
    softClamp: (a, limit) => ({
      text: `${hold(limit, Binding.Product)}${times}${applied(identifier("tanh"))(atom(fraction(a.text, limit.text))).text}`,
      binding: Binding.Product,
    }),
    clamp: named("clamp"),
    selectGreater: (a, b, then, otherwise) => {
      const line = (value: string, when: string): string =>
        element("mtr", element("mtd", row(value)) + element("mtd", row(when)));
      const lines =
        line(then.text, `${a.text}${operator("&gt;")}${b.text}`) +
        line(otherwise.text, element("mtext", "otherwise"));
      return atom(row(`${operator("{")}${element("mtable", lines)}`));
    },
  },
};

const signed = (value: number): string =>
  value < 0 ? `${minus}${digits(String(-value))}` : digits(String(value));
