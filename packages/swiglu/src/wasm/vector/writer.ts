// Writes SIMD code without branches. The result of each operation is a local variable; constants are set once, before the loop.
import type { Code } from "../assembler/code.js";
import { f32, f32x4 } from "../assembler/instructions.js";
import type { Body, Local } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";

/** Four float32 lanes in a local variable. */
export type Vector = Local<"v128">;

export class VectorWriter {
  /** The code that sets the constants, to be placed before the loop. */
  readonly prelude: Code<"none">[] = [];
  private statements: Code<"none">[] = [];
  private readonly constants = new Map<string, Vector>();
  private readonly fixed = new Set<Vector>();
  private remembered = new Map<string, Vector>();
  private readonly numbers = new Map<Vector, number>();

  constructor(
    private readonly body: Body,
    readonly simd: Simd,
  ) {}

  /** Computes a value in each pass through the loop. */
  let(value: Code<"v128">): Vector {
    const local = this.local();
    this.statements.push(local.set(value));
    return local;
  }

  /** Adds a statement to the loop. */
  do(statement: Code<"none">): void {
    this.statements.push(statement);
  }

  /** Returns the code of one pass through the loop: all that was written since the last call. The next pass begins anew. */
  take(): Code<"none">[] {
    const taken = this.statements;
    this.statements = [];
    this.remembered = new Map();
    return taken;
  }

  /** A vector with the same number in all lanes. */
  constant(value: number): Vector {
    return this.outside(`f32 ${Object.is(value, -0) ? "-0" : value}`, () => f32x4.splat(f32.const(value)));
  }

  /** A value that is the same in all passes. It is computed before the loop, once for each key. */
  outside(key: string, value: () => Code<"v128">): Vector {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const local = this.local();
    this.prelude.push(local.set(value()));
    this.constants.set(key, local);
    this.fixed.add(local);
    return local;
  }

  /** Whether a vector is a constant or a parameter, which never changes and is never NaN. */
  isOutside(vector: Vector): boolean {
    return this.fixed.has(vector);
  }

  /** The result of a computation on a vector, which is written once in each pass. Several functions share an exponential by it. */
  once(name: string, of: Vector, compute: () => Vector): Vector {
    const key = `${name} ${this.numberOf(of)}`;
    const known = this.remembered.get(key) ?? compute();
    this.remembered.set(key, known);
    return known;
  }

  /** `a b + c` */
  multiplyAdd(a: Vector, b: Vector, c: Vector): Vector {
    const [x, y, z] = [a.get(), b.get(), c.get()];
    return this.let(this.simd === "relaxed" ? f32x4.relaxed_madd(x, y, z) : f32x4.add(f32x4.mul(x, y), z));
  }

  /** `c - a b` */
  subtractProduct(a: Vector, b: Vector, c: Vector): Vector {
    const [x, y, z] = [a.get(), b.get(), c.get()];
    return this.let(this.simd === "relaxed" ? f32x4.relaxed_nmadd(x, y, z) : f32x4.sub(z, f32x4.mul(x, y)));
  }

  /**
   * The polynomial with these coefficients, lowest power first, as pairs of terms that Horner's rule in t^2 joins. It has one
   * product more than Horner's rule in t, but half as many operations wait for each other.
   */
  polynomial(coefficients: readonly number[], t: Vector): Vector {
    const square = this.let(f32x4.mul(t.get(), t.get()));
    const pairs = Array.from({ length: Math.ceil(coefficients.length / 2) }, (_, i) => {
      const [even = 0, odd] = coefficients.slice(2 * i, 2 * i + 2);
      return odd === undefined
        ? this.constant(even)
        : this.multiplyAdd(this.constant(odd), t, this.constant(even));
    });
    return pairs.reduceRight((sum, pair) => this.multiplyAdd(sum, square, pair));
  }

  local(): Vector {
    return this.body.local("v128");
  }

  private numberOf(vector: Vector): number {
    const known = this.numbers.get(vector) ?? this.numbers.size;
    this.numbers.set(vector, known);
    return known;
  }
}
