// Reads one expression after another from tokens, by operator precedence with a stack of its own: depth costs no calls.
import { listing, suggestion } from "../errors.js";
import { div, type Expr, exp, neg, num, sqrt, variable } from "../expression/expr.js";
import {
  type Choose,
  comparisons,
  type Frame,
  infix,
  mostExponent,
  Strength,
  wholePower,
} from "./grammar.js";
import { mistake } from "./place.js";
import type { NameToken, Sign, Token } from "./tokens.js";
import { constant, functionNames, functionOf } from "./words.js";

export class Reader {
  private readonly stack: Frame[] = [];
  /** Where each variable came first. */
  private readonly used = new Map<string, NameToken>();
  private readonly leaves = new Map<string, Expr>();

  constructor(
    private readonly source: string,
    private readonly tokens: readonly Token[],
    private at: number,
    private readonly names: readonly string[] | undefined,
  ) {}

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  takeSign(sign: Sign): boolean {
    const found = isSign(this.peek(), sign);
    if (found) this.at++;
    return found;
  }

  problem(token: Token, sentence: string): SyntaxError {
    return mistake(this.source, token.at, sentence);
  }

  unexpected(token: Token, expected: string, hint = ""): SyntaxError {
    const got = token.kind === "end" ? "the end" : JSON.stringify(token.written);
    return this.problem(token, `expected ${expected}, got ${got}.${hint && ` ${hint}`}`);
  }

  /** A name that a formula may give to something of its own. */
  checkFree(token: NameToken): void {
    const { name } = token;
    if (name in Object.prototype)
      throw this.problem(token, `${name} is a name that every object of JavaScript has: choose another one.`);
    if (constant(name) !== undefined) throw this.problem(token, `${name} is a number: choose another name.`);
    if (functionOf(name)) throw this.problem(token, `${name} is a function: choose another name.`);
  }

  /** Refuses variables that are neither declared nor parts. */
  checkNames(parts: ReadonlyMap<string, unknown>): void {
    const { names } = this;
    if (names === undefined) return;
    for (const [name, token] of this.used) {
      if (names.includes(name) || parts.has(name)) continue;
      const near = suggestion(name, [...names, ...parts.keys()]);
      throw this.problem(token, `${name} is not a name here: expected ${listing(names)}.${near}`);
    }
  }

  /** One expression, up to a comma outside of brackets or the end. */
  expression(): Expr {
    const base = this.stack.length;
    let value: Expr | undefined;
    for (;;) {
      value ??= this.operand();
      if (value === undefined) continue;
      const token = this.peek();
      if (token.kind === "end" || (isSign(token, ",") && !this.inCall())) {
        value = this.close(value, token);
        if (this.stack.length === base) return value;
        throw this.unclosed(token);
      }
      this.at++;
      if (token.kind !== "sign") throw this.unexpected(token, "an operator", "Write a product with *.");
      value = this.continued(value, token.sign, token);
    }
  }

  /** Whether the nearest bracket that is open is a function's. */
  private inCall(): boolean {
    return this.stack.some((frame) => frame.kind === "call" || frame.kind === "group");
  }

  /** Takes what stands where an operand must; undefined where that only opens something. */
  private operand(): Expr | undefined {
    const token = this.next();
    if (token.kind === "number") return num(token.value);
    if (token.kind === "name") return this.named(token);
    if (isSign(token, "(")) this.stack.push({ kind: "group", token });
    else if (isSign(token, "-")) return this.minus();
    else if (isSign(token, ")") && this.stack.at(-1)?.kind === "call") {
      const { called } = this.stack.at(-1) as Frame & { kind: "call" };
      throw this.unexpected(token, "an argument", `The function is ${called.takes}.`);
    } else throw this.unexpected(token, `a number, a name or "("`);
    return undefined;
  }

  /** A minus before a number is the number's own, except in -2^2. */
  private minus(): Expr | undefined {
    const following = this.peek();
    if (following.kind === "number" && !isSign(this.peek(1), "^")) {
      this.at++;
      return num(-following.value);
    }
    const top = this.stack.at(-1);
    const tight = top?.kind === "operator" && top.strength >= Strength.Product;
    this.stack.push({
      kind: "operator",
      strength: tight ? Strength.TightMinus : Strength.Minus,
      build: neg,
    });
    return undefined;
  }

  private named(token: NameToken): Expr | undefined {
    const { name } = token;
    const declared = this.names?.includes(name) ?? false;
    const following = this.peek();
    if (isSign(following, "(")) {
      const called = functionOf(name);
      if (called === undefined)
        throw this.problem(
          token,
          `${name} is not a function.${suggestion(name, functionNames) || " Write a product with *."}`,
        );
      this.at++;
      this.stack.push({ kind: "call", token, called, args: [] });
      return undefined;
    }
    if (!declared) {
      if (name === "e" && isSign(following, "^")) {
        this.at++;
        this.stack.push({ kind: "operator", strength: Strength.Exponential, build: exp });
        return undefined;
      }
      const value = constant(name);
      if (value !== undefined) return num(value);
      const called = functionOf(name);
      if (called) throw this.problem(token, `${name} is a function: write ${called.takes}.`);
      if (name in Object.prototype)
        throw this.problem(
          token,
          `${name} is a name that every object of JavaScript has: choose another one.`,
        );
    }
    if (!this.used.has(name)) this.used.set(name, token);
    const leaf = this.leaves.get(name) ?? variable(name);
    this.leaves.set(name, leaf);
    return leaf;
  }

  /** What a sign after an operand makes of it: the operand again, or undefined where another one must follow. */
  private continued(value: Expr, sign: Sign, token: Token): Expr | undefined {
    const { stack } = this;
    const operator = infix[sign];
    if (operator) {
      const [strength, build] = operator;
      const left = this.reduce(value, strength);
      stack.push({ kind: "operator", strength, build: (right) => build(left, right) });
      return undefined;
    }
    if (sign === "^") return this.power(value);
    if (comparisons[sign]) {
      const left = this.reduce(value, Strength.Sum);
      if (stack.at(-1)?.kind === "comparison")
        throw this.unexpected(token, `"?" after a comparison`, "There is one comparison in each choice.");
      stack.push({ kind: "comparison", token, sign, left });
      return undefined;
    }
    if (sign === "?") {
      const right = this.reduce(value, Strength.Sum);
      const top = stack.pop();
      if (top?.kind !== "comparison")
        throw this.unexpected(token, `a comparison before "?"`, "As in x > 0 ? x : 0.");
      stack.push({
        kind: "then",
        token,
        choose: (comparisons[top.sign] as (a: Expr, b: Expr) => Choose)(top.left, right),
      });
      return undefined;
    }
    if (sign === "=")
      throw this.unexpected(
        token,
        "an operator",
        "There is no equality; parts are named after the formula, as in p * p, p = x + 1.",
      );
    if (sign === "(") throw this.unexpected(token, "an operator", "Write a product with *.");
    const whole = this.close(value, token);
    const top = stack.pop();
    if (sign === ":") {
      if (top?.kind !== "then") throw this.unexpected(token, "an operator", `":" stands after a "?".`);
      stack.push({ kind: "otherwise", choose: (otherwise) => top.choose(whole, otherwise) });
      return undefined;
    }
    if (top?.kind === "call") {
      top.args.push(whole);
      const { most, least, takes } = top.called;
      const [short, long] = [top.args.length < least, top.args.length + (sign === "," ? 1 : 0) > most];
      if (long || (sign === ")" && short))
        throw this.problem(
          long && sign === "," ? token : top.token,
          `${top.token.name} got ${long ? "too many" : "too few"} arguments: it is ${takes}.`,
        );
      if (sign === ")") return top.called.build(top.args);
      stack.push(top);
      return undefined;
    }
    if (top?.kind === "group" && sign === ")") return whole;
    if (top !== undefined) stack.push(top);
    if (top?.kind === "group" || top?.kind === "then") throw this.unclosed(token);
    throw this.unexpected(token, "an operator or the end", `There is no "(" for it.`);
  }

  /** Ends all that an operand ends: operators, and choices whose last part it is. */
  private close(value: Expr, token: Token): Expr {
    let whole = this.reduce(value, Strength.Sum);
    for (let top = this.stack.at(-1); top?.kind === "otherwise"; top = this.stack.at(-1)) {
      this.stack.pop();
      whole = top.choose(whole);
    }
    if (this.stack.at(-1)?.kind === "comparison")
      throw this.unexpected(token, `"?" after a comparison`, "As in x > 0 ? x : 0.");
    return whole;
  }

  /** Applies the operators on top of the stack that hold at least so tightly. */
  private reduce(value: Expr, strength: Strength): Expr {
    let whole = value;
    for (
      let top = this.stack.at(-1);
      top?.kind === "operator" && top.strength >= strength;
      top = this.stack.at(-1)
    ) {
      this.stack.pop();
      whole = top.build(whole);
    }
    return whole;
  }

  /** What is missing for the bracket or choice that is open. */
  private unclosed(token: Token): SyntaxError {
    const open = this.stack.at(-1) as Frame;
    if (open.kind === "then")
      return this.unexpected(token, `":"`, `For the "?" in column ${open.token.at + 1}.`);
    const { at, written } = (open as Frame & { token: Token }).token;
    return this.unexpected(
      token,
      `")"`,
      `For ${written}${open.kind === "call" ? "(" : ""} in column ${at + 1}.`,
    );
  }

  /** The number after ^, also in brackets and with a minus. */
  private power(base: Expr): Expr {
    const bracket = this.takeSign("(");
    const minus = this.takeSign("-");
    const token = this.next();
    const exponent = token.kind === "number" ? token.value : Number.NaN;
    if (exponent !== 0.5 && !(Number.isInteger(exponent) && exponent <= mostExponent))
      throw this.unexpected(
        token,
        `a whole number up to ${mostExponent}, or 0.5, after ^`,
        "Other powers are exp(y * log(x)).",
      );
    if (bracket && !this.takeSign(")")) throw this.unexpected(this.peek(), `")" after an exponent`);
    if (isSign(this.peek(), "^"))
      throw this.unexpected(this.peek(), "an operator", "Put powers of powers in brackets.");
    const value = exponent === 0.5 ? sqrt(base) : wholePower(base, exponent);
    return minus ? div(1, value) : value;
  }
}

const isSign = (token: Token, sign: Sign): boolean => token.kind === "sign" && token.sign === sign;
