// The options of a layer's weights in Keras's naming: `gateKernelInitializer` for one weight, `kernelInitializer` for all kernels,
// and likewise Regularizer and Constraint.
import {
  type Config,
  type Constraint,
  type Initializer,
  type Like,
  type Regularizer,
  readObject,
  writeObject,
} from "./config.js";

/** Options for the weights `W`, and for all kernels or all biases at once. */
export type WeightArgs<W extends string> = {
  readonly [K in `${W | "kernel" | "bias"}Initializer`]?: Like<Initializer> | null;
} & { readonly [K in `${W | "kernel" | "bias"}Regularizer`]?: Like<Regularizer> | null } & {
  readonly [K in `${W | "kernel" | "bias"}Constraint`]?: Like<Constraint> | null;
};

/** How one weight starts, and what holds it. */
export interface WeightOptions {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;
}

/** As TensorFlow.js's own dense layer has it. */
const defaults = { kernel: "glorotNormal", bias: "zeros" } as const;

/** The options of each weight: its own, else those of its kind, else the defaults. Throws as `readObject` does. */
export function readWeightOptions<W extends string>(
  names: readonly W[],
  args: object,
): Readonly<Record<W, WeightOptions>> {
  const given = args as Readonly<Record<string, Like<never> | null | undefined>>;
  const options = names.map((name) => {
    const kind = name.toLowerCase().endsWith("bias") ? "bias" : "kernel";
    const read = <T extends Initializer | Regularizer | Constraint>(what: string): T | undefined => {
      const key = given[`${name}${what}`] == null ? `${kind}${what}` : `${name}${what}`;
      return given[key] == null ? undefined : readObject<T>(given[key] as Like<T>, key);
    };
    return [
      name,
      {
        initializer: read<Initializer>("Initializer") ?? readObject<Initializer>(defaults[kind], kind),
        regularizer: read<Regularizer>("Regularizer"),
        constraint: read<Constraint>("Constraint"),
      },
    ];
  });
  return Object.fromEntries(options) as Record<W, WeightOptions>;
}

/** The same for a file. */
export function writeWeightOptions(options: Readonly<Record<string, WeightOptions>>): Config {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, { initializer, regularizer, constraint }]) => [
      [`${name}Initializer`, writeObject(initializer)],
      [`${name}Regularizer`, writeObject(regularizer)],
      [`${name}Constraint`, writeObject(constraint)],
    ]),
  );
}
