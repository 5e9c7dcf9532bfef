// The elementwise kernels of an activation in WGSL: forward, and backward with all gradients, in one dispatch.
// A thread takes four elements, then the next four that are `threads` further, so any size fits one dispatch.
import type { Activation } from "../catalogue/activation.js";
import { allPass, complete, elementFunctions, parameterName } from "./activation-functions.js";
import { sums } from "./activation-sums.js";
import { withDeclarations } from "./text.js";

/** What a kernel is made for. */
export interface KernelShape {
  readonly direction: "forward" | "backward";
  /** One tensor for each input; halves that alternate in one tensor, in runs; or gate and up of each element side by side. */
  readonly layout: "separate" | "halves" | "interleaved";
  /** How many elements are read at once: 4 where all runs are multiples of it. */
  readonly width: 4 | 1;
  /** How tensors are stored; all arithmetic is f32. */
  readonly storage: "f32" | "f16";
  /** For each parameter of the activation: one value for each channel, or one number. */
  readonly perChannel: readonly boolean[];
  /** Whether backward sums the gradients of parameters too. */
  readonly parameterGradients: boolean;
}

export const workgroupSize = 128;

/** The words of the kernels' uniform block, in their order. */
const fields = ["count", "threads", "zero", "channels", "run", "stride", "gate", "up"] as const;
/**
 * `count` elements, `threads` that go through them: a multiple of a channel's distance, so that each stays in its channels.
 * In runs of `run` elements, which begin `stride` apart, from `gate` and `up` on.
 */
export type KernelCall = Readonly<Record<(typeof fields)[number], number>>;
export const kernelWords = (call: KernelCall): number[] => fields.map((name) => call[name]);

/**
 * The kernel as WGSL. Bindings, in their order: `parameters` if there are any (one number for each, then `channels` values for
 * each that has them), the inputs or `packed`, `dy`, `y` or the gradients, `partials` if parameter gradients are summed
 * (total and rest, for each parameter, thread and element of its width), and the uniform block.
 */
export function activationShader(activation: Activation, shape: KernelShape): string {
  return new KernelWriter(activation, shape).code;
}

class KernelWriter {
  private readonly forward: boolean;
  private readonly packed: boolean;
  private readonly parameters: readonly string[];
  private readonly summed: readonly string[];

  constructor(
    private readonly activation: Activation,
    private readonly shape: KernelShape,
  ) {
    this.forward = shape.direction === "forward";
    this.packed = shape.layout !== "separate";
    this.parameters = Object.keys(activation.parameters);
    this.summed = this.forward || !shape.parameterGradients ? [] : this.parameters.map(parameterName);
  }

  get code(): string {
    const { activation, forward, summed, shape } = this;
    const computed = forward ? "value" : shape.parameterGradients ? "gradients" : "inputGradients";
    const functions = elementFunctions(activation, computed);
    const loop = shape.width === 4 ? this.fours(functions) : this.ones(functions);
    const main = `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= call.threads) { return; }
${lines(this.parameterLoads(), 2)}${lines(
  summed.map((name) => `var sum_${name} = Sum();`),
  2,
)}${lines(loop, 2)}${lines(this.partialStores(), 2)}}
`;
    const helpers = [
      ...(this.packed ? this.positions() : []),
      ...(shape.perChannel.includes(true) ? [this.channelFunction()] : []),
      ...(summed.length > 0 ? [this.leaveFunction()] : []),
    ];
    const body = [this.bindings(), ...helpers, functions.code, main].join("\n\n");
    const library = sums(shape.width === 4 ? "vec4f" : "f32");
    const head = shape.storage === "f16" ? "enable f16;\n\n" : "";
    return head + complete(withDeclarations(library, body));
  }

  private get sources(): readonly string[] {
    const inputs = this.packed ? ["packed"] : this.activation.inputs;
    return this.forward ? inputs : [...inputs, "dy"];
  }

  private get targets(): readonly string[] {
    if (this.forward) return ["y"];
    return this.packed ? ["d_packed"] : this.activation.inputs.map((name) => `d_${name}`);
  }

  private bindings(): string {
    const { storage, width } = this.shape;
    const element = width === 4 ? vectorType[storage] : storage;
    const read = (type: string) => (name: string) => [`var<storage, read> ${name}`, `array<${type}>`];
    const write = (type: string) => (name: string) => [`var<storage, read_write> ${name}`, `array<${type}>`];
    const all = [
      ...(this.parameters.length > 0 ? ["parameters"] : []).map(read("f32")),
      ...this.sources.map(read(element)),
      ...this.targets.map(write(element)),
      ...(this.summed.length > 0 ? ["partials"] : []).map(write("vec2f")),
      ["var<uniform> call", "Call"],
    ];
    return [
      `struct Call { ${fields.map((name) => `${name}: u32`).join(", ")} }`,
      ...all.map(([name, type], i) => `@group(0) @binding(${i}) ${name}: ${type};`),
    ].join("\n");
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

  /** Parameters, which are the same for all elements of a thread. */
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

  /** Functions for the position of an element of gate or up, or of its gradient, in a packed tensor. */
  private positions(): string[] {
    const { layout } = this.shape;
    return ["gate", "up"].map((name, slot) => {
      const at =
        layout === "interleaved"
          ? `2u * k + ${slot}u`
          : `k / call.run * call.stride + call.${name} + k % call.run`;
      return `fn ${name}At(k: u32) -> u32 { return ${at}; }`;
    });
  }

  /** The position of element `k` of a tensor in its binding. */
  private position(name: string, k: string): string {
    return this.packed && (name === "gate" || name === "up") ? `${name}At(${k})` : k;
  }

  /** Where a tensor is bound: halves of a packed one in one binding. */
  private binding(name: string): string {
    return this.packed && name !== "dy" && name !== "y" ? "packed" : name;
  }

  /** One element, as a place to read or write. */
  private element(name: string, gradient = false): string {
    const binding = `${gradient ? "d_" : ""}${this.binding(name)}`;
    const at = this.position(name, "k");
    if (this.shape.width === 1) return `${binding}[${at}]`;
    return at === "k" ? `${binding}[i][lane]` : `${binding}[${at} / 4u][${at} % 4u]`;
  }

  /** One element, as an f32. */
  private read(name: string): string {
    return this.shape.storage === "f16" ? `f32(${this.element(name)})` : this.element(name);
  }

  /** The tensors that go in, by name. */
  private get given(): readonly string[] {
    return this.forward ? this.activation.inputs : [...this.activation.inputs, "dy"];
  }

  /** Computes element `k` carefully and stores it; `collect` takes the parameters' gradients from `result`. */
  private oneElement(call: string, collect: (name: string) => string): string[] {
    const store = (target: string, value: string): string =>
      `${target} = ${this.shape.storage === "f16" ? `f16(${value})` : value};`;
    return [
      `let result = ${call};`,
      ...(this.forward
        ? [store(this.element("y"), "result")]
        : this.activation.inputs.map((name) => store(this.element(name, true), `result.${name}`))),
      ...this.summed.map(collect),
    ];
  }

  private ones({ name, parameters }: { name: string; parameters: readonly string[] }): string[] {
    const args = parameters.map((each) => (this.given.includes(each) ? this.read(each) : each));
    return [
      "for (var k = id.x; k < call.count; k += call.threads) {",
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
    const { forward, activation, summed } = this;
    const { name, plain, parameters, constantsFit, mayVanish } = functions;
    const channelled = this.parameters.filter((_, i) => this.shape.perChannel[i]).map(parameterName);
    const lane = (each: string, at: string): string => {
      if (this.given.includes(each)) return `${each}4${at}`;
      return channelled.includes(each) ? `${each}${at}` : each;
    };
    const args = (at: string): string => parameters.map((each) => lane(each, at)).join(", ");
    const carefully = parameters.map((each) =>
      this.given.includes(each) ? this.read(each) : lane(each, "[lane]"),
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
      ...[...this.given.map((each) => `${each}4`), ...channelled].map((each) => `all(ordinary(${each}))`),
      ...(scalars.length > 0 ? [allPass("ordinary", scalars)] : []),
      ...results.map((each) => `all(finite(${each}4))`),
    ];
    return [
      "for (var i = id.x; 4u * i < call.count; i += call.threads) {",
      ...indented([
        ...this.loads(),
        ...(mayVanish ? ["vanishing = false;"] : []),
        ...computed,
        `let usual = ${usual.join(`\n      && `)};`,
        "if (usual) {",
        ...indented(this.stores()),
        "} else {",
        ...indented([
          ...summed.map((each) => `d_${each}4 = vec4f();`),
          "for (var lane = 0u; lane < 4u && 4u * i + lane < call.count; lane++) {",
          ...indented([
            ...(this.packed ? ["let k = 4u * i + lane;"] : []),
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

  /** Four elements of everything that goes in. */
  private loads(): string[] {
    const vector = (code: string): string => (this.shape.storage === "f16" ? `vec4f(${code})` : code);
    if (this.shape.layout === "interleaved")
      return [
        `let low = ${vector("packed[2u * i]")};`,
        `let high = ${vector("packed[2u * i + 1u]")};`,
        "let gate4 = vec4f(low.xz, high.xz);",
        "let up4 = vec4f(low.yw, high.yw);",
        ...(this.forward ? [] : [`let dy4 = ${vector("dy[i]")};`]),
      ];
    return this.given.map(
      (name) => `let ${name}4 = ${vector(`${this.binding(name)}[${this.fourPosition(name)}]`)};`,
    );
  }

  private stores(): string[] {
    const vector = (code: string): string =>
      this.shape.storage === "f16" ? `${vectorType.f16}(${code})` : code;
    if (this.forward) return [`y[i] = ${vector("y4")};`];
    if (this.shape.layout === "interleaved")
      return [
        `d_packed[2u * i] = ${vector("vec4f(d_gate4.x, d_up4.x, d_gate4.y, d_up4.y)")};`,
        `d_packed[2u * i + 1u] = ${vector("vec4f(d_gate4.z, d_up4.z, d_gate4.w, d_up4.w)")};`,
      ];
    return this.activation.inputs.map(
      (name) => `d_${this.binding(name)}[${this.fourPosition(name)}] = ${vector(`d_${name}4`)};`,
    );
  }

  private fourPosition(name: string): string {
    const at = this.position(name, "4u * i");
    return at === "4u * i" ? "i" : `${at} / 4u`;
  }

  private partialStores(): string[] {
    return this.summed.map((name, i) => `leave(${i}u, id.x, sum_${name});`);
  }

  private leaveFunction(): string {
    const stores =
      this.shape.width === 1
        ? ["partials[parameter * call.threads + thread] = vec2f(sum.total, sum.rest);"]
        : [
            "for (var lane = 0u; lane < 4u; lane++) {",
            "  partials[4u * (parameter * call.threads + thread) + lane] = vec2f(sum.total[lane], sum.rest[lane]);",
            "}",
          ];
    return `fn leave(parameter: u32, thread: u32, sum: Sum) {\n${lines(stores, 2)}}`;
  }
}

const vectorType = { f32: "vec4f", f16: "vec4h" };

const indented = (code: readonly string[]): string[] => code.map((line) => `  ${line}`);
const lines = (code: readonly string[], indent: number): string =>
  code.map((line) => `${" ".repeat(indent)}${line}\n`).join("");
