// A training run: the state of AdamW in host memory and a compiled graph, of which one call is one training step.
import { type AdamwOptions, adamw } from "./adamw.js";
import { gradient } from "./gradient.js";
import { type Parameter, ParameterLayout } from "./parameters.js";
import { type CompileOptions, compile, type Data, type Program, type Runtime } from "./session.js";
import { input, type Tensor } from "./tensor.js";

export interface TrainingDefinition extends AdamwOptions {
  readonly parameters: readonly Parameter[];
  /** The scalar to minimise, from the parameters by name; its own inputs are fed to every step. */
  readonly loss: (parameters: Readonly<Record<string, Tensor>>) => Tensor;
}

export interface StepResult {
  readonly loss: number;
  /** Length of the gradient before clipping. */
  readonly gradientNorm: number;
  /** False if loss or gradient was not finite: then nothing has changed. */
  readonly applied: boolean;
}

/** Everything that a run needs to continue: three flat arrays and the number of steps that were applied. */
export interface TrainingState {
  parameters: Float32Array;
  firstMoment: Float32Array;
  secondMoment: Float32Array;
  steps: number;
}

/**
 * Trains parameters with AdamW on a runtime.
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

  /** Builds and loads the graph of one step: loss, gradient, AdamW. Parameters start at zero. */
  static async create(
    runtime: Runtime,
    definition: TrainingDefinition,
    options: CompileOptions = {},
  ): Promise<Training> {
    const layout = new ParameterLayout(definition.parameters);
    const training = new Training(layout, runtime, definition, options);
    await training.graph(definition.loss);
    return training;
  }

  /**
   * Builds and loads another graph of a step, for the same parameters and moments: as of batches of another size, since shapes
   * are static. It is to be handed to `step`, and is released with the training.
   */
  async graph(loss: TrainingDefinition["loss"]): Promise<Program> {
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
   * One step of training: forward, backward and AdamW in one call of the runtime.
   *
   * @param graph that of the definition's loss, or one of `graph`
   */
  async step(feeds: Data, learningRate: number, graph = this.graphs[0]!): Promise<StepResult> {
    const { state, spare } = this;
    const { beta1 = 0.9, beta2 = 0.999 } = this.definition;
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
    const applied = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (applied) {
      this.spare = old;
      Object.assign(state, spare, { steps: steps + 1 });
    }
    return { loss, gradientNorm, applied };
  }

  async dispose(): Promise<void> {
    for (const graph of this.graphs) await graph.dispose();
  }
}
