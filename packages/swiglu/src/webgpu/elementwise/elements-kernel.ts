// The memory of an elementwise kernel in WGSL: its bindings, the positions of elements in packed tensors, loads and stores.
import type { Activation } from "../../catalogue/activation.js";
import { type Binding, declarations } from "../device/signature.js";

/** What tells one elementwise kernel of an activation from another. */
export interface KernelShape {
  readonly direction: "forward" | "backward";
  /**
   * `separate`: a tensor for each input. `halves`: one tensor, in which runs of gate and runs of up alternate. `interleaved`: one
   * tensor, in which gate and up of each element are side by side.
   */
  readonly layout: "separate" | "halves" | "interleaved";
  /** How many elements a thread reads together. 4 needs runs that are multiples of 4. */
  readonly width: 4 | 1;
  /** How tensors are stored. All arithmetic is f32. */
  readonly storage: "f32" | "f16";
  /** For each parameter of the activation: whether it has a value for each channel, or is one number. */
  readonly perChannel: readonly boolean[];
  /** Whether the backward kernel sums the gradients of parameters too. */
  readonly parameterGradients: boolean;
}

/** The names of the kernels' uniform numbers. */
const fields = ["count", "threads", "zero", "channels", "kept", "run", "stride", "gate", "up"] as const;
/**
 * - `count` elements are computed by `threads` threads. Each thread takes every `threads`-th item, and that number is a multiple of
 *   `channels`, so a thread stays in its channels.
 * - `kept` threads of each workgroup store partial sums.
 * - In a packed tensor, runs of `run` elements begin `stride` apart: those of gate at `gate`, those of up at `up`.
 * - `zero` is 0, which no compiler knows.
 */
const uniform = { variable: "call", struct: "Call", words: fields } as const;

const vectorType = { f32: "vec4f", f16: "vec4h" };

/**
 * Writes the WGSL for the tensors of one kernel. The code works on four elements from `4 * i` on, or on one element `k`. In a
 * kernel of width 4, `lane` is the place of that element among the four.
 */
export class Elements {
  private readonly forward: boolean;
  /** Whether gate and up are in one tensor. */
  readonly packed: boolean;

  constructor(
    private readonly activation: Activation,
    private readonly shape: KernelShape,
  ) {
    this.forward = shape.direction === "forward";
    this.packed = shape.layout !== "separate";
  }

  private get sources(): readonly string[] {
    const inputs = this.packed ? ["packed"] : this.activation.inputs;
    return this.forward ? inputs : [...inputs, "dy"];
  }

  private get targets(): readonly string[] {
    if (this.forward) return ["y"];
    return this.packed ? ["d_packed"] : this.activation.inputs.map((name) => `d_${name}`);
  }

  /**
   * The signature of the kernel. `parameters` are one number for each, then `channels` values for each that has them. `sources` are
   * the inputs (a packed tensor is one) and dy; `targets` are y or the gradients. `partials` are the partial sums of the gradients
   * of parameters: see `leaveSums`.
   */
  get takes() {
    const { storage, width, parameterGradients } = this.shape;
    const parameterised = Object.keys(this.activation.parameters).length > 0;
    const type = width === 4 ? vectorType[storage] : storage;
    const read = (name: string, type: string): Binding => ({ name, access: "read", type });
    const write = (name: string, type: string): Binding => ({ name, access: "read_write", type });
    const summed = parameterised && !this.forward && parameterGradients;
    return {
      bindings: {
        parameters: parameterised ? read("parameters", "f32") : undefined,
        sources: this.sources.map((name) => read(name, type)),
        targets: this.targets.map((name) => write(name, type)),
        partials: summed ? write("partials", "Sum") : undefined,
      },
      uniform,
    };
  }

  /** The declarations of uniform numbers and bindings. */
  declarations(): string {
    const { struct, bound } = declarations(this.takes);
    return `${struct}\n${bound}`;
  }

  /** Functions that give the position of an element of gate or up, or of its gradient, in a packed tensor. */
  positions(): string[] {
    if (!this.packed) return [];
    const { layout } = this.shape;
    return ["gate", "up"].map((name, slot) => {
      const at =
        layout === "interleaved"
          ? `2u * k + ${slot}u`
          : `k / call.run * call.stride + call.${name} + k % call.run`;
      return `fn ${name}At(k: u32) -> u32 { return ${at}; }`;
    });
  }

  /** The position of element `k` of a tensor. */
  private position(name: string, k: string): string {
    return this.packed && (name === "gate" || name === "up") ? `${name}At(${k})` : k;
  }

  /** The binding of a tensor. Gate and up in a packed one have the same. */
  private binding(name: string): string {
    return this.packed && name !== "dy" && name !== "y" ? "packed" : name;
  }

  /** One element, as a WGSL reference that can be loaded and stored. */
  private element(name: string, gradient = false): string {
    const binding = `${gradient ? "d_" : ""}${this.binding(name)}`;
    const at = this.position(name, "k");
    if (this.shape.width === 1) return `${binding}[${at}]`;
    return at === "k" ? `${binding}[i][lane]` : `${binding}[${at} / 4u][${at} % 4u]`;
  }

  /** Loads one element, as an f32. */
  loadOne(name: string): string {
    return this.shape.storage === "f16" ? `f32(${this.element(name)})` : this.element(name);
  }

  /** The names of the inputs, and dy in a backward kernel. */
  get given(): readonly string[] {
    return this.forward ? this.activation.inputs : [...this.activation.inputs, "dy"];
  }

  /** Stores one element: the variable `result`, or in a backward kernel its fields, the gradients. */
  storeResult(): string[] {
    const store = (target: string, value: string): string =>
      `${target} = ${this.shape.storage === "f16" ? `f16(${value})` : value};`;
    return this.forward
      ? [store(this.element("y"), "result")]
      : this.activation.inputs.map((name) => store(this.element(name, true), `result.${name}`));
  }

  /** Loads four elements of each input, and of dy. */
  loads(): string[] {
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

  /** Stores four elements of the result, or of each gradient. */
  stores(): string[] {
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
}
