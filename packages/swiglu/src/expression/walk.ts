// The one walk over expressions: iterative, each shared part once, so that depth costs no stack and sharing no time.
// Whatever goes through expressions goes through it; nothing else in the library calls itself on operands.

/** All distinct nodes under the roots, each after its parts: the order in which a recursion would finish them. */
export function postOrder<N>(roots: readonly N[], partsOf: (node: N) => readonly N[]): N[] {
  const seen = new Set<N>();
  const order: N[] = [];
  // Open nodes, their parts, and how many of those have been entered: three lists, since this is what long formulas wait for.
  const nodes: N[] = [];
  const parts: (readonly N[])[] = [];
  const entered: number[] = [];
  const enter = (node: N): void => {
    if (seen.has(node)) return;
    seen.add(node);
    nodes.push(node);
    parts.push(partsOf(node));
    entered.push(0);
  };
  for (const root of roots) {
    enter(root);
    while (nodes.length > 0) {
      const top = nodes.length - 1;
      const next = entered[top] as number;
      const own = parts[top] as readonly N[];
      if (next < own.length) {
        entered[top] = next + 1;
        enter(own[next] as N);
      } else {
        order.push(nodes.pop() as N);
        parts.pop();
        entered.pop();
      }
    }
  }
  return order;
}
