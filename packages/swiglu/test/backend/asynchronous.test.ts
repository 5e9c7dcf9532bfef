// What a backend costs that answers with promises: this one calls the reference, later. It passes the suite of all backends.
import { setImmediate as later } from "node:timers/promises";
import { afterAll, describe, test } from "vitest";
import { BackendFacade, type BackendParts } from "../../src/backend/facade.js";
import type { BackwardCall, BlockParts } from "../../src/block/facade.js";
import type { BlockPlan } from "../../src/block/plan.js";
import type { ActivationPlan } from "../../src/call/check.js";
import type { Named } from "../../src/call/data.js";
import { ReferenceParts } from "../../src/reference/backend.js";
import { conformanceCases } from "../conformance/index.js";

class LaterParts implements BackendParts {
  readonly name = "later";
  readonly made = "await later()";
  readonly threads = 1;
  private readonly now = new ReferenceParts();

  async forward(plan: ActivationPlan, out: Named) {
    await later();
    this.now.forward(plan, out);
  }

  async backward(plan: ActivationPlan, dy: Named, gradients: readonly Named[], parameterGradients: boolean) {
    await later();
    return this.now.backward(plan, dy, gradients, parameterGradients);
  }

  tensor(data: Float32Array, shape: readonly number[]) {
    return this.now.tensor(data, shape);
  }

  async block(plan: BlockPlan): Promise<BlockParts<unknown>> {
    const now = this.now.block(plan);
    return {
      forward: async (x: Named, rows: number, y: Named) => {
        await later();
        await now.forward(x, rows, y);
      },
      record: async (x: Named, rows: number, y: Named) => {
        await later();
        return now.record(x, rows, y);
      },
      backward: async (kept: unknown, call: BackwardCall) => {
        await later();
        return now.backward(kept, call);
      },
      release: (kept: unknown) => now.release(kept),
      dispose: () => now.dispose(),
    };
  }

  dispose() {
    this.now.dispose();
  }
}

describe("a backend that answers with promises", () => {
  const backend = new BackendFacade(new LaterParts());
  afterAll(() => backend.dispose());
  for (const { name, run } of conformanceCases()) test(name, () => run(backend));
});
