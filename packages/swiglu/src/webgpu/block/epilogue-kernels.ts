// What the products of a feed-forward block do with their sums before they are written: add a bias, apply the activation,
// or multiply its gradients by what flows back.
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

/** Where a quad of the result is in matrices of its size. */
const place = `  let quads = (sizes.columns + 3u) / 4u;
  let i = row * quads + quad;`;

/** Sums as they are, plus a bias (from `bias`) or a matrix (from `addend`), one matrix for each. */
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

/** How a block's activation gets its inputs: from the sums of the last product, or from an earlier one (`own`). */
export interface InputSources {
  /** For each input of the activation, the number of its sum, or `own`. */
  readonly inputs: readonly (number | "own")[];
  /** How many sums the last product has. */
  readonly sums: number;
}

export function inputSources({ form, activation }: BlockPlan): InputSources {
  const { produced } = fusedForm(form);
  const sum = (input: number) => (produced.includes(input) ? produced.indexOf(input) : "own");
  return { inputs: activation.inputs.map((_, i) => sum(i)), sums: produced.length };
}

/** Lines that load the parameters of a quad's channels, which lie behind `skip` other vectors. */
const parameterLines = (activation: Activation, skip: number): string[] =>
  Object.keys(activation.parameters).map(
    (name, i) => `  let ${parameterName(name)} = channels[${skip + i}u * quads + quad];`,
  );

/** A function's call for one of the four numbers of each of its arguments. */
const callFor = ({ constantsFit, plain, name, parameters }: ElementFunctions, part: string): string =>
  `${constantsFit ? plain : name}(${parameters.map((each) => `${each}[${part}]`).join(", ")})`;

/** A result, or NaN where one of the vectors that it comes from is NaN, which compilers may lose sight of. */
const passingNan = (result: string, given: readonly string[]): string =>
  `select(${given.join(" + ")}, ${result}, ${given.map((name) => `number(${name})`).join(" & ")})`;

/** How many numbers of a quad belong to the row; the rest stays zero. */
const within = "  let parts = select(4u, sizes.columns % 4u, 4u * quad + 4u > sizes.columns);";

/**
 * The activation of the sums plus their biases: to `hidden`, and the sums to `kept`, one matrix after the other in steps of
 * `region`; where `region` is 0 they are not kept. `channels` has the biases of the sums, then the parameters, a value for
 * each channel.
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
 * From what flows back into the hidden layer: the hidden layer again, and the gradients of the activation's inputs and, with
 * `gradients`, parameters for every element, one matrix after the other in `slopes`. `channels` has the parameters.
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
