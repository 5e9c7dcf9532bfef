// Writes straight-line SIMD code: each step's result goes to a local, constants are set once before the loop.
import type { Code } from "../assembler/code.js";
import { f32, f32x4 } from "../assembler/instructions.js";
import type { Body, Local } from "../assembler/module.js";
import type { Simd } from "../machine/features.js";

/** Four float32 lanes in a local variable. */
export type Vector = Local<"v128">;

export class VectorWriter {
  /** Sets the constants; goes before the loop. */
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

  /** Computes a value in this step of the loop. */
  let(value: Code<"v128">): Vector {
    const local = this.local();
    this.statements.push(local.set(value));
    return local;
  }

  do(statement: Code<"none">): void {
    this.statements.push(statement);
  }

  /** Everything written since the last call: one pass through the loop. What it remembered is forgotten. */
  take(): Code<"none">[] {
    const taken = this.statements;
    this.statements = [];
    this.remembered = new Map();
    return taken;
  }

  /** The same number in all lanes. */
  constant(value: number): Vector {
    return this.outside(`f32 ${Object.is(value, -0) ? "-0" : value}`, () => f32x4.splat(f32.const(value)));
  }

  /** A value that does not change from one pass to the next, computed before the loop. */
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

  /** The result of a computation on a vector, made once in each pass: several functions share an exponential. */
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
   * The polynomial with these coefficients, lowest power first: pairs of terms, joined by Horner's rule in t^2. That is one
   * product more than Horner's rule in t, but half as many steps wait for each other.
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
