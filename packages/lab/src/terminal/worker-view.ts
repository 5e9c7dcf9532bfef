// What a worker of a queue says: a line for every run that begins or ends, and for every tenth of a long one.
import type { SweepEvents } from "../records/events.js";
import { printLine } from "./output.js";
import { outcomeText, remarkLine } from "./progress.js";
import { Tenths } from "./tenths.js";

/** A view of a worker: lines without totals, for a worker does not know how much there is to do. */
export function workerView(): SweepEvents {
  const tenths = new Tenths();
  const say = (line: string): void => {
    printLine(line);
    tenths.heard();
  };
  return {
    started: (run, steps) => {
      tenths.begin(run, steps);
      say(remarkLine(run, "started"));
    },
    resumed: (run, step) => {
      tenths.resume(run, step);
      say(remarkLine(run, `goes on after step ${step}`));
    },
    progress: (run, step, loss) => {
      const line = tenths.lineAt(run, step, loss);
      if (line !== undefined) say(line);
    },
    remark: (run, message) => say(remarkLine(run, message)),
    finished: (record) => say(remarkLine(record, outcomeText(record))),
    failed: (run, message) => say(remarkLine(run, `failed: ${message}`)),
    returned: () => {},
    trouble: say,
  };
}
