// Shows a sweep while it runs: a panel that is redrawn in a terminal, plain lines in a pipe, a file or CI, one for every tenth of a long run among them.
import type { Config } from "../config/types.js";
import type { SweepEvents } from "../records/events.js";
import type { RunRecord } from "../records/record.js";
import { printLine } from "./output.js";
import { openPanel } from "./panel.js";
import {
  advance,
  failureLine,
  type OutcomeText,
  panelText,
  remarkLine,
  resumedLine,
  runLine,
  type SweepEvent,
  startState,
} from "./progress.js";
import { Tenths } from "./tenths.js";

/** At most this often, in milliseconds, the panel is redrawn. */
const REDRAW_INTERVAL = 100;

export interface LiveView extends SweepEvents {
  /** Clears the panel; nothing is shown afterwards. */
  end(): void;
}

/**
 * A view of the sweep of a configuration.
 *
 * @param kept the records that were there before
 * @param outcomeOf what is said of a run that ended
 */
export function liveView(config: Config, kept: readonly RunRecord[], outcomeOf?: OutcomeText): LiveView {
  const panel = openPanel();
  const tenths = new Tenths();
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  let state = startState(config, kept);
  let drawn = 0;
  const redraw = (): void => {
    drawn = performance.now();
    panel?.draw(panelText(state, elapsed(), panel.size));
  };
  const timer = panel && setInterval(redraw, 1000);
  const say = (line: string): void => {
    if (panel === undefined) {
      printLine(line);
      tenths.heard();
    } else {
      panel.persist(line);
      redraw();
    }
  };
  const apply = (event: SweepEvent): void => {
    state = advance(state, event);
    if (panel !== undefined && performance.now() - drawn > REDRAW_INTERVAL) redraw();
  };
  return {
    started: (run, steps) => {
      tenths.begin(run, steps);
      apply({ type: "started", run });
    },
    resumed: (run, step, curve) => {
      tenths.resume(run, step);
      apply({ type: "resumed", run, step, curve });
      say(resumedLine(state, run, step));
    },
    progress: (run, step, loss) => {
      apply({ type: "progress", run, step, loss });
      const line = panel === undefined ? tenths.lineAt(run, step, loss) : undefined;
      if (line !== undefined) say(line);
    },
    remark: (run, message) => say(remarkLine(run, message)),
    trouble: say,
    returned: (run) => apply({ type: "returned", run }),
    finished: (record) => {
      apply({ type: "ended", run: record, how: record.status });
      say(runLine(state, record, elapsed(), outcomeOf));
    },
    failed: (run, message) => {
      apply({ type: "ended", run, how: "failed" });
      say(failureLine(state, run, message));
    },
    end: () => {
      clearInterval(timer);
      panel?.end();
    },
  };
}
