// Random expressions for property tests: every operation, a few variables, tame constants.
import fc from "fast-check";
import { apply, arity, type Expr, num, type Operation, variable } from "../../src/expression/expr.js";

export const names = ["x", "y", "beta"] as const;

/** Expressions of at most `depth` levels over `names`. */
export const expression = (depth = 4): fc.Arbitrary<Expr> =>
  fc.letrec<{ tree: Expr }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: depth, depthIdentifier: "expression" },
      fc.constantFrom(...names).map(variable),
      fc.constantFrom(0, 1, -1, 0.5, 2, -3.25, 1e-3).map(num),
      fc
        .constantFrom(...(Object.keys(arity) as Operation[]))
        .chain((op) =>
          fc.tuple(...Array.from({ length: arity[op] }, () => tie("tree"))).map((args) => apply(op, args)),
        ),
    ),
  })).tree;

/** Values for the variables, on a grid that keeps away from 0 by more than the steps of numerical derivatives. */
export const point = fc.tuple(
  ...names.map(() => fc.integer({ min: -256, max: 255 }).map((i) => i / 64 + 1 / 128)),
);
