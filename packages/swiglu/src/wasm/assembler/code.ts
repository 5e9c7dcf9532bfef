// WebAssembly code as typed trees. Each piece knows the type that it leaves on the stack, and checks its operands when it is made.
// It is encoded only when a module is assembled, since branch depths are known only then.

export type ValueType = "i32" | "f32" | "v128";
/** What a piece of code leaves on the stack; `none` for statements. */
export type ResultType = ValueType | "none";

/** Receives bytes, and knows which blocks are open. */
export interface Sink {
  readonly bytes: number[];
  readonly labels: Label[];
}

/** A piece of code that leaves a `T` on the stack. */
export interface Code<T extends ResultType = ResultType> {
  readonly type: T;
  emit(sink: Sink): void;
}

/** The target of branches out of a block, or back to the start of a loop. */
export class Label {}

/** Numbers of the value types in the binary format. */
export const typeBytes: Readonly<Record<ResultType, number>> = {
  i32: 0x7f,
  f32: 0x7d,
  v128: 0x7b,
  none: 0x40,
};

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    const done = (rest >> 7 === 0 && (low & 0x40) === 0) || (rest >> 7 === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** Code made of an opcode's bytes after its operands. Throws a TypeError where an operand has another type. */
export function instruction<T extends ResultType>(
  name: string,
  opcode: readonly number[],
  operandTypes: readonly ValueType[],
  type: T,
  operands: readonly Code[],
): Code<T> {
  if (operands.length !== operandTypes.length)
    throw new TypeError(`${name} takes ${operandTypes.length} operands, got ${operands.length}`);
  operands.forEach((operand, i) => {
    if (operand.type !== operandTypes[i])
      throw new TypeError(`${name}: operand ${i + 1} is ${operand.type}, expected ${operandTypes[i]}`);
  });
  return {
    type,
    emit(sink) {
      for (const operand of operands) operand.emit(sink);
      for (const byte of opcode) sink.bytes.push(byte);
    },
  };
}

/** Statements one after the other. */
export function sequence(statements: readonly Code[]): Code<"none"> {
  for (const statement of statements)
    if (statement.type !== "none")
      throw new TypeError(
        `a statement leaves a ${statement.type} on the stack: set a local to it or drop it`,
      );
  return {
    type: "none",
    emit(sink) {
      for (const statement of statements) statement.emit(sink);
    },
  };
}

function structure(
  opcode: number,
  body: (label: Label) => readonly Code[],
  condition?: Code<"i32">,
): Code<"none"> {
  const label = new Label();
  const inner = sequence(body(label));
  return {
    type: "none",
    emit(sink) {
      condition?.emit(sink);
      sink.bytes.push(opcode, typeBytes.none);
      sink.labels.push(label);
      inner.emit(sink);
      sink.labels.pop();
      sink.bytes.push(0x0b);
    },
  };
}

/** A block of statements. A branch to the label leaves it. */
export const block = (body: (label: Label) => readonly Code[]): Code<"none"> => structure(0x02, body);
/** A loop. A branch to the label starts the statements again; without one the loop ends. */
export const loop = (body: (label: Label) => readonly Code[]): Code<"none"> => structure(0x03, body);
/** Statements that are run if the condition is not 0. */
export const when = (condition: Code<"i32">, body: readonly Code[]): Code<"none"> =>
  structure(0x04, () => body, condition);

function branch(opcode: number, label: Label, condition?: Code<"i32">): Code<"none"> {
  if (condition !== undefined && condition.type !== "i32")
    throw new TypeError(`br_if: the condition is ${String(condition.type)}, expected i32`);
  return {
    type: "none",
    emit(sink) {
      condition?.emit(sink);
      const depth = sink.labels.toReversed().indexOf(label);
      if (depth < 0) throw new Error("a branch leads to a block that does not surround it");
      sink.bytes.push(opcode, ...unsigned(depth));
    },
  };
}
export const br = (label: Label): Code<"none"> => branch(0x0c, label);
export const brIf = (label: Label, condition: Code<"i32">): Code<"none"> => branch(0x0d, label, condition);
