// Float64 values of expressions over whole arrays, some ten times as fast as a tape: JavaScript written for the
// expressions and compiled by the engine. It calls the library's own functions, and is compared with a tape when made.
import { compile, expressions as e } from "swiglu";
import * as special from "../../../packages/swiglu/dist/expression/special.js";

/** Reads the variables' columns, writes one column for each expression. */
export type Exact = (variables: readonly Columns[], outputs: readonly Float64Array[], count: number) => void;
type Columns = ArrayLike<number>;

const call =
  (name: string) =>
  (...operands: string[]): string =>
    `${name}(${operands.join(", ")})`;
const infix =
  (operator: string) =>
  (a: string, b: string): string =>
    `${a} ${operator} ${b}`;

/** JavaScript for each operation; those not here are functions of the library's float64 reference. */
const rules: Readonly<Record<string, (...operands: string[]) => string>> = {
  neg: (a) => `-${a}`,
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: infix("/"),
  relu: (a) => `Math.max(0, ${a})`,
  clamp: (a, low, high) => `Math.min(Math.max(${a}, ${low}), ${high})`,
  selectGreater: (a, b, then, otherwise) => `${a} > ${b} ? ${then} : ${a} <= ${b} ? ${otherwise} : NaN`,
  ...Object.fromEntries(
    ["abs", "exp", "expm1", "log", "sqrt", "tanh", "atan", "min", "max"].map((name) => [
      name,
      call(`Math.${name}`),
    ]),
  ),
};

/** Throws an Error if it differs anywhere from a tape of the same expressions. */
export function exactly(expressions: readonly e.Expr[], variables: readonly string[]): Exact {
  const names = new Map<e.Expr, string>();
  const lines = e.schedule(expressions).map((node, i) => {
    const name = `v${i}`;
    names.set(node, name);
    if (node.op === "num") return `const ${name} = ${node.value};`;
    if (node.op === "variable") return `const ${name} = variables[${variables.indexOf(node.name)}][i];`;
    const operands = node.args.map((arg) => names.get(arg)!);
    const rule = rules[node.op] ?? call(`special.${node.op}`);
    return `const ${name} = ${rule(...operands)};`;
  });
  const writes = expressions.map((expression, k) => `outputs[${k}][i] = ${names.get(expression)};`);
  const body = `for (let i = 0; i < count; i++) { ${[...lines, ...writes].join("\n")} }`;
  const made = new Function("special", "variables", "outputs", "count", body);
  const exact: Exact = (columns, outputs, count) => made(special, columns, outputs, count);
  compare(exact, expressions, variables);
  return exact;
}

function compare(exact: Exact, expressions: readonly e.Expr[], variables: readonly string[]): void {
  const tape = compile(expressions, variables);
  const values = [0, -0, 0.3, -1.2, 5, -40, 100, -1e5, 1e-40, 3e38, -3e38, Infinity, -Infinity, Number.NaN];
  const points = Array.from({ length: values.length ** 2 }, (_, i) =>
    variables.map((_, k) => values[Math.floor(i / values.length ** (k % 2)) % values.length]!),
  );
  const outputs = expressions.map(() => new Float64Array(points.length));
  exact(
    variables.map((_, k) => points.map((point) => point[k]!)),
    outputs,
    points.length,
  );
  points.forEach((point, i) => {
    const expected = tape.run(point);
    outputs.forEach((column, k) => {
      if (!Object.is(column[i], expected[k]))
        throw new Error(
          `expression ${k} at ${variables} = ${point} is ${column[i]}, on a tape ${expected[k]}`,
        );
    });
  });
}
