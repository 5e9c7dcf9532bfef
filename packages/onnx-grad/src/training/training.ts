// A training run: the state of AdamW in host memory and a compiled graph, of which one call is one training step.
import type { Runtime } from "swiglu/onnx";

import { gradient } from "../gradient.js";
import { kindOf } from "../graph/checks.js";
import { input, type Tensor } from "../graph/tensor.js";
import { add } from "../operations/arithmetic.js";
import { sum } from "../operations/broadcast.js";
import type { CompileOptions } from "../runtime/options.js";
import { compile, type Data, type Program } from "../runtime/program.js";
import { type AdamwOptions, adamw, adamwOptions } from "./adamw.js";
import { type Parameter, ParameterLayout } from "./parameters.js";
import { Queue } from "./queue.js";

export interface TrainingDefinition extends AdamwOptions {
  readonly parameters: readonly Parameter[];
  /** The scalar to minimise, from the parameters by name; its own inputs are fed to every step. */
  readonly loss: (parameters: Readonly<Record<string, Tensor>>) => Tensor;
}

export interface StepResult {
  readonly loss: number;
  /** Length of the gradient before clipping. */
  readonly gradientNorm: number;
  /**
   * False if the loss, the gradient, or anything that the step would have made of parameters and moments was not finite:
   * then nothing has changed, and the step does not count.
   */
  readonly applied: boolean;
}

/** Everything that a run needs to continue: three flat arrays and the number of steps that were applied. */
export interface TrainingState {
  parameters: Float32Array;
  firstMoment: Float32Array;
  secondMoment: Float32Array;
  steps: number;
}

/** The inputs of every graph that the training itself feeds. */
const reserved: ReadonlySet<string> = new Set([
  ...["parameters", "firstMoment", "secondMoment"],
  ...["learningRate", "correction1", "correction2"],
]);

/**
 * Trains parameters with AdamW on a runtime. Calls queue: each begins when those before it have ended, failed ones too.
 * Example:
 *
 *     const training = await Training.create(ort, { parameters, loss, weightDecay: 0.05, clipNorm: 1 });
 *     training.parameter("w").set(initialWeights);
 *     const { loss } = await training.step({ images, labels }, 1e-3);
 */
export class Training {
  readonly state: TrainingState;
  private spare: Omit<TrainingState, "steps">;
  private readonly graphs: Program[] = [];
  private readonly queue = new Queue("this training is disposed: create a new one with Training.create");

  private constructor(
    readonly layout: ParameterLayout,
    private readonly runtime: Runtime,
    private readonly definition: TrainingDefinition,
    private readonly options: CompileOptions,
  ) {
    const empty = () => ({
      parameters: new Float32Array(layout.size),
      firstMoment: new Float32Array(layout.size),
      secondMoment: new Float32Array(layout.size),
    });
    this.state = { ...empty(), steps: 0 };
    this.spare = empty();
  }

  /**
   * Builds and loads the graph of one step: loss, gradient, AdamW. Parameters start at zero. Errors name an option of
   * AdamW that is not in its range.
   */
  static async create(
    runtime: Runtime,
    definition: TrainingDefinition,
    options: CompileOptions = {},
  ): Promise<Training> {
    adamwOptions(definition);
    const layout = new ParameterLayout(definition.parameters);
    const training = new Training(layout, runtime, definition, options);
    await training.graph(definition.loss);
    return training;
  }

  /**
   * Builds and loads another graph of a step for the same parameters and moments, for example for batches of another size, since
   * shapes are static. Hand it to `step`; it is released with the training.
   */
  graph(loss: TrainingDefinition["loss"]): Promise<Program> {
    return this.queue.add(() => this.build(loss));
  }

  private async build(loss: TrainingDefinition["loss"]): Promise<Program> {
    const { layout, definition } = this;
    const state = {
      parameters: input("parameters", [layout.size]),
      firstMoment: input("firstMoment", [layout.size]),
      secondMoment: input("secondMoment", [layout.size]),
    };
    const schedule = {
      learningRate: input("learningRate", []),
      correction1: input("correction1", []),
      correction2: input("correction2", []),
    };
    const value = loss(layout.unpack(state.parameters));
    if (value?.dtype !== "float32" || value.size !== 1) {
      const found = value?.dtype ? `${value.dtype} [${value.shape}]` : kindOf(value);
      throw new TypeError(`the loss is ${found}, expected a float32 scalar; reduce it, e.g. with mean`);
    }
    const [flat] = gradient(value, [state.parameters]);
    const next = adamw(state, flat!, schedule, layout.decayed, definition);
    const program = await compile(
      this.runtime,
      {
        loss: value,
        gradientNorm: next.gradientNorm,
        newParameters: next.parameters,
        newFirstMoment: next.firstMoment,
        newSecondMoment: next.secondMoment,
        // A number that is not finite makes this sum not finite. The graph adds faster than a loop here could look at each number.
        total: add(add(sum(next.parameters), sum(next.firstMoment)), sum(next.secondMoment)),
      },
      this.options,
    );
    this.graphs.push(program);
    return program;
  }

  /** The current values of a parameter: a view to read or write, good until the next step. */
  parameter(name: string): Float32Array {
    return this.layout.view(this.state.parameters, name);
  }

  /**
   * One step of training: forward, backward and AdamW in one call of the runtime. Steps that overlap are taken one after the
   * other, in the order of the calls; the arrays of the feeds must stay as they are until the promise is settled. Errors
   * name a learning rate that is not a finite number from 0 on, and feeds that do not fit; a step that fails changes nothing.
   *
   * @param graph that of the definition's loss, or one of `graph`
   */
  step(feeds: Data, learningRate: number, graph = this.graphs[0]!): Promise<StepResult> {
    return this.queue.add(() => this.take(feeds, learningRate, graph));
  }

  private async take(feeds: Data, learningRate: number, graph: Program): Promise<StepResult> {
    const { state, spare } = this;
    const { beta1, beta2 } = adamwOptions(this.definition);
    if (typeof learningRate !== "number" || learningRate < 0 || !Number.isFinite(Math.fround(learningRate)))
      throw new RangeError(
        `step: the learning rate is ${kindOf(learningRate)}, expected a finite number from 0 on`,
      );
    if (!this.graphs.includes(graph))
      throw new TypeError(
        "step: the graph is not one of this training; make it with the training's own graph()",
      );
    if (!Number.isSafeInteger(state.steps) || state.steps < 0)
      throw new RangeError(`step: state.steps is ${state.steps}, expected a whole number from 0 on`);
    for (const name of Object.keys(feeds ?? {}))
      if (reserved.has(name))
        throw new TypeError(`step: "${name}" cannot be fed; the training gives it to the graph itself`);
    const { steps, ...old } = state;
    const results = await graph.run(
      {
        ...feeds,
        ...old,
        learningRate: [learningRate],
        correction1: [1 - beta1 ** (steps + 1)],
        correction2: [1 - beta2 ** (steps + 1)],
      },
      {
        newParameters: spare.parameters,
        newFirstMoment: spare.firstMoment,
        newSecondMoment: spare.secondMoment,
      },
    );
    const loss = Number(results.loss![0]);
    const gradientNorm = Number(results.gradientNorm![0]);
    const applied =
      Number.isFinite(loss) &&
      Number.isFinite(gradientNorm) &&
      // The sum of finite numbers may overflow. Only then every number is looked at.
      (Number.isFinite(results.total![0]) ||
        Object.values(spare).every((array) => array.every(Number.isFinite)));
    if (applied) {
      this.spare = old;
      Object.assign(state, spare, { steps: steps + 1 });
    }
    return { loss, gradientNorm, applied };
  }

  /** Frees the graphs, after the steps that were asked for before. Later calls are errors; a second one does nothing. */
  async dispose(): Promise<void> {
    await this.queue.close(async () => {
      for (const graph of this.graphs) await graph.dispose();
    });
  }
}
