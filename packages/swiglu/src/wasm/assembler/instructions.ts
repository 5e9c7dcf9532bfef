// WebAssembly instructions under the specification's names, as functions from typed operands to typed code.
// Only instructions that the kernels use are here. Opcodes: WebAssembly core specification 2.0, relaxed SIMD proposal.
import { type Code, instruction, type ResultType, signed, unsigned, type ValueType } from "./code.js";

type Types = readonly ValueType[];
type Operands<P extends Types> = { readonly [I in keyof P]: Code<P[I]> };

/** An instruction with the given operand types and result. */
function op<const P extends Types, T extends ResultType>(
  name: string,
  opcode: readonly number[],
  types: P,
  type: T,
) {
  return (...operands: Operands<P>): Code<T> =>
    instruction(name, opcode, types, type, operands as readonly Code[]);
}

const simd = (code: number): number[] => [0xfd, ...unsigned(code)];
const v = ["v128"] as const;
const vv = ["v128", "v128"] as const;
const vvv = ["v128", "v128", "v128"] as const;
const ii = ["i32", "i32"] as const;
const ff = ["f32", "f32"] as const;

/** A load: from an address, with a constant offset in bytes. */
function load<T extends ValueType>(name: string, opcode: readonly number[], type: T) {
  return (address: Code<"i32">, offset = 0): Code<T> =>
    instruction(name, [...opcode, 0, ...unsigned(offset)], ["i32"], type, [address]);
}
function store<T extends ValueType>(name: string, opcode: readonly number[], type: T) {
  return (address: Code<"i32">, value: Code<T>, offset = 0): Code<"none"> =>
    instruction(name, [...opcode, 0, ...unsigned(offset)], ["i32", type], "none", [address, value]);
}

export const i32 = {
  const: (value: number): Code<"i32"> => instruction("i32.const", [0x41, ...signed(value)], [], "i32", []),
  eqz: op("i32.eqz", [0x45], ["i32"], "i32"),
  eq: op("i32.eq", [0x46], ii, "i32"),
  lt_u: op("i32.lt_u", [0x49], ii, "i32"),
  gt_u: op("i32.gt_u", [0x4b], ii, "i32"),
  le_u: op("i32.le_u", [0x4d], ii, "i32"),
  ge_u: op("i32.ge_u", [0x4f], ii, "i32"),
  add: op("i32.add", [0x6a], ii, "i32"),
  sub: op("i32.sub", [0x6b], ii, "i32"),
  mul: op("i32.mul", [0x6c], ii, "i32"),
  and: op("i32.and", [0x71], ii, "i32"),
  shl: op("i32.shl", [0x74], ii, "i32"),
  load: load("i32.load", [0x28], "i32"),
  store: store("i32.store", [0x36], "i32"),
};

export const f32 = {
  const: (value: number): Code<"f32"> => {
    const bytes = new Uint8Array(Float32Array.of(value).buffer);
    return instruction("f32.const", [0x43, ...bytes], [], "f32", []);
  },
  load: load("f32.load", [0x2a], "f32"),
  store: store("f32.store", [0x38], "f32"),
  add: op("f32.add", [0x92], ff, "f32"),
  mul: op("f32.mul", [0x94], ff, "f32"),
};

export const v128 = {
  load: load("v128.load", simd(0x00), "v128"),
  load32_splat: load("v128.load32_splat", simd(0x09), "v128"),
  load32_zero: load("v128.load32_zero", simd(0x5c), "v128"),
  load64_zero: load("v128.load64_zero", simd(0x5d), "v128"),
  store: store("v128.store", simd(0x0b), "v128"),
  /** Stores the lower or the upper 64 bits. */
  store64_lane: (address: Code<"i32">, value: Code<"v128">, lane: 0 | 1, offset = 0): Code<"none"> =>
    instruction("v128.store64_lane", [...simd(0x5b), 0, ...unsigned(offset), lane], ["i32", "v128"], "none", [
      address,
      value,
    ]),
  not: op("v128.not", simd(0x4d), v, "v128"),
  and: op("v128.and", simd(0x4e), vv, "v128"),
  andnot: op("v128.andnot", simd(0x4f), vv, "v128"),
  or: op("v128.or", simd(0x50), vv, "v128"),
  xor: op("v128.xor", simd(0x51), vv, "v128"),
  /** Takes bits of the first operand where the mask (third) is 1, of the second where it is 0. */
  bitselect: op("v128.bitselect", simd(0x52), vvv, "v128"),
  any_true: op("v128.any_true", simd(0x53), v, "i32"),
};

export const i8x16 = {
  /** Bytes of both operands (0-15 the first, 16-31 the second), chosen by constant indices. */
  shuffle: (a: Code<"v128">, b: Code<"v128">, lanes: readonly number[]): Code<"v128"> =>
    instruction("i8x16.shuffle", [...simd(0x0d), ...lanes], vv, "v128", [a, b]),
};

export const i32x4 = {
  splat: op("i32x4.splat", simd(0x11), ["i32"], "v128"),
  add: op("i32x4.add", simd(0xae), vv, "v128"),
  sub: op("i32x4.sub", simd(0xb1), vv, "v128"),
  shl: op("i32x4.shl", simd(0xab), ["v128", "i32"], "v128"),
  shr_s: op("i32x4.shr_s", simd(0xac), ["v128", "i32"], "v128"),
  shr_u: op("i32x4.shr_u", simd(0xad), ["v128", "i32"], "v128"),
  trunc_sat_f32x4_s: op("i32x4.trunc_sat_f32x4_s", simd(0xf8), v, "v128"),
};

export const f64x2 = {
  add: op("f64x2.add", simd(0xf0), vv, "v128"),
  /** The lower two of four float32 lanes as float64. */
  promote_low_f32x4: op("f64x2.promote_low_f32x4", simd(0x5f), v, "v128"),
};

export const f32x4 = {
  splat: op("f32x4.splat", simd(0x13), ["f32"], "v128"),
  extract_lane: (lane: 0 | 1 | 2 | 3, value: Code<"v128">): Code<"f32"> =>
    instruction("f32x4.extract_lane", [...simd(0x1f), lane], v, "f32", [value]),
  eq: op("f32x4.eq", simd(0x41), vv, "v128"),
  ne: op("f32x4.ne", simd(0x42), vv, "v128"),
  lt: op("f32x4.lt", simd(0x43), vv, "v128"),
  gt: op("f32x4.gt", simd(0x44), vv, "v128"),
  le: op("f32x4.le", simd(0x45), vv, "v128"),
  ge: op("f32x4.ge", simd(0x46), vv, "v128"),
  abs: op("f32x4.abs", simd(0xe0), v, "v128"),
  neg: op("f32x4.neg", simd(0xe1), v, "v128"),
  sqrt: op("f32x4.sqrt", simd(0xe3), v, "v128"),
  add: op("f32x4.add", simd(0xe4), vv, "v128"),
  sub: op("f32x4.sub", simd(0xe5), vv, "v128"),
  mul: op("f32x4.mul", simd(0xe6), vv, "v128"),
  div: op("f32x4.div", simd(0xe7), vv, "v128"),
  min: op("f32x4.min", simd(0xe8), vv, "v128"),
  max: op("f32x4.max", simd(0xe9), vv, "v128"),
  /** `b < a ? b : a`: one instruction on x86, where `min` takes several. A NaN in a is kept, a NaN in b gives a. */
  pmin: op("f32x4.pmin", simd(0xea), vv, "v128"),
  /** `a < b ? b : a`. A NaN in a is kept, a NaN in b gives a. */
  pmax: op("f32x4.pmax", simd(0xeb), vv, "v128"),
  nearest: op("f32x4.nearest", simd(0x6a), v, "v128"),
  convert_i32x4_s: op("f32x4.convert_i32x4_s", simd(0xfa), v, "v128"),
  /** `a * b + c`, with one rounding or two as the machine prefers; relaxed SIMD. */
  relaxed_madd: op("f32x4.relaxed_madd", simd(0x105), vvv, "v128"),
  /** `c - a * b`; relaxed SIMD. */
  relaxed_nmadd: op("f32x4.relaxed_nmadd", simd(0x106), vvv, "v128"),
};

/** Waiting on and waking other threads, and counters that all of them see; shared memory only. */
const atomic = (code: number): number[] => [0xfe, ...unsigned(code)];
export const atomics = {
  /** memory.atomic.notify: wakes up to `count` waiters at the address; leaves how many. */
  notify: (address: Code<"i32">, count: Code<"i32">): Code<"i32"> =>
    instruction("memory.atomic.notify", [...atomic(0x00), 2, 0], ii, "i32", [address, count]),
  load: (address: Code<"i32">): Code<"i32"> =>
    instruction("i32.atomic.load", [...atomic(0x10), 2, 0], ["i32"], "i32", [address]),
  store: (address: Code<"i32">, value: Code<"i32">): Code<"none"> =>
    instruction("i32.atomic.store", [...atomic(0x17), 2, 0], ii, "none", [address, value]),
  add: (address: Code<"i32">, value: Code<"i32">): Code<"i32"> =>
    instruction("i32.atomic.rmw.add", [...atomic(0x1e), 2, 0], ii, "i32", [address, value]),
};

export const drop = (value: Code<ValueType>): Code<"none"> => ({
  type: "none",
  emit(sink) {
    value.emit(sink);
    sink.bytes.push(0x1a);
  },
});
