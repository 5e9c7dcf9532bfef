// Writes text with as few brackets as precedence allows: for people in print.ts, and for compilers in WGSL.
// What is written carries how tightly it binds; whoever puts it into something larger says how tightly it must bind there.

/** How tightly a text binds, from the loosest on. A choice is `a > b ? c : d`. An atom never needs brackets. */
export enum Binding {
  Choice,
  Sum,
  Product,
  Atom,
}

/** A piece of text, and how tightly it binds. */
export interface Written {
  readonly text: string;
  readonly binding: Binding;
}

export const atom = (text: string): Written => ({ text, binding: Binding.Atom });

/** What depends on how a notation writes its brackets. */
export function withBrackets(open: string, close: string) {
  /** The text of a part, in brackets if it binds less tightly than `least`. */
  const hold = ({ text, binding }: Written, least: Binding): string =>
    binding < least ? `${open}${text}${close}` : text;
  return {
    hold,
    /** `a operator b`. The operator groups from the left, so `right`, what b must bind, is one step tighter by default. */
    infix:
      (operator: string, binding: Binding.Sum | Binding.Product, right: Binding = binding + 1) =>
      (a: Written, b: Written): Written => ({
        text: `${hold(a, binding)}${operator}${hold(b, right)}`,
        binding,
      }),
    /** `name(a, b, ...)` */
    call:
      (name: string) =>
      (...args: readonly Written[]): Written =>
        atom(`${name}${open}${args.map(({ text }) => text).join(", ")}${close}`),
  };
}
