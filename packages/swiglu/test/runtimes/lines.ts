// What a suite that runs in another runtime reports, line by line, and the one place where a case is tried and reported.
export type Line =
  | { readonly kind: "case"; readonly configuration: string; readonly name: string; readonly error?: string }
  | {
      readonly kind: "backend";
      readonly configuration: string;
      readonly threads: number;
      /** How many workers were up at the end. */
      readonly helpers: number;
    }
  | { readonly kind: "refused"; readonly configuration: string; readonly error: string }
  | { readonly kind: "runtime"; readonly agent: string; readonly crossOriginIsolated: boolean | undefined }
  | { readonly kind: "end" };

export type Report = (line: Line) => void;

/** Runs a case and reports how it ended. */
export async function attempt(
  report: Report,
  configuration: string,
  { name, run }: { readonly name: string; run(): void | Promise<void> },
): Promise<void> {
  try {
    await run();
    report({ kind: "case", configuration, name });
  } catch (error) {
    report({ kind: "case", configuration, name, error: String(error) });
  }
}
