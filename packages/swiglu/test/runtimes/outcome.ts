// Collects the suite's lines from another runtime and makes a test of each case.
import { describe, expect, test } from "vitest";
import type { Line } from "./lines.js";
import { type Configuration, caseNames, nameOf } from "./suite.js";

/** The lines that a run of the suite printed; other output is kept to be shown when it stops early. */
export class Outcome {
  private readonly lines: Line[] = [];
  private readonly other: string[] = [];

  add(printed: string): void {
    if (printed.startsWith('{"kind":')) this.lines.push(JSON.parse(printed) as Line);
    else this.other.push(printed);
  }

  get ended(): boolean {
    return this.lines.some(({ kind }) => kind === "end");
  }

  /** What was printed beside the suite's lines: warnings, violations of the page's policy. */
  get noise(): string {
    return this.other.join("\n");
  }

  /** The lines of a kind, of one configuration or of all. */
  of<K extends Line["kind"]>(kind: K, configuration?: string): Extract<Line, { kind: K }>[] {
    return this.lines
      .filter((line): line is Extract<Line, { kind: K }> => line.kind === kind)
      .filter(
        (line) =>
          configuration === undefined || ("configuration" in line && line.configuration === configuration),
      );
  }
}

/** Declares the tests of some configurations: every case, and that the backend ran with the threads it should have. */
export function declareTests(
  configurations: readonly (Configuration & { readonly expected: number })[],
  outcome: () => Outcome,
): void {
  for (const { expected, ...configuration } of configurations) {
    const name = nameOf(configuration);
    describe(configuration.brief ? `${name}: large arrays only` : name, () => {
      test(`runs on ${expected} thread${expected === 1 ? "" : "s"}`, () => {
        expect(outcome().of("refused", name)).toEqual([]);
        expect(outcome().of("backend", name)[0], outcome().noise).toMatchObject({
          threads: expected,
          helpers: expected - 1,
        });
      });
      declareCases(caseNames(configuration), outcome, name);
    });
  }
}

/** Declares a test of each case: that it ran, under the configuration if one is named, and without an error. */
export function declareCases(names: readonly string[], outcome: () => Outcome, configuration?: string): void {
  test.each(names)("%s", (title) => {
    const found = outcome()
      .of("case", configuration)
      .find(({ name }) => name === title);
    expect(found, `this case did not run ${outcome().noise}`).toBeDefined();
    expect(found?.error).toBe(undefined);
  });
}
