// The one walk over expressions: iterative, each shared part once, so that depth costs no stack and sharing no time.
// Whatever goes through expressions goes through it; nothing else in the library calls itself on operands.

/** All distinct nodes under the roots, each after its parts: the order in which a recursion would finish them. */
export function postOrder<N>(roots: readonly N[], partsOf: (node: N) => readonly N[]): N[] {
  const seen = new Set<N>();
  const order: N[] = [];
  const open: { readonly node: N; readonly parts: readonly N[]; next: number }[] = [];
  const enter = (node: N): void => {
    if (seen.has(node)) return;
    seen.add(node);
    open.push({ node, parts: partsOf(node), next: 0 });
  };
  for (const root of roots) {
    enter(root);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (top.next < top.parts.length) enter(top.parts[top.next++] as N);
      else {
        open.pop();
        order.push(top.node);
      }
    }
  }
  return order;
}
