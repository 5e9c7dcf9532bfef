// The matrix products as they are generated: readable, and one comment that says what they compute. Numbers are checked by
// the blocks that use them.
import { expect, test } from "vitest";
import { plainEpilogue } from "../../src/webgpu/block/epilogue-kernels.js";
import { rowsKernel } from "../../src/webgpu/product/rows-kernel.js";
import { tileKernel } from "../../src/webgpu/product/tile-kernel.js";

test("a product with a bias, in tiles", () => {
  const epilogue = plainEpilogue("f32", 1, "bias");
  const product = { storage: "f32", lefts: "outer", rights: "inner", sums: [[[0, 0]]], epilogue } as const;
  expect(tileKernel(product, 32).code()).toMatchInlineSnapshot(`
    "// Matrix product plus bias
    alias numbers = vec4<f32>;
    // Strides are in vectors of four numbers.
    struct Sizes { rows: u32, columns: u32, inner: u32, leftStride: u32, rightStride: u32 }
    @group(0) @binding(0) var<storage, read> left0: array<vec4<f32>>;
    @group(0) @binding(1) var<storage, read> right0: array<vec4<f32>>;
    @group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
    @group(0) @binding(3) var<storage, read_write> result0: array<vec4<f32>>;
    @group(0) @binding(4) var<uniform> sizes: Sizes;

    fn store(row: u32, quad: u32, sum0: vec4f) {
      let quads = (sizes.columns + 3u) / 4u;
      let i = row * quads + quad;
      result0[i] = numbers(sum0 + bias[quad]);
    }

    fn left0At(row: u32, quad: u32) -> numbers {
      if (row >= sizes.rows || 4u * quad >= sizes.inner) { return numbers(); }
      return left0[row * sizes.leftStride + quad];
    }
    fn right0At(row: u32, quad: u32) -> numbers {
      if (row >= sizes.inner || 4u * quad >= sizes.columns) { return numbers(); }
      return right0[row * sizes.rightStride + quad];
    }

    var<workgroup> left0Tile: array<array<numbers, 8>, 16>;
    var<workgroup> right0Tile: array<array<numbers, 16>, 16>;

    @compute @workgroup_size(16, 8)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(local_invocation_id) at: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let firstRow = group.y * 32u;
      let firstColumn = group.x * 64u;
      var sum0 = array<vec4f, 4>();
      for (var k = 0u; k < sizes.inner; k += 16u) {
        if (lane < 32u) {
          let block = lane;
          let row = firstRow + 4u * (block / 4u);
          let quad = k / 4u + block % 4u;
          let columns = transpose(mat4x4<f32>(
            left0At(row, quad), left0At(row + 1u, quad), left0At(row + 2u, quad), left0At(row + 3u, quad),
          ));
          let to = 4u * (block % 4u);
          left0Tile[to + 0u][block / 4u] = columns[0];
          left0Tile[to + 1u][block / 4u] = columns[1];
          left0Tile[to + 2u][block / 4u] = columns[2];
          left0Tile[to + 3u][block / 4u] = columns[3];
        }
        right0Tile[lane / 16u][lane % 16u] = right0At(k + lane / 16u, firstColumn / 4u + lane % 16u);
        right0Tile[(lane + 128u) / 16u][(lane + 128u) % 16u] = right0At(k + (lane + 128u) / 16u, firstColumn / 4u + (lane + 128u) % 16u);
        workgroupBarrier();
        let end = min(k + 16u, sizes.inner);
        for (var inner = k; inner < end; inner += 4u) {
          for (var part = 0u; part < 4u; part++) { // four at a time, for compilers to unroll; past the end there are zeros
            let i = inner % 16u + part;
            let rows0 = vec4f(left0Tile[i][at.y]);
            let columns0 = vec4f(right0Tile[i][at.x]);
            sum0[0] = fma(vec4f(rows0.x), columns0, sum0[0]);
            sum0[1] = fma(vec4f(rows0.y), columns0, sum0[1]);
            sum0[2] = fma(vec4f(rows0.z), columns0, sum0[2]);
            sum0[3] = fma(vec4f(rows0.w), columns0, sum0[3]);
          }
        }
        workgroupBarrier();
      }
      let quad = firstColumn / 4u + at.x;
      if (4u * quad >= sizes.columns) { return; }
      let first = firstRow + 4u * at.y;
      // Copies, so that the sums themselves can stay in registers.
      var finished0 = sum0;
      for (var row = first; row < min(first + 4u, sizes.rows); row++) {
        store(row, quad, finished0[row - first]);
      }
    }
    "
  `);
});

test("one row, brought together in subgroups of at least 8", () => {
  const epilogue = plainEpilogue("f32", 1);
  const product = { storage: "f32", lefts: "outer", rights: "inner", sums: [[[0, 0]]], epilogue } as const;
  const code = rowsKernel(product, 1, 8).code();
  expect(code.slice(0, code.indexOf("\n"))).toBe("enable subgroups;");
  expect(code.slice(code.indexOf("var<workgroup>"))).toMatchInlineSnapshot(`
    "var<workgroup> part0: array<array<array<vec4f, 4>, 16>, 1>;

    @compute @workgroup_size(128)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(local_invocation_index) lane: u32,
      @builtin(subgroup_size) together: u32,
    ) {
      let at = vec2u(lane % 4u, lane / 4u);
      let quad = group.x * 4u + at.x;
      let inside = 4u * quad < sizes.columns;
      var sum0 = array<vec4f, 1>();
      for (var k = 4u * at.y; inside && k < sizes.inner; k += 128u) {
        let row0_0 = vec4f(left0[0u * sizes.leftStride + k / 4u]);
        {
          let columns0 = vec4f(right0[(k + 0u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.x), columns0, sum0[0]);
        }
        {
          let columns0 = vec4f(right0[(k + 1u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.y), columns0, sum0[0]);
        }
        {
          let columns0 = vec4f(right0[(k + 2u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.z), columns0, sum0[0]);
        }
        {
          let columns0 = vec4f(right0[(k + 3u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.w), columns0, sum0[0]);
        }
      }
      // Invocations 4, 8, ... apart have sums of the same columns.
      for (var step = 4u; step < together; step *= 2u) {
        sum0[0] += subgroupShuffleXor(sum0[0], step);
      }
      let span = max(together, 4u);
      if (lane % span < 4u) {
        part0[0][lane / span][at.x] = sum0[0];
      }
      workgroupBarrier();
      if (!inside || at.y >= 1u) { return; }
      var total0 = vec4f();
      for (var i = 0u; i < 128u / span; i++) {
        total0 += part0[at.y][i][at.x];
      }
      store(at.y, quad, total0);
    }
    "
  `);
});

test("two products with a common left operand, two rows, in float16", () => {
  const epilogue = plainEpilogue("f16", 2);
  const sums = [[[0, 0]], [[0, 1]]] as const;
  const product = { storage: "f16", lefts: "outer", rights: "inner", sums, epilogue } as const;
  expect(rowsKernel(product, 2).code()).toMatchInlineSnapshot(`
    "enable f16;
    // Matrix products with a common operand; 2 rows, weights streamed
    alias numbers = vec4<f16>;
    // Strides are in vectors of four numbers.
    struct Sizes { rows: u32, columns: u32, inner: u32, leftStride: u32, rightStride: u32 }
    @group(0) @binding(0) var<storage, read> left0: array<vec4<f16>>;
    @group(0) @binding(1) var<storage, read> right0: array<vec4<f16>>;
    @group(0) @binding(2) var<storage, read> right1: array<vec4<f16>>;
    @group(0) @binding(3) var<storage, read_write> result0: array<vec4<f16>>;
    @group(0) @binding(4) var<storage, read_write> result1: array<vec4<f16>>;
    @group(0) @binding(5) var<uniform> sizes: Sizes;

    fn store(row: u32, quad: u32, sum0: vec4f, sum1: vec4f) {
      let quads = (sizes.columns + 3u) / 4u;
      let i = row * quads + quad;
      result0[i] = numbers(sum0);
      result1[i] = numbers(sum1);
    }

    var<workgroup> part0: array<array<array<vec4f, 8>, 16>, 2>;
    var<workgroup> part1: array<array<array<vec4f, 8>, 16>, 2>;

    @compute @workgroup_size(128)
    fn main(
      @builtin(workgroup_id) group: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let at = vec2u(lane % 8u, lane / 8u);
      let quad = group.x * 8u + at.x;
      let inside = 4u * quad < sizes.columns;
      var sum0 = array<vec4f, 2>();
      var sum1 = array<vec4f, 2>();
      for (var k = 4u * at.y; inside && k < sizes.inner; k += 64u) {
        let row0_0 = vec4f(left0[0u * sizes.leftStride + k / 4u]);
        let row0_1 = vec4f(left0[1u * sizes.leftStride + k / 4u]);
        {
          let columns0 = vec4f(right0[(k + 0u) * sizes.rightStride + quad]);
          let columns1 = vec4f(right1[(k + 0u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.x), columns0, sum0[0]);
          sum0[1] = fma(vec4f(row0_1.x), columns0, sum0[1]);
          sum1[0] = fma(vec4f(row0_0.x), columns1, sum1[0]);
          sum1[1] = fma(vec4f(row0_1.x), columns1, sum1[1]);
        }
        {
          let columns0 = vec4f(right0[(k + 1u) * sizes.rightStride + quad]);
          let columns1 = vec4f(right1[(k + 1u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.y), columns0, sum0[0]);
          sum0[1] = fma(vec4f(row0_1.y), columns0, sum0[1]);
          sum1[0] = fma(vec4f(row0_0.y), columns1, sum1[0]);
          sum1[1] = fma(vec4f(row0_1.y), columns1, sum1[1]);
        }
        {
          let columns0 = vec4f(right0[(k + 2u) * sizes.rightStride + quad]);
          let columns1 = vec4f(right1[(k + 2u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.z), columns0, sum0[0]);
          sum0[1] = fma(vec4f(row0_1.z), columns0, sum0[1]);
          sum1[0] = fma(vec4f(row0_0.z), columns1, sum1[0]);
          sum1[1] = fma(vec4f(row0_1.z), columns1, sum1[1]);
        }
        {
          let columns0 = vec4f(right0[(k + 3u) * sizes.rightStride + quad]);
          let columns1 = vec4f(right1[(k + 3u) * sizes.rightStride + quad]);
          sum0[0] = fma(vec4f(row0_0.w), columns0, sum0[0]);
          sum0[1] = fma(vec4f(row0_1.w), columns0, sum0[1]);
          sum1[0] = fma(vec4f(row0_0.w), columns1, sum1[0]);
          sum1[1] = fma(vec4f(row0_1.w), columns1, sum1[1]);
        }
      }
      part0[0][at.y][at.x] = sum0[0];
      part1[0][at.y][at.x] = sum1[0];
      part0[1][at.y][at.x] = sum0[1];
      part1[1][at.y][at.x] = sum1[1];
      workgroupBarrier();
      if (!inside || at.y >= 2u) { return; }
      var total0 = vec4f();
      var total1 = vec4f();
      for (var i = 0u; i < 16u; i++) {
        total0 += part0[at.y][i][at.x];
        total1 += part1[at.y][i][at.x];
      }
      store(at.y, quad, total0, total1);
    }
    "
  `);
});
