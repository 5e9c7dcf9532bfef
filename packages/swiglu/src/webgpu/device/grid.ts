// Grids for a list of items: one invocation for each item. Where one dimension of workgroups is too short, there are two.

/** Invocations of a workgroup. */
const size = 256;
/** The most workgroups along a dimension that every device takes. */
const longest = 65535;

/** The workgroups for `count` items. */
export function flatGroups(count: number): [number, number] {
  const groups = Math.ceil(count / size);
  const rows = Math.ceil(groups / longest);
  return [Math.ceil(groups / Math.max(rows, 1)), rows];
}

/** The beginning of such a kernel's entry point. `i` is the item, which may be beyond the last one. */
export const flatIndex = `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${size}u + lane;`;
