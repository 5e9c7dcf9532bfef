// ONNX operators that compute a whole activation. An expression that equals an operator's published formula becomes that
// operator, whoever defined the expression. The formulas are those of the catalogue.
import type { Activation } from "../../catalogue/activation.js";
import { activations } from "../../catalogue/catalogue.js";
import { type Expr, expm1, mul, num, selectGreater, substitute } from "../../expression/expr.js";
import { isCommutative } from "../../expression/operations.js";
import { simplify } from "../../expression/simplify.js";
import type { OnnxAttribute } from "../model/model.js";

/** An operator with the formula it is published as. */
interface Operator {
  readonly opType: string;
  /** The opset that brought it. */
  readonly since: number;
  /** Later opsets in which ONNX Runtime cannot run it. */
  readonly except?: readonly number[];
  readonly formula: Pick<Activation, "inputs" | "parameters" | "expression">;
  /** From the formula's parameters, which must be known numbers, to the operator's float attributes. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Numbers that it takes after the formula's inputs. */
  readonly constants?: readonly number[];
  /** Attributes that select this formula. */
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Whether its inputs must have equal shapes. All others have one input. */
  readonly equalShapes?: boolean;
}

/** The operators, larger formulas first: the first one that fits is taken. */
const operators: readonly Operator[] = [
  {
    opType: "SwiGLU",
    since: 28,
    formula: activations.swiglu,
    parameters: { beta: "alpha" },
    equalShapes: true,
  },
  {
    opType: "Swish",
    since: 24,
    // ONNX Runtime 1.30, which loads opsets up to 26, knows Swish as a function whose parts changed in 25.
    except: [25, 26],
    formula: activations.swish,
    parameters: { beta: "alpha" },
  },
  { opType: "Gelu", since: 20, formula: activations.gelu },
  {
    opType: "Gelu",
    since: 20,
    formula: activations.geluTanh,
    attributes: { approximate: { string: "tanh" } },
  },
  {
    opType: "LeakyRelu",
    since: 6,
    formula: activations.leakyRelu,
    parameters: { slope: "alpha" },
  },
  { opType: "Clip", since: 12, formula: activations.relu6, constants: [0, 6] },
  { opType: "Mish", since: 18, formula: activations.mish },
  { opType: "HardSwish", since: 14, formula: activations.hardSwish },
  { opType: "Selu", since: 6, formula: activations.selu },
  {
    opType: "Elu",
    since: 6,
    formula: {
      inputs: ["x"],
      parameters: { alpha: 1 },
      expression: selectGreater("x", 0, "x", mul("alpha", expm1("x"))),
    },
    parameters: { alpha: "alpha" },
  },
];

/** Each formula in two forms: with its parameters, and simplified with their defaults, which are the operator's defaults too. */
const patterns = operators.flatMap((operator) => {
  const { expression, parameters } = operator.formula;
  const simple = simplify(expression);
  if (!operator.parameters) return [{ operator, form: simple }];
  return [
    { operator, form: simple },
    { operator, form: simplify(substitute(simple, parameters)) },
  ];
});

/** An operator that computes an expression, and the expressions that it takes. */
export interface OperatorCall {
  readonly opType: string;
  readonly inputs: readonly Expr[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** What decides whether an operator may stand for an expression. */
export interface OperatorScope {
  readonly opset: number;
  /** The attribute that holds this expression's value, or undefined where the value is not known as one. */
  readonly attribute: (value: Expr) => OnnxAttribute | undefined;
  /** Whether the expression's value has the full shape of the result. */
  readonly fullShape: (operand: Expr) => boolean;
}

/** The operator of this opset that computes the (simplified) expression, or undefined. */
export function operatorFor(expr: Expr, scope: OperatorScope): OperatorCall | undefined {
  for (const { operator, form } of patterns) {
    if (operator.since > scope.opset || operator.except?.includes(scope.opset)) continue;
    for (const bound of matches(form, expr, new Map())) {
      const call = callOf(operator, bound, scope);
      if (call) return call;
    }
  }
  return undefined;
}

function callOf(
  { opType, formula, parameters = {}, constants = [], attributes, equalShapes }: Operator,
  bound: Bindings,
  { attribute, fullShape }: OperatorScope,
): OperatorCall | undefined {
  const inputs = formula.inputs.map((name) => bound.get(name) as Expr);
  if (inputs.some((input) => attribute(input) || (equalShapes && !fullShape(input)))) return undefined;
  const given: Record<string, OnnxAttribute> = { ...attributes };
  for (const [parameter, name] of Object.entries(parameters)) {
    const value = bound.get(parameter);
    if (value === undefined) continue;
    const known = attribute(value);
    if (known === undefined) return undefined;
    given[name] = known;
  }
  return { opType, inputs: [...inputs, ...constants.map(num)], attributes: given };
}

type Bindings = ReadonlyMap<string, Expr>;

/** Every way to read `expr` as `form`: which expression each variable of the form stands for. */
function matches(form: Expr, expr: Expr, bound: Bindings): readonly Bindings[] {
  if (form.op === "variable") {
    const known = bound.get(form.name);
    if (known === undefined) return [new Map([...bound, [form.name, expr]])];
    return known === expr ? [bound] : [];
  }
  if (form.op === "num") return expr.op === "num" && expr.value === form.value ? [bound] : [];
  if (form.op !== expr.op || !("args" in expr)) return [];
  const orders = isCommutative(form.op) ? [expr.args, expr.args.toReversed()] : [expr.args];
  return orders.flatMap((args) =>
    form.args.reduce<readonly Bindings[]>(
      (found, part, i) => found.flatMap((each) => matches(part, args[i] as Expr, each)),
      [bound],
    ),
  );
}
