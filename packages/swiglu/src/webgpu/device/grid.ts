// Grids of workgroups for flat work: one invocation for each item, over two dimensions where one is too short.

/** Invocations of a workgroup. */
const size = 256;
/** Workgroups along a dimension: every device takes so many. */
const longest = 65535;

/** The workgroups for `count` items. */
export function flatGroups(count: number): [number, number] {
  const groups = Math.ceil(count / size);
  const rows = Math.ceil(groups / longest);
  return [Math.ceil(groups / Math.max(rows, 1)), rows];
}

/** The head of a kernel's entry point over flat work: `i` is the item, which may be past the last one. */
export const flatIndex = `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${size}u + lane;`;
