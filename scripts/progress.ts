// What a test run prints: how far it is, failures in full, and one closing line, "N passed, N failed, N skipped", alone on its
// line. On a terminal the progress is one line that changes; elsewhere a line every half minute, later every two.
import { Writable } from "node:stream";
import {
  DefaultReporter,
  type RunnerTestFile,
  type TestCase,
  type TestModule,
  type TestSpecification,
  type Vitest,
} from "vitest/node";

const seconds = (milliseconds: number): string => `${Math.round(milliseconds / 1000)} s`;

export class Progress extends DefaultReporter {
  readonly #running = new Set<string>();
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };
  /** What test processes print to standard error themselves, such as a driver's warnings. */
  readonly #aside: Buffer[] = [];
  #files = { all: 0, ended: 0 };
  #began = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    super({ summary: false });
  }

  override onInit(context: Vitest): void {
    this.ctx = context;
    // What passing tests print is not what a reader looks for; what failing ones print comes with their errors.
    this.silent ??= "passed-only";
    context.logger.errorStream = new Writable({
      write: (chunk: Buffer, _, done) => {
        this.#aside.push(chunk);
        done();
      },
    });
  }

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    super.onTestRunStart(specifications);
    this.#began = performance.now();
    this.#files = { all: specifications.length, ended: 0 };
    Object.assign(this.#counts, { passed: 0, failed: 0, skipped: 0 });
    this.#wait();
  }

  onTestModuleStart(module: TestModule): void {
    this.#running.add(this.relative(module.moduleId));
  }

  override onTestCaseResult(test: TestCase): void {
    super.onTestCaseResult(test);
    const { state } = test.result();
    if (state !== "pending") this.#counts[state]++;
  }

  override onTestModuleEnd(module: TestModule): void {
    super.onTestModuleEnd(module);
    this.#running.delete(this.relative(module.moduleId));
    this.#files.ended++;
  }

  override onTestRunEnd(...ended: Parameters<DefaultReporter["onTestRunEnd"]>): void {
    clearTimeout(this.#timer);
    if (this.isTTY) process.stderr.write("\r\u001b[K");
    if (ended[2] === "failed" && this.#aside.length > 0) {
      process.stderr.write("Test processes printed:\n");
      process.stderr.write(Buffer.concat(this.#aside.splice(0)));
    }
    super.onTestRunEnd(...ended);
  }

  /** Says at once that a file failed; what failed in it comes at the end, in full. */
  override printTestModule(module: TestModule): void {
    if (module.state() !== "failed") return;
    this.log(`${this.isTTY ? "\r\u001b[K" : ""}failed: ${this.relative(module.moduleId)}`);
  }

  override reportTestSummary(files: RunnerTestFile[], errors: unknown[]): void {
    const { passed, failed, skipped } = this.#counts;
    const broken = files.filter(({ result }) => result?.errors?.length).length;
    const { added, matched, unmatched, updated } = this.ctx.snapshot.summary;
    if (added + updated > 0)
      this.log(`Snapshots: ${added} written, ${updated} updated, ${matched} equal, ${unmatched} different`);
    if (broken + errors.length > 0)
      this.log(`${broken} files could not be read, ${errors.length} errors outside of tests`);
    const time = `${this.#files.all} files in ${seconds(performance.now() - this.#began)}`;
    this.log(time);
    this.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }

  #wait(): void {
    const passed = performance.now() - this.#began;
    const pause = this.isTTY ? 250 : passed < 170_000 ? 30_000 : 120_000;
    this.#timer = setTimeout(() => {
      this.#show();
      this.#wait();
    }, pause).unref();
  }

  #show(): void {
    const { passed, failed } = this.#counts;
    const bad = failed > 0 ? `, ${failed} failed` : "";
    const line = `${seconds(performance.now() - this.#began)}: ${this.#files.ended} of ${this.#files.all} files, ${passed} tests passed${bad}`;
    const names = [...this.#running].map((file) =>
      file.replace(/^packages\/|\.test\.ts$/g, "").replace("/test/", "/"),
    );
    const running = names.length > 0 ? `; running ${names.join(", ")}` : "";
    if (!this.isTTY) process.stderr.write(`${line}${running}\n`);
    else
      process.stderr.write(`\r\u001b[K${`${line}${running}`.slice(0, (process.stderr.columns || 80) - 1)}`);
  }
}
