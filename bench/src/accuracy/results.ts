// What checking a function found: the worst errors in units of the bound, and how much has been checked.

/** One result at one point. */
export interface Finding {
  /** The variables' values, in order: inputs, parameters, and for gradients dy. */
  readonly at: readonly string[];
  readonly got: string;
  readonly exact: string;
  /** The error over the bound: more than 1 violates it. Infinite where a result is not finite though it should be. */
  readonly error: string;
}

/** One output (the value, or the gradient in one variable) of one variant of SIMD. */
export interface Outcome {
  readonly checked: number;
  readonly violations: number;
  /** Violations that remain where the bound's last term has |up| |dy|, rather than the greater of the two. */
  readonly remaining: number;
  readonly worst?: Finding;
  /** The first few violations. */
  readonly examples: readonly Finding[];
}

/** Outcomes by output and SIMD variant, such as `value, plain`. */
export type Outcomes = Readonly<Record<string, Outcome>>;

export const maximumExamples = 5;

const worse = (a: Finding | undefined, b: Finding | undefined): Finding | undefined =>
  a === undefined || (b !== undefined && Number(b.error) > Number(a.error)) ? b : a;

/** Two parts of a function's inputs together. */
export function merge(a: Outcomes, b: Outcomes): Outcomes {
  const merged: Record<string, Outcome> = { ...a };
  for (const [key, outcome] of Object.entries(b)) {
    const before = merged[key];
    if (before === undefined) {
      merged[key] = outcome;
      continue;
    }
    const worst = worse(before.worst, outcome.worst);
    merged[key] = {
      checked: before.checked + outcome.checked,
      violations: before.violations + outcome.violations,
      remaining: before.remaining + outcome.remaining,
      ...(worst && { worst }),
      examples: [...before.examples, ...outcome.examples].slice(0, maximumExamples),
    };
  }
  return merged;
}

/** Which inputs of a function: a part of all float32 bit patterns, or seeded points for functions of two inputs. */
export type Part =
  | { readonly kind: "bits"; readonly from: number; readonly to: number; readonly stride: number }
  | { readonly kind: "points"; readonly seed: number; readonly count: number };

/** A function on its way: what is left to check, and what was found so far. */
export interface Progress {
  /** Every how many-th bit pattern; 1 is all of them, 0 stands for seeded points. */
  readonly stride: number;
  readonly left: readonly number[];
  readonly parts: number;
  /** Which kernels were checked; a change of the code that makes them begins again. */
  readonly code: string;
  readonly seconds: number;
  readonly outcomes: Outcomes;
}

/** All functions by name. */
export type Results = Readonly<Record<string, Progress>>;
