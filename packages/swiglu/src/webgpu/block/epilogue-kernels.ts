// What the products of a feed-forward block do with their sums before they are written: add a bias, apply the activation, or
// multiply the activation's gradients by the sums. A quad is four consecutive columns of a row, one vec4.
import { fusedForm } from "../../block/forms.js";
import type { BlockPlan } from "../../block/plan.js";
import { type Activation, definitionText } from "../../catalogue/activation.js";
import type { Storage } from "../device/options.js";
import type { Binding } from "../device/signature.js";
import {
  complete,
  type ElementFunctions,
  elementFunctions,
  parameterName,
} from "../elementwise/functions-kernel.js";
import type { Epilogue } from "../product/tile-kernel.js";

const read = (name: string, type: Storage): Binding => ({ name, access: "read", type: `vec4<${type}>` });
const write = (name: string, type: Storage): Binding => ({
  name,
  access: "read_write",
  type: `vec4<${type}>`,
});

/** WGSL: `i` is the index of the quad in matrices of the size of the result. */
const place = `  let quads = (sizes.columns + 3u) / 4u;
  let i = row * quads + quad;`;

/** Stores each sum in a matrix of its own, plus a bias (`bias`) or a matrix (`addend`) if asked for. */
export function plainEpilogue(storage: Storage, sums: number, plus?: "bias" | "addend") {
  const names = Array.from({ length: sums }, (_, i) => i);
  const added = { bias: " + bias[quad]", addend: " + vec4f(addend[i])" };
  return {
    key: `plain ${storage} ${sums} ${plus ?? ""}`,
    title: `Matrix product${sums > 1 ? "s with a common operand" : ""}${plus ? ` plus ${plus}` : ""}`,
    bindings: {
      plus: plus && read(plus, plus === "bias" ? "f32" : storage),
      results: names.map((i) => write(`result${i}`, storage)),
    },
    words: [],
    code: `fn store(row: u32, quad: u32, ${names.map((i) => `sum${i}: vec4f`).join(", ")}) {
${place}
${names.map((i) => `  result${i}[i] = numbers(sum${i}${plus ? added[plus] : ""});`).join("\n")}
}`,
  } satisfies Epilogue;
}

/** Where the activation's inputs come from: the sums of the last product, or the product before it (`own`). */
export interface InputSources {
  /** For each input of the activation the number of its sum, or `own`. */
  readonly inputs: readonly (number | "own")[];
  /** How many sums the last product has. */
  readonly sums: number;
}

export function inputSources({ form, activation }: BlockPlan): InputSources {
  const { produced } = fusedForm(form);
  const sum = (input: number) => (produced.includes(input) ? produced.indexOf(input) : "own");
  return { inputs: activation.inputs.map((_, i) => sum(i)), sums: produced.length };
}

/** WGSL that loads the parameters of a quad's channels, which are behind `skip` other vectors in `channels`. */
const parameterLines = (activation: Activation, skip: number): string[] =>
  Object.keys(activation.parameters).map(
    (name, i) => `  let ${parameterName(name)} = channels[${skip + i}u * quads + quad];`,
  );

/** WGSL that calls a function for one of the four elements of a quad. */
const callFor = ({ constantsFit, plain, name, parameters }: ElementFunctions, part: string): string =>
  `${constantsFit ? plain : name}(${parameters.map((each) => `${each}[${part}]`).join(", ")})`;

/** WGSL: the result, or NaN where one of the vectors that it comes from is NaN. Compilers may assume that no number is NaN. */
const passingNan = (result: string, given: readonly string[]): string =>
  `select(${given.join(" + ")}, ${result}, ${given.map((name) => `number(${name})`).join(" & ")})`;

/** WGSL: how many elements of the quad belong to the row. The others stay 0. */
const within = "  let parts = select(4u, sizes.columns % 4u, 4u * quad + 4u > sizes.columns);";

/**
 * Adds the biases to the sums, stores the activation of them in `hidden`, and the sums themselves in `kept`, one matrix after the
 * other, `region` quads apart. Where `region` is 0, the sums are not kept. `channels` has the biases of the sums, then the
 * parameters: for each of them a value for every channel.
 */
export function activationEpilogue(plan: BlockPlan, storage: Storage) {
  const { activation } = plan;
  const { inputs, sums } = inputSources(plan);
  const value = elementFunctions(activation, "value");
  const names = Array.from({ length: sums }, (_, i) => `sum${i}: vec4f`);
  const named = inputs.map((source, i) => ({ source, name: activation.inputs[i] as string }));
  const load = { own: "vec4f(own[i])", sum: (i: number) => `sum${i} + channels[${i}u * quads + quad]` };
  return {
    key: `activate ${storage} ${inputs} ${definitionText(activation)}`,
    title: `${activation.name} of projections, applied before they are written`,
    bindings: {
      channels: read("channels", "f32"),
      own: inputs.includes("own") ? read("own", storage) : undefined,
      hidden: write("hidden", storage),
      kept: write("kept", storage),
    },
    words: ["region"],
    code: complete(`${value.code}

fn store(row: u32, quad: u32, ${names.join(", ")}) {
${place}
${named.map(({ source, name }) => `  let ${name} = ${source === "own" ? load.own : load.sum(source)};`).join("\n")}
${parameterLines(activation, sums).join("\n")}
${within}
  var value: vec4f;
  for (var part = 0u; part < parts; part++) { value[part] = ${callFor(value, "part")}; }
  hidden[i] = numbers(${passingNan("value", activation.inputs)});
  if (sizes.region > 0u) {
${named
  .filter(({ source }) => source !== "own")
  .map(({ source, name }) => `    kept[${source}u * sizes.region + i] = numbers(${name});`)
  .join("\n")}
  }
}`),
  } as const satisfies Epilogue;
}

/**
 * The sum is the gradient of the hidden layer. Stores in `slopes`, one matrix after the other: the hidden layer, computed again;
 * the gradient of each input of the activation; and, for `gradients`, the terms of each parameter's gradient. `channels` has the
 * parameters.
 */
export function gradientEpilogue(
  plan: BlockPlan,
  storage: Storage,
  computed: "gradients" | "inputGradients",
) {
  const { activation } = plan;
  const { inputs } = inputSources(plan);
  const [value, gradients] = [elementFunctions(activation, "value"), elementFunctions(activation, computed)];
  const parameterised = Object.keys(activation.parameters).length > 0;
  return {
    key: `${computed} ${storage} ${inputs} ${definitionText(activation)}`,
    title: `Gradients of ${activation.name} times what flows back, before it is written`,
    bindings: {
      channels: parameterised ? read("channels", "f32") : undefined,
      own: inputs.includes("own") ? read("own", storage) : undefined,
      kept: read("kept", storage),
      slopes: write("slopes", storage),
    },
    words: ["region"],
    code: complete(`${value.code}

${gradients.code}

fn store(row: u32, quad: u32, dy: vec4f) {
${place}
${inputs
  .map(
    (source, i) =>
      `  let ${activation.inputs[i]} = vec4f(${source === "own" ? "own[i]" : `kept[${source}u * sizes.region + i]`});`,
  )
  .join("\n")}
${parameterLines(activation, 0).join("\n")}
${within}
  var value: vec4f;
${gradients.fields.map((field) => `  var d_${field}: vec4f;`).join("\n")}
  for (var part = 0u; part < parts; part++) {
    value[part] = ${callFor(value, "part")};
    let slope = ${callFor(gradients, "part")};
${gradients.fields.map((field) => `    d_${field}[part] = slope.${field};`).join("\n")}
  }
${["value", ...gradients.fields.map((field) => `d_${field}`)]
  .map((name, i) => {
    const given = i === 0 ? activation.inputs : [...activation.inputs, "dy"];
    return `  slopes[${i}u * sizes.region + i] = numbers(${passingNan(name, given)});`;
  })
  .join("\n")}
}`),
  } as const satisfies Epilogue;
}
