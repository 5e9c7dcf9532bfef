// The conformance suite: what every backend must do, as named cases that run under any test runner or in a page.
// A backend's test is a loop: for (const { name, run } of conformanceCases()) test(name, () => run(backend)).
import {
  type Activation,
  activations,
  type Backend,
  defineActivation,
  expressions as e,
} from "../../src/index.js";
import { arrayCases } from "./arrays.js";
import { elementwiseCases, overflowCases } from "./elementwise.js";
import { emptyBlockCases, emptyElementwiseCases, emptyOutputs } from "./empty.js";
import { type Extent, slowExtent } from "./extent.js";
import { ffnCases } from "./ffn.js";
import { memoryCases } from "./memory.js";
import { mistakeCases } from "./mistakes.js";

export interface ConformanceCase {
  readonly name: string;
  run(backend: Backend): Promise<void>;
}

/** User-defined activations, which must behave like the catalogue's; between them they use every other operation. */
export const userDefined: readonly Activation[] = [
  defineActivation({
    name: "userUnary",
    kind: "unary",
    parameters: { slope: 0.7 },
    expression: e.div("x", e.sqrt(e.add(1, e.mul(e.mul("slope", "slope"), e.mul(e.tanh("x"), e.tanh("x")))))),
  }),
  defineActivation({
    name: "userGated",
    kind: "gated",
    expression: e.mul(
      e.log(e.add(1.5, e.sigmoid("gate"))),
      e.max(e.abs(e.atan("up")), e.exp(e.neg(e.abs("up")))),
    ),
  }),
];

/**
 * All cases. `units` multiplies the design's error bound (1 unless a backend states a wider one); `extent` is how many points
 * each case takes (by default what slow backends take).
 */
export function conformanceCases({
  units = 1,
  extent = slowExtent,
}: {
  units?: number;
  extent?: Extent;
} = {}): ConformanceCase[] {
  return [
    ...[...Object.values(activations), ...userDefined].flatMap((activation, turn) =>
      elementwiseCases(activation, { units }, { extent, turn }),
    ),
    ...overflowCases({ units }),
    ...emptyElementwiseCases(),
    ...memoryCases(activations.swiglu),
    ...arrayCases(),
    ...ffnCases(extent),
    ...emptyBlockCases(),
    emptyOutputs,
    ...mistakeCases(),
  ];
}
