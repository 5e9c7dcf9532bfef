// Puts functions into a WebAssembly module: one imported memory, exported functions, nothing else.
import {
  type Code,
  type ResultType,
  type Sink,
  sequence,
  typeBytes,
  unsigned,
  type ValueType,
} from "./code.js";

/** A parameter or local variable of a function. */
export class Local<T extends ValueType = ValueType> {
  constructor(
    readonly type: T,
    private readonly index: number,
  ) {}

  get(): Code<T> {
    return { type: this.type, emit: (sink) => void sink.bytes.push(0x20, ...unsigned(this.index)) };
  }

  set(value: Code<T>): Code<"none"> {
    return this.write(0x21, value, "none");
  }

  /** Sets, and leaves the value on the stack. */
  tee(value: Code<T>): Code<T> {
    return this.write(0x22, value, this.type);
  }

  private write<R extends ResultType>(opcode: number, value: Code<T>, type: R): Code<R> {
    if (value.type !== this.type)
      throw new TypeError(`a local of type ${this.type} is set to a ${value.type}`);
    return {
      type,
      emit: (sink) => {
        value.emit(sink);
        sink.bytes.push(opcode, ...unsigned(this.index));
      },
    };
  }
}

type Locals<P extends readonly ValueType[]> = { readonly [I in keyof P]: Local<P[I]> };

/** Declares local variables while a body is written. */
export interface Body {
  local<T extends ValueType>(type: T): Local<T>;
}

interface FunctionCode {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly code: Code<"none">;
}

/** The memory that a module imports as `env.memory`. */
export interface MemoryType {
  readonly shared: boolean;
  /** In pages of 64 KiB. */
  readonly initial: number;
  readonly maximum: number;
}

/**
 * Collects functions, then encodes them.
 *
 * @example
 * const module = new ModuleBuilder({ shared: false, initial: 1, maximum: 1 });
 * module.function("one", ["i32"], (_, address) => [f32.store(address.get(), f32.const(1))]);
 * module.encode().length // 62
 */
export class ModuleBuilder {
  private readonly functions: FunctionCode[] = [];

  constructor(private readonly memory: MemoryType) {}

  /** Adds and exports a function without results. `write` receives the parameters and returns the statements. */
  function<const P extends readonly ValueType[]>(
    name: string,
    parameters: P,
    write: (body: Body, ...parameters: Locals<P>) => readonly Code[],
  ): void {
    const locals: ValueType[] = [];
    const body: Body = {
      local: (type) => {
        if (locals.length >= mostLocals)
          throw tooLarge(name, `needs more than ${mostLocals} local variables`);
        locals.push(type);
        return new Local(type, parameters.length + locals.length - 1);
      },
    };
    const own = parameters.map((type, index) => new Local(type, index)) as readonly Local[] as Locals<P>;
    this.functions.push({ name, parameters, locals, code: sequence(write(body, ...own)) });
  }

  /** The module in binary form. */
  encode(): Uint8Array<ArrayBuffer> {
    const { shared, initial, maximum } = this.memory;
    const limits = [shared ? 3 : 1, ...unsigned(initial), ...unsigned(maximum)];
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(
        1,
        this.functions.map(({ parameters }) => [0x60, ...typeVector(parameters), 0]),
      ),
      ...section(2, [[...text("env"), ...text("memory"), 0x02, ...limits]]),
      ...section(
        3,
        this.functions.map((_, index) => unsigned(index)),
      ),
      ...section(
        7,
        this.functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
      ),
      ...section(10, this.functions.map(encodeBody)),
    ]);
  }
}

/** What engines allow in one function (WebAssembly JavaScript Interface, implementation-defined limits). */
const mostLocals = 50_000;
const mostBytes = 7_654_321;

const tooLarge = (name: string, what: string): RangeError =>
  new RangeError(
    `the kernel ${name} ${what}, which no WebAssembly function may have: the formula is too long, compute it in several activations, or on the reference backend`,
  );

function encodeBody({ name, locals, code }: FunctionCode): number[] {
  const sink: Sink = { bytes: [], labels: [] };
  code.emit(sink);
  const groups = runs(locals).map(([type, count]) => [...unsigned(count), typeBytes[type]]);
  const body = [...vector(groups), ...sink.bytes, 0x0b];
  if (body.length > mostBytes) throw tooLarge(name, `has ${body.length} bytes of code`);
  return [...unsigned(body.length), ...body];
}

/** Equal neighbours as pairs of value and count. */
function runs(types: readonly ValueType[]): [ValueType, number][] {
  const groups: [ValueType, number][] = [];
  for (const type of types) {
    const last = groups.at(-1);
    if (last?.[0] === type) last[1]++;
    else groups.push([type, 1]);
  }
  return groups;
}

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const typeVector = (types: readonly ValueType[]): number[] => vector(types.map((type) => [typeBytes[type]]));
const text = (name: string): number[] => vector([...name].map((letter) => [letter.charCodeAt(0)]));

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items);
  return [id, ...unsigned(content.length), ...content];
}
