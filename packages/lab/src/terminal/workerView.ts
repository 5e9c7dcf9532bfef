// What a worker of a queue says: a line for every run that ends, and, in a terminal, what it has in hand.
import type { SweepEvents } from "../records/events.js";
import { outcomeText, remarkLine } from "./progress.js";

/** A view of a worker: lines without totals, for a worker does not know how much there is to do. */
export function workerView(output: NodeJS.WriteStream): SweepEvents {
  const say = (line: string): void => void output.write(`${line}\n`);
  return {
    started: (run) => say(remarkLine(run, "started")),
    resumed: (run, step) => say(remarkLine(run, `goes on after step ${step}`)),
    progress: () => {},
    remark: (run, message) => say(remarkLine(run, message)),
    finished: (record) => say(remarkLine(record, outcomeText(record))),
    failed: (run, message) => say(remarkLine(run, `failed: ${message}`)),
    returned: () => {},
    trouble: say,
  };
}
