// What is known of one property of a block: its value, the evidence for it, and how strong that is.

/** From strongest to weakest; "none" goes with "unknown". */
const strengths = ["graph", "tensors", "metadata", "family", "default", "none"] as const;
export type Strength = (typeof strengths)[number];

/** A value or "unknown", what says so, and how much that weighs. */
export interface Field<T> {
  readonly value: T | "unknown";
  readonly evidence: string;
  readonly strength: Strength;
}

export const field = <T>(value: T, strength: Exclude<Strength, "none">, evidence: string): Field<T> => ({
  value,
  evidence,
  strength,
});
/** Nothing says it; the evidence says what was looked at. */
export const unknown = <T>(evidence: string): Field<T> => ({ value: "unknown", evidence, strength: "none" });

/** Parameters as words: "alpha 1.702", and for a limit of Infinity "no limit". */
export const shownParameters = (parameters: Readonly<Record<string, number>>): string[] =>
  Object.entries(parameters).map(([name, value]) => (value === Infinity ? `no ${name}` : `${name} ${value}`));
