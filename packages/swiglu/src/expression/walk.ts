// The one walk over expressions. It is a loop, so that deep expressions need no stack, and visits shared parts once.
// All code that goes through expressions uses it. No other function in the library calls itself on operands.

/** All distinct nodes under the roots, each behind its parts, in the order in which a recursion would finish them. */
export function postOrder<N>(roots: readonly N[], partsOf: (node: N) => readonly N[]): N[] {
  const seen = new Set<N>();
  const order: N[] = [];
  // The open nodes, their parts, and how many of those have been entered. Three lists are faster than a list of objects.
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
