// Shows a sweep while it runs: a panel that is redrawn in a terminal, plain lines in a pipe, a file or CI.
import { createLogUpdate } from "log-update";
import type { PoolEvents } from "../sweep/pool.js";
import { advance, failureLine, panelText, runLine, type SweepEvent, startState } from "./progress.js";

/** At most this often, in milliseconds, the panel is redrawn. */
const REDRAW_INTERVAL = 100;

export interface LiveView extends PoolEvents {
  /** Clears the panel; nothing is shown afterwards. */
  end(): void;
}

/** A view of a sweep of `total` runs, `kept` of which were there before, worked on by `slots` processes. */
export function liveView(
  output: NodeJS.WriteStream,
  { total, kept, stepsPerRun, slots }: { total: number; kept: number; stepsPerRun: number; slots: number },
): LiveView {
  const isScreen = output.isTTY && output.columns > 0 && !process.env.CI;
  const panel = isScreen ? createLogUpdate(output) : undefined;
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  let state = startState(total, kept, stepsPerRun, slots);
  let drawn = 0;
  const redraw = (): void => {
    drawn = performance.now();
    panel?.(panelText(state, elapsed()));
  };
  const timer = panel && setInterval(redraw, 1000);
  const apply = (event: SweepEvent, line?: () => string): void => {
    state = advance(state, event);
    if (panel === undefined) {
      if (line !== undefined) output.write(`${line()}\n`);
    } else {
      if (line !== undefined) panel.persist(line());
      if (line !== undefined || performance.now() - drawn > REDRAW_INTERVAL) redraw();
    }
  };
  return {
    started: (slot, job) => apply({ type: "started", slot, job }),
    progress: (slot, step, loss) => apply({ type: "progress", slot, step, loss }),
    finished: (slot, record) => apply({ type: "finished", slot }, () => runLine(state, record, elapsed())),
    failed: (slot, job, message) => apply({ type: "failed", slot }, () => failureLine(state, job, message)),
    end: () => {
      clearInterval(timer);
      panel?.clear();
      panel?.done();
    },
  };
}
