// A formula out of a graph, matched against the catalogue by evaluating both: names of nodes play no part.
import type { Activation } from "../../catalogue/activation.js";
import { activations } from "../../catalogue/catalogue.js";
import { limitsOf } from "../../catalogue/limits.js";
import { evaluate } from "../../scalar.js";
import type { Cone } from "./cone.js";

/** What a formula is: a catalogue's entry, and which of two sources is the gate. */
export interface Match {
  readonly activation: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** Whether the first source is gate; undefined for a formula of one variable, or where both ways are the same. */
  readonly gateFirst: boolean | undefined;
}

/** Points that separate every pair of the catalogue's forms, limits from 1 to 30 among them. */
const pairs: readonly (readonly [gate: number, up: number])[] = [
  [-9, 1000],
  [30, -30],
  [-30, 1e6],
  [-2.75, 64],
  [-3, 64],
  [1.5, -2],
  [-1.5, 2],
  [0.5, 3],
  [-0.25, 8],
  [8, 1],
  [4.5, -4.5],
  [6, 5.5],
  [12, 9],
  [-2, -40],
  [0.1, -0.1],
];
const singles: readonly number[] = [
  -30, -9, -4, -3, -2.75, -1.5, -0.7, -0.25, 0, 0.1, 0.5, 1.5, 3, 4.5, 8, 12, 30,
];

/** float32 constants and cancellation inside a decomposed formula account for this much. */
const close = (got: number, wanted: number, scale: number): boolean =>
  Math.abs(got - wanted) <= 2e-6 * Math.abs(wanted) + 1e-9 * (1 + scale);

/** What tells one formula from another: its values at the points, and its constants, from which parameters are taken. */
export function fingerprint({ sources, constants, value }: Cone): string {
  const values = sources.length === 2 ? pairs.map(value) : singles.map((x) => value([x]));
  return [sources.length, ...values, ...constants].join();
}

/** The catalogue's entry that computes the same; undefined where none does. */
export function matchCone(cone: Cone): Match | undefined {
  const found = Object.values(activations as Readonly<Record<string, Activation>>)
    .filter(({ kind, self }) => self === undefined && (kind === "gated") === (cone.sources.length === 2))
    .sort((a, b) => Object.keys(a.parameters).length - Object.keys(b.parameters).length);
  for (const activation of found)
    for (const parameters of choices(activation, cone.constants)) {
      const ways = activation.kind === "unary" ? [undefined] : [true, false];
      const fitting = ways.filter((gateFirst) => computes(cone, activation, parameters, gateFirst));
      if (fitting.length === 2)
        return { activation: activation.name, parameters: own(activation, parameters), gateFirst: undefined };
      if (fitting.length === 1)
        return {
          activation: activation.name,
          parameters: own(activation, parameters),
          gateFirst: fitting[0],
        };
    }
  return unaryGate(cone);
}

/** A unary activation of the catalogue times up: gated forms without an entry of their own. */
function unaryGate(cone: Cone): Match | undefined {
  if (cone.sources.length !== 2) return undefined;
  for (const activation of Object.values(activations as Readonly<Record<string, Activation>>)) {
    if (activation.kind !== "unary") continue;
    for (const parameters of choices(activation, cone.constants))
      for (const gateFirst of [true, false]) {
        const same = pairs.every(([gate, up]) => {
          const wanted = evaluate(activation, { x: gate } as never, parameters as never) * up;
          return close(cone.value(gateFirst ? [gate, up] : [up, gate]), wanted, Math.abs(up));
        });
        if (same) return { activation: activation.name, parameters: own(activation, parameters), gateFirst };
      }
  }
  return undefined;
}

function computes(
  cone: Cone,
  activation: Activation,
  parameters: Readonly<Record<string, number>>,
  gateFirst: boolean | undefined,
): boolean {
  if (gateFirst === undefined)
    return singles.every((x) =>
      close(cone.value([x]), evaluate(activation, { x } as never, parameters as never), Math.abs(x)),
    );
  return pairs.every(([gate, up]) => {
    const wanted = evaluate(activation, { gate, up } as never, parameters as never);
    return close(cone.value(gateFirst ? [gate, up] : [up, gate]), wanted, Math.abs(up));
  });
}

/** More combinations than any of the catalogue's forms needs for the constants that formulas have. */
const mostChoices = 3000;

/** Parameters to try: the defaults, what the formula's own constants offer for each, and what leaves no constant behind. */
function* choices(
  activation: Activation,
  constants: readonly number[],
): Generator<Readonly<Record<string, number>>> {
  const names = Object.keys(activation.parameters);
  const rounded = constants
    .map((value) => Number(Math.abs(value).toPrecision(7)))
    .filter((value) => value > 0 && Number.isFinite(value));
  const values = [...new Set(rounded)].slice(0, 12);
  let all: Record<string, number>[] = [{}];
  for (const name of names) {
    const absent = limitsOf(activation).has(name) ? [Infinity] : name === "offset" ? [0] : [];
    const options = [activation.parameters[name] as number, ...values, ...absent];
    all = all.flatMap((chosen) => [...new Set(options)].map((value) => ({ ...chosen, [name]: value })));
    if (all.length > mostChoices) return;
  }
  yield* all;
}

/** The parameters that are not the defaults of a form without constants of its own: limits and slopes are always named. */
function own(
  activation: Activation,
  parameters: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const plain = Object.entries(parameters).every(
    ([name, value]) => name === "beta" && value === activation.parameters[name],
  );
  return plain ? {} : parameters;
}
