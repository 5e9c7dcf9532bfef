// Which examples are copies of each other in part: what is published beside the scores, so that all can be recomputed.

/**
 * The groups that have two members or more, by the members' names.
 *
 * @param names of the examples
 * @param groups of each example, as a number
 * @example groupsOfTwo(["a", "b", "c"], [0, 1, 0]) // [["a", "c"]]
 */
export function groupsOfTwo(names: readonly string[], groups: readonly number[]): string[][] {
  const members = new Map<number, string[]>();
  groups.forEach((group, i) => {
    const own = members.get(group);
    if (own === undefined) members.set(group, [names[i]!]);
    else own.push(names[i]!);
  });
  return [...members.values()].filter((own) => own.length > 1);
}
