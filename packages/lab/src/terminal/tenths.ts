// How far runs are, for a pipe or a file, where no panel is drawn: a line at every tenth of a run, so that a long run is
// not silent; not more often than every few seconds, so that short runs do not bury what came of them.
import { runKey } from "../records/record.js";
import type { Run } from "../records/run.js";

/** Milliseconds of silence before the line of a tenth. */
const SILENCE = 5_000;

export class Tenths {
  private readonly runs = new Map<string, { readonly steps: number; told: number }>();
  private last: number;

  constructor(private readonly clock: () => number = () => performance.now()) {
    this.last = clock();
  }

  /** Something else was printed. */
  heard(): void {
    this.last = this.clock();
  }

  /** A run of `steps` steps begins. */
  begin(run: Run, steps: number): void {
    this.runs.set(keyOf(run), { steps, told: 0 });
  }

  /** It goes on after steps that were done before, which is told elsewhere. */
  resume(run: Run, step: number): void {
    const known = this.runs.get(keyOf(run));
    if (known !== undefined) known.told = tenthOf(step, known.steps);
  }

  /** The line of a run whose next tenth is done; undefined where there is nothing to say. */
  lineAt(run: Run, step: number, loss: number): string | undefined {
    const known = this.runs.get(keyOf(run));
    if (known === undefined || this.clock() - this.last < SILENCE) return undefined;
    const tenth = tenthOf(step, known.steps);
    if (tenth <= known.told) return undefined;
    known.told = tenth;
    return `${run.variant}, seed ${run.seed}: step ${step} of ${known.steps}, loss ${loss.toFixed(3)}`;
  }
}

const keyOf = ({ variant, seed }: Run): string => runKey(variant, seed);

const tenthOf = (step: number, steps: number): number => Math.floor((10 * step) / steps);
