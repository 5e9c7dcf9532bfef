// Where the elements of an elementwise kernel are: its bindings, positions in packed tensors, loads and stores in WGSL.
import type { Activation } from "../../catalogue/activation.js";
import { type Binding, declarations } from "../device/signature.js";

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

/** The words of the kernels' uniform block, in their order. */
const fields = ["count", "threads", "zero", "channels", "kept", "run", "stride", "gate", "up"] as const;
/**
 * `count` elements, `threads` that go through them: a multiple of a channel's distance, so that each stays in its channels.
 * `kept` threads of a workgroup leave sums of all.
 * In runs of `run` elements, which begin `stride` apart, from `gate` and `up` on.
 */
const uniform = { variable: "call", struct: "Call", words: fields } as const;

const vectorType = { f32: "vec4f", f16: "vec4h" };

/** Text for the tensors of one kernel. Elements are four from `4 * i` on, or one: `k`, and where the width is 4, its `lane`. */
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
   * What the kernel takes: `parameters` if there are any (one number for each, then `channels` values for each that has them),
   * the inputs or the packed one, and dy, as `sources`; y or the gradients as `targets`; and `partials` if the gradients of
   * parameters are summed (see `leaveSums`).
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

  /** The declarations of all that is bound. */
  declarations(): string {
    const { struct, bound } = declarations(this.takes);
    return `${struct}\n${bound}`;
  }

  /** Functions for the position of an element of gate or up, or of its gradient, in a packed tensor. */
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
  read(name: string): string {
    return this.shape.storage === "f16" ? `f32(${this.element(name)})` : this.element(name);
  }

  /** The tensors that go in, by name. */
  get given(): readonly string[] {
    return this.forward ? this.activation.inputs : [...this.activation.inputs, "dy"];
  }

  /** Stores one element: the value `result`, or its fields, the gradients. */
  storeResult(): string[] {
    const store = (target: string, value: string): string =>
      `${target} = ${this.shape.storage === "f16" ? `f16(${value})` : value};`;
    return this.forward
      ? [store(this.element("y"), "result")]
      : this.activation.inputs.map((name) => store(this.element(name, true), `result.${name}`));
  }

  /** Four elements of everything that goes in. */
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

  /** Stores four elements of everything that comes out. */
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
