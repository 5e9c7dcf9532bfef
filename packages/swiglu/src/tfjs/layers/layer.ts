// What the layers have in common: an activation with its parameters, weights with their options, configuration, masks.
import * as tf from "@tensorflow/tfjs";
import type { Activation } from "../../catalogue/activation.js";
import { shown } from "../../errors.js";
import type { Tensors, Values } from "../seam.js";
import { type ActivationLike, type Config, readActivation, writeActivation } from "./config.js";
import { inLayer, titleOf, ValueError } from "./errors.js";
import {
  type ParameterLike,
  type ParameterSettings,
  parameterShape,
  readParameters,
  writeParameters,
} from "./parameters.js";
import { readWeightOptions, type WeightOptions, writeWeightOptions } from "./weights.js";

/** What every layer of TensorFlow.js takes: `inputShape`, `name`, `trainable` ... */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;
export type Kwargs = Parameters<tf.layers.Layer["call"]>[1];

/** The parameters of a layer's activation by name: fixed or trainable, for the layer or for each channel. */
export interface ParametersArgs {
  /** Text is what `getConfig` writes. */
  readonly parameters?: Readonly<Record<string, ParameterLike>> | string;
}

export abstract class ActivationLayer extends tf.layers.Layer {
  /** Tells `registerLayers` which package this class belongs to. */
  static readonly origin = "swiglu";
  readonly activation: Activation;
  protected readonly settings: ParameterSettings;
  private readonly weightOptions: Readonly<Record<string, WeightOptions>>;
  private readonly variables = new Map<string, tf.LayerVariable>();

  protected constructor(
    args: LayerArgs & ParametersArgs,
    {
      activation,
      weights = [],
    }: { readonly activation: ActivationLike; readonly weights?: readonly string[] },
  ) {
    super(args);
    this.supportsMasking = true;
    this.activation = inLayer(this, () => readActivation(activation));
    this.settings = inLayer(this, () => readParameters(this.activation, args.parameters));
    this.weightOptions = inLayer(this, () => readWeightOptions(weights, args));
  }

  /** Makes weights of the given shapes, and weights for the activation's parameters, with `channels` channels. */
  protected addWeights(
    channels: number | null,
    shapes: Readonly<Record<string, readonly number[]>> = {},
  ): void {
    for (const [name, shape] of Object.entries(shapes)) {
      const { initializer, regularizer, constraint } = this.weightOptions[name] as WeightOptions;
      const variable = this.addWeight(
        name,
        [...shape],
        "float32",
        initializer,
        regularizer,
        true,
        constraint,
      );
      this.variables.set(name, variable);
    }
    for (const [name, setting] of Object.entries(this.settings)) {
      const shape = inLayer(this, () => parameterShape(name, setting, channels));
      if (shape === undefined) continue;
      const { value, trainable, regularizer, constraint } = setting;
      const start = typeof value === "number" ? value : 0;
      const initializer = setting.initializer ?? tf.initializers.constant({ value: start });
      const variable = this.addWeight(
        name,
        shape,
        "float32",
        initializer,
        regularizer,
        trainable !== false,
        constraint,
      );
      if (typeof value !== "number" && setting.initializer === undefined)
        tf.tidy(() => {
          variable.write(tf.tensor1d([...value]));
        });
      this.variables.set(name, variable);
    }
    this.built = true;
  }

  /** A weight's tensor; undefined where the layer has none of that name. */
  protected weight(name: string): tf.Tensor | undefined {
    return this.variables.get(name)?.read();
  }

  /** The layer's weights under the names that a function takes them by; weights that the layer lacks are left out. */
  protected tensors(names: Readonly<Record<string, string>>): Tensors {
    const pairs = Object.entries(names).map(([to, from]) => [to, this.weight(from)] as const);
    return Object.fromEntries(
      pairs.filter((pair): pair is readonly [string, tf.Tensor] => pair[1] !== undefined),
    );
  }

  /** The activation's parameters now. */
  protected parameterValues(): Values {
    return Object.fromEntries(
      Object.entries(this.settings).map(([name, { value }]) => [
        name,
        this.weight(name) ?? (value as number),
      ]),
    );
  }

  /** The layer's value for one tensor. */
  protected abstract compute(x: tf.Tensor): tf.Tensor;

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Kwargs): tf.Tensor {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      return this.compute(Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs);
    });
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      activation: writeActivation(this.activation),
      parameters: writeParameters(this.settings),
      ...writeWeightOptions(this.weightOptions),
    };
  }

  /** The one shape that the layer is built for or asked about. */
  protected oneShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    const [first] = shape;
    if (!Array.isArray(first)) return shape as tf.Shape;
    if (shape.length !== 1)
      throw new ValueError(
        `${titleOf(this)}: expected one input, got ${shape.length}: concatenate them first`,
      );
    return first;
  }

  /** The size of the last axis, which must be known; from now on inputs must have it. */
  protected features(shape: tf.Shape): number {
    const size = shape.at(-1);
    if (shape.length < 2 || size == null)
      throw new ValueError(
        `${titleOf(this)}: input has shape [${shape.map((n) => n ?? "null").join(", ")}], expected at least 2 axes and a known size of the last one`,
      );
    this.inputSpec = [new tf.InputSpec({ minNDim: 2, axes: { [-1]: size } })];
    return size;
  }
}

/** Checks a width in a layer's arguments. */
export function checkWidth(layer: ActivationLayer, name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new ValueError(
    `${titleOf(layer)}: ${name} is ${shown(value)}, expected a whole number, 1 or greater`,
  );
}
