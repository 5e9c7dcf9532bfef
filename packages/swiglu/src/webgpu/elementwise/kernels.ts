// The elementwise kernels of an activation in WGSL: the value, or all gradients, in one dispatch.
// A thread computes an item of four elements, then the item that is `threads` items further, so any size fits into one dispatch.
import { type Activation, definitionText } from "../../catalogue/activation.js";
import { withDeclarations } from "../wgsl/text.js";
import { Elements, type KernelShape } from "./elements-kernel.js";
import { allPass, complete, elementFunctions, parameterName } from "./functions-kernel.js";
import { leaveSums, sums, workgroupSize } from "./sums-kernel.js";

/** The kernel of an activation. Activations with the same definition share it. */
export const activationKernel = (activation: Activation, shape: KernelShape) => ({
  key: `${JSON.stringify(shape)} ${definitionText(activation)}`,
  takes: new Elements(activation, shape).takes,
  code: () => activationShader(activation, shape),
});

/** The code of that kernel. */
export function activationShader(activation: Activation, shape: KernelShape): string {
  return new KernelWriter(activation, shape).code;
}

class KernelWriter {
  private readonly forward: boolean;
  private readonly elements: Elements;
  private readonly parameters: readonly string[];
  private readonly summed: readonly string[];

  constructor(
    private readonly activation: Activation,
    private readonly shape: KernelShape,
  ) {
    this.forward = shape.direction === "forward";
    this.elements = new Elements(activation, shape);
    this.parameters = Object.keys(activation.parameters);
    this.summed = this.forward || !shape.parameterGradients ? [] : this.parameters.map(parameterName);
  }

  get code(): string {
    const { activation, forward, summed, shape } = this;
    const computed = forward ? "value" : shape.parameterGradients ? "gradients" : "inputGradients";
    const functions = elementFunctions(activation, computed);
    const loop = shape.width === 4 ? this.fours(functions) : this.ones(functions);
    const main = `@compute @workgroup_size(${workgroupSize})
${this.entry()}${lines(
  [
    ...this.parameterLoads(),
    ...summed.map((name) => `var sum_${name} = Sum();`),
    ...loop,
    ...summed.map((name, i) => `leave(${i}u, group.x, thread, sum_${name});`),
  ],
  2,
)}}
`;
    const helpers = [
      ...this.elements.positions(),
      ...(shape.perChannel.includes(true) ? [this.channelFunction()] : []),
      ...(summed.length > 0 ? [leaveSums(summed.length)] : []),
    ];
    const body = [this.elements.declarations(), ...helpers, functions.code, main].join("\n\n");
    const library = sums(shape.width === 4 ? "vec4f" : "f32");
    const head = shape.storage === "f16" ? "enable f16;\n\n" : "";
    return head + complete(withDeclarations(library, body));
  }

  /** The head of `main`, and the first item of a thread. Where sums are collected, threads without work must take part too. */
  private entry(): string {
    const { width } = this.shape;
    return this.summed.length === 0
      ? `fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= call.threads) { return; }
  let start = id.x;
`
      : `fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = select(${width === 4 ? "0x3fffffffu" : "0xffffffffu"}, id.x, id.x < call.threads);
`;
  }

  private channelFunction(): string {
    const first = `let first = ${this.parameters.length}u + parameter * call.channels;`;
    const at = [..."xyzw"].map((lane) => `parameters[first + channel.${lane}]`).join(", ");
    return this.shape.width === 4
      ? `fn channelValues(parameter: u32, channel: vec4u) -> vec4f {
  ${first}
  return vec4f(${at});
}`
      : `fn channelValues(parameter: u32, channel: u32) -> f32 {
  ${first}
  return parameters[first + channel];
}`;
  }

  /** Loads the parameters, which are the same for all elements of a thread. */
  private parameterLoads(): string[] {
    const { perChannel, width } = this.shape;
    const lanes =
      width === 4 ? "(vec4u(4u * id.x) + vec4u(0u, 1u, 2u, 3u)) % call.channels" : "id.x % call.channels";
    const loads = this.parameters.map((name, i) => {
      const value = perChannel[i] ? `channelValues(${i}u, channel)` : `parameters[${i}]`;
      return `let ${parameterName(name)} = ${value};`;
    });
    return perChannel.includes(true) ? [`let channel = ${lanes};`, ...loads] : loads;
  }

  /** Computes and stores element `k` by the function that is right for all numbers. `collect` adds the gradient of a parameter. */
  private oneElement(call: string, collect: (name: string) => string): string[] {
    return [`let result = ${call};`, ...this.elements.storeResult(), ...this.summed.map(collect)];
  }

  private ones({ name, parameters }: { name: string; parameters: readonly string[] }): string[] {
    const { elements } = this;
    const args = parameters.map((each) => (elements.given.includes(each) ? elements.loadOne(each) : each));
    return [
      "for (var k = start; k < call.count; k += call.threads) {",
      ...indented(
        this.oneElement(
          `${name}(${args.join(", ")})`,
          (each) => `sum_${each} = added(sum_${each}, result.${each});`,
        ),
      ),
      "}",
    ];
  }

  private fours(functions: ReturnType<typeof elementFunctions>): string[] {
    const { forward, activation, summed, elements } = this;
    const { name, plain, parameters, constantsFit, mayVanish } = functions;
    const channelled = this.parameters.filter((_, i) => this.shape.perChannel[i]).map(parameterName);
    const lane = (each: string, at: string): string => {
      if (elements.given.includes(each)) return `${each}4${at}`;
      return channelled.includes(each) ? `${each}${at}` : each;
    };
    const args = (at: string): string => parameters.map((each) => lane(each, at)).join(", ");
    const carefully = parameters.map((each) =>
      elements.given.includes(each) ? elements.loadOne(each) : lane(each, "[lane]"),
    );
    const results = forward ? ["y"] : [...activation.inputs, ...summed].map((each) => `d_${each}`);
    const computed = [
      ...results.map((each) => `var ${each}4: vec4f;`),
      "for (var lane = 0u; lane < 4u; lane++) {",
      ...indented(
        forward
          ? [`y4[lane] = ${plain}(${args("[lane]")});`]
          : [
              `let result = ${plain}(${args("[lane]")});`,
              ...[...activation.inputs, ...summed].map((each) => `d_${each}4[lane] = result.${each};`),
            ],
      ),
      "}",
    ];
    const scalars = this.parameters.map(parameterName).filter((each) => !channelled.includes(each));
    const usual = [
      "4u * i + 4u <= call.count",
      ...(constantsFit ? [] : ["false"]),
      ...(mayVanish ? ["!vanishing"] : []),
      ...[...elements.given.map((each) => `${each}4`), ...channelled].map((each) => `all(ordinary(${each}))`),
      ...(scalars.length > 0 ? [allPass("ordinary", scalars)] : []),
      ...results.map((each) => `all(finite(${each}4))`),
    ];
    return [
      "for (var i = start; 4u * i < call.count; i += call.threads) {",
      ...indented([
        ...elements.loads(),
        ...(mayVanish ? ["vanishing = false;"] : []),
        ...computed,
        `let usual = ${usual.join(`\n      && `)};`,
        "if (usual) {",
        ...indented(elements.stores()),
        "} else {",
        ...indented([
          ...summed.map((each) => `d_${each}4 = vec4f();`),
          "for (var lane = 0u; lane < 4u && 4u * i + lane < call.count; lane++) {",
          ...indented([
            ...(elements.packed ? ["let k = 4u * i + lane;"] : []),
            ...this.oneElement(
              `${name}(${carefully.join(", ")})`,
              (each) => `d_${each}4[lane] = result.${each};`,
            ),
          ]),
          "}",
        ]),
        "}",
        ...summed.map((each) => `sum_${each} = added(sum_${each}, d_${each}4);`),
      ]),
      "}",
    ];
  }
}

const indented = (code: readonly string[]): string[] => code.map((line) => `  ${line}`);
const lines = (code: readonly string[], indent: number): string =>
  code.map((line) => `${" ".repeat(indent)}${line}\n`).join("");
