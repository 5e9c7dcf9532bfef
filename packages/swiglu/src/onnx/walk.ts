// Walks over expressions and nodes with a stack of their own: those of real models are deeper than JavaScript's.

/** Visits each node once, after all that it stands on (`behind`), in their order: what recursion would do. */
export function visitInOrder<T>(
  roots: readonly T[],
  behind: (node: T) => readonly T[],
  visit: (node: T) => void,
): void {
  const done = new Set<T>();
  for (const root of roots) {
    const stack = [{ node: root, rest: behind(root), next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { node, rest } = top;
      const inner = rest[top.next++];
      if (done.has(node)) stack.pop();
      else if (inner !== undefined) {
        if (!done.has(inner)) stack.push({ node: inner, rest: behind(inner), next: 0 });
      } else {
        done.add(node);
        visit(node);
        stack.pop();
      }
    }
  }
}
