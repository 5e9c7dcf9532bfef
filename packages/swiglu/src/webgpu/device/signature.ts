// A kernel's signature on the GPU. From this one value come the declarations in WGSL and the record that the caller must fill.
// The order of bindings and of uniform numbers is written nowhere else, so nobody can swap two of them.
import type { Place } from "./buffers.js";

/** A storage binding: its name in WGSL, and the type of its elements there. */
export interface Binding {
  readonly name: string;
  readonly access: "read" | "read_write";
  readonly type: string;
}

/** The storage bindings of a kernel, in the order of their numbers. A name stands for one binding or a list. */
export interface Bindings {
  readonly [name: string]: Binding | readonly Binding[] | undefined;
}

/** The uniform numbers of a kernel: the variable that has them, and the name of its structure, if it is one. */
export interface Uniform<W extends string> {
  readonly variable: string;
  readonly struct?: string;
  readonly words: readonly W[];
}

/** The signature of a kernel. */
export interface Signature<B extends Bindings, W extends string> {
  readonly bindings: B;
  readonly uniform: Uniform<W>;
}

/** What the caller passes for bindings: a place for each, under the same names. */
export type Places<B> = {
  readonly [N in keyof B]: B[N] extends readonly Binding[]
    ? readonly Place[]
    : B[N] extends Binding
      ? Place
      : Binding extends B[N]
        ? Place | undefined
        : undefined;
};

/** What the caller passes for uniform numbers: a u32 for each, under the same names. */
export type Words<W extends string> = Readonly<Record<W, number>>;

const listed = (bindings: Bindings): readonly Binding[] =>
  Object.values(bindings).flatMap((binding) => binding ?? []);

/** The declarations of a kernel in WGSL: the structure of its uniform numbers, if it has one, and all bindings. */
export function declarations<B extends Bindings, W extends string>({
  bindings,
  uniform,
}: Signature<B, W>): { readonly struct: string; readonly bound: string } {
  const { variable, struct, words } = uniform;
  const storage = listed(bindings).map(
    ({ name, access, type }) => `var<storage, ${access}> ${name}: array<${type}>;`,
  );
  const all = [...storage, `var<uniform> ${variable}: ${struct ?? "u32"};`];
  return {
    struct:
      struct === undefined ? "" : `struct ${struct} { ${words.map((name) => `${name}: u32`).join(", ")} }`,
    bound: all.map((text, i) => `@group(0) @binding(${i}) ${text}`).join("\n"),
  };
}

/** The places of a call in the order of the kernel's bindings. Throws an Error where a list has another length. */
export function placesInOrder<B extends Bindings>(bindings: B, places: Places<B>): Place[] {
  return Object.entries(bindings).flatMap(([name, binding]) => {
    const given = places[name];
    const wanted = binding === undefined ? 0 : Array.isArray(binding) ? binding.length : 1;
    const all: readonly Place[] = given === undefined ? [] : Array.isArray(given) ? given : [given];
    if (all.length !== wanted)
      throw new Error(`this kernel takes ${wanted} bindings as ${name}, the call has ${all.length}`);
    return all;
  });
}

/** The uniform numbers of a call in the order of the kernel's words. */
export const wordsInOrder = <W extends string>({ words }: Uniform<W>, given: Words<W>): number[] =>
  words.map((name) => given[name]);
