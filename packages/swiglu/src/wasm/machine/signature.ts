// A kernel's signature. From this one value come the WebAssembly types, the locals that the writer of the kernel finds by name,
// and the record that its caller must fill. The order of arguments is written nowhere else, so nobody can swap two of them.
import type { Code } from "../assembler/code.js";
import type { Body, Local, ModuleBuilder } from "../assembler/module.js";

/** An argument of a kernel: one number, several by name, or a list. */
type Argument = "i32" | "f32" | Fields | readonly Argument[];
export interface Fields {
  readonly [name: string]: Argument | undefined;
}

/** What the caller passes: a number for each scalar, under the same names. Addresses are in bytes. */
export type Given<A> = A extends "i32" | "f32"
  ? number
  : A extends readonly (infer E)[]
    ? readonly Given<E>[]
    : A extends object
      ? { readonly [N in keyof A]: Given<A[N]> }
      : A;

/** What the writer of the kernel gets: a local for each scalar, under the same names. */
export type Taken<A> = A extends "i32" | "f32"
  ? Local<A>
  : A extends readonly (infer E)[]
    ? readonly Taken<E>[]
    : A extends object
      ? { readonly [N in keyof A]: Taken<A[N]> }
      : A;

/** A kernel of a module: its name there, and its arguments. */
export interface Kernel<S extends Fields> {
  readonly name: string;
  readonly takes: S;
}

/**
 * Describes a kernel, for `addKernel` and `LoadedModule.run`:
 *
 *     const fill = kernel("fill", { to: "i32", value: "f32" });
 *     addKernel(module, fill, (body, { to, value }) => [f32.store(to.get(), value.get())]);
 *     loaded.run(fill, [[{ to: 1024, value: 0.5 }]]);
 */
export const kernel = <const S extends Fields>(name: string, takes: S): Kernel<S> => ({ name, takes });

/** Adds a kernel to a module. `write` gets its arguments by name. */
export function addKernel<S extends Fields>(
  module: ModuleBuilder,
  { name, takes }: Kernel<S>,
  write: (body: Body, given: Taken<S>) => readonly Code[],
): void {
  const types = scalarsOf(takes);
  module.function(name, types, (body, ...locals: readonly Local[]) => {
    const rest = locals.values();
    return write(body, replaced(takes, () => rest.next().value) as Taken<S>);
  });
}

/** The arguments of one call as numbers, in the order of the kernel's signature. */
export function numbersOf<S extends Fields>({ takes }: Kernel<S>, given: Given<S>): number[] {
  const numbers: number[] = [];
  collect(takes, given, numbers);
  return numbers;
}

function scalarsOf(argument: Argument | undefined): ("i32" | "f32")[] {
  if (argument === undefined) return [];
  if (typeof argument === "string") return [argument];
  return Object.values(argument).flatMap(scalarsOf);
}

/** The structure of an argument, with what `next` returns for each scalar. */
function replaced(argument: Argument | undefined, next: () => unknown): unknown {
  if (argument === undefined) return undefined;
  if (typeof argument === "string") return next();
  if (Array.isArray(argument)) return argument.map((element: Argument) => replaced(element, next));
  return Object.fromEntries(Object.entries(argument).map(([name, inner]) => [name, replaced(inner, next)]));
}

function collect(argument: Argument | undefined, given: unknown, numbers: number[]): void {
  if (argument === undefined) return;
  if (typeof argument === "string") {
    numbers.push(given as number);
    return;
  }
  // A loop over a list is much faster than one over its names, and calls of small arrays notice.
  if (Array.isArray(argument)) {
    for (let i = 0; i < argument.length; i++) collect(argument[i], (given as readonly unknown[])[i], numbers);
    return;
  }
  const [inner, values] = [argument as Fields, given as Readonly<Record<string, unknown>>];
  for (const name in inner) collect(inner[name], values[name], numbers);
}
