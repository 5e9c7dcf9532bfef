// An index out of range is an error that names it, its place and what may stand there: before a run for indices that are
// fed, moved about or shifted, when the graph is compiled for constants, and by the runtime for those that the graph computes.
import {
  add,
  cast,
  compile,
  concat,
  constant,
  crossEntropy,
  embedding,
  gatherElements,
  gradient,
  input,
  logLoss,
  maximum,
  minimum,
  mul,
  pad,
  reshape,
  scatterAdd,
  slice,
  split,
  sub,
  sum,
  type Tensor,
  Training,
  transpose,
} from "onnx-grad";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";

const table = input("table", [5, 2]);
const tableData = Array.from({ length: 10 }, (_, i) => i);
const logits = input("logits", [4, 3]);
const logitsData = Array.from({ length: 12 }, (_, i) => Math.sin(i));

/** What a graph says to feeds: "" where it runs. */
async function said(y: Tensor, feeds: Record<string, readonly number[] | BigInt64Array>): Promise<string> {
  const program = await compile(ort, { y }, { session: { logSeverityLevel: 4 } });
  const taken = program.model.inputs.map(({ name }) => name);
  const all: typeof feeds = { table: tableData, logits: logitsData, ...feeds };
  const given = taken.map((name) => [name, all[name]!] as const);
  const message = await program.run(Object.fromEntries(given)).then(
    () => "",
    (error: Error) => error.message,
  );
  await program.dispose();
  return message;
}

describe("indices that are fed", () => {
  for (const dtype of ["int32", "int64"] as const) {
    const ids = input("ids", [2, 2], dtype);
    const labels = input("labels", [4], dtype);
    const uses: Record<
      string,
      { y: Tensor; name: string; by: string; size: number; count: number; place: string }
    > = {
      embedding: {
        y: sum(embedding(table, ids)),
        name: "ids",
        by: "embedding",
        size: 5,
        count: 4,
        place: "[1,0]",
      },
      gatherElements: {
        y: sum(gatherElements(logits, reshape(labels, [4, 1]), 1)),
        ...{ name: "labels", by: "gatherElements", size: 3, count: 4, place: "[2]" },
      },
      scatterAdd: {
        y: sum(scatterAdd(logits, reshape(labels, [4, 1]), input("u", [4, 1]), 1)),
        ...{ name: "labels", by: "scatterAdd", size: 3, count: 4, place: "[2]" },
      },
      logLoss: {
        y: sum(logLoss(logits, labels)),
        ...{ name: "labels", by: "logLoss", size: 3, count: 4, place: "[2]" },
      },
      crossEntropy: {
        y: crossEntropy(logits, labels),
        ...{ name: "labels", by: "logLoss", size: 3, count: 4, place: "[2]" },
      },
      "the gradient of an embedding alone": {
        y: sum(gradient(sum(embedding(table, ids)), [table])[0]!),
        ...{ name: "ids", by: "embedding", size: 5, count: 4, place: "[1,0]" },
      },
      "the gradient of a cross-entropy": {
        y: sum(gradient(crossEntropy(logits, labels), [logits])[0]!),
        ...{ name: "labels", by: "logLoss", size: 3, count: 4, place: "[2]" },
      },
    };
    for (const [title, { y, name, by, size, count, place }] of Object.entries(uses)) {
      it(`${title}, ${dtype}: from 0 to ${size - 1}`, async () => {
        const u = [1, 2, 3, 4];
        const at = (value: number) => Array.from({ length: count }, (_, i) => (i === 2 ? value : i % size));
        for (const good of [0, size - 1]) expect(await said(y, { [name]: at(good), u })).toBe("");
        for (const bad of [-1, size, -size, 2 ** 31 - 1]) {
          expect(await said(y, { [name]: at(bad), u })).toBe(
            `${by}: the index ${bad} is out of range: input "${name}" has it at ${place}, where whole numbers from 0 to ${size - 1} are expected`,
          );
        }
      });
    }
  }

  it("padding takes labels below 0, not beyond the classes", async () => {
    const y = crossEntropy(logits, input("labels", [4], "int32"), { padding: true });
    expect(await said(y, { labels: [-1, 2, -7, 0] })).toBe("");
    expect(await said(y, { labels: [-1, 3, -7, 0] })).toMatch(
      /^logLoss: the index 3 is out of range: input "labels" has it at \[1\], where whole numbers up to 2 /,
    );
  });

  it("a BigInt64Array, and what is no whole number", async () => {
    const y = sum(embedding(table, input("ids", [2], "int64")));
    expect(await said(y, { ids: BigInt64Array.of(4n, 0n) })).toBe("");
    expect(await said(y, { ids: BigInt64Array.of(4n, 5n) })).toMatch(/the index 5 is out of range/);
    for (const bad of [1.5, Number.NaN])
      expect(await said(y, { ids: [0, bad] })).toMatch(`${bad} is not a whole number`);
  });

  it("a step of training is refused, changes nothing, and the next one is taken", async () => {
    const training = await Training.create(ort, {
      parameters: [{ name: "w", shape: [4, 3], decay: false }],
      loss: ({ w }) => crossEntropy(w!, input("labels", [4], "int32")),
    });
    for (const bad of [-1, 3])
      await expect(training.step({ labels: [0, 1, 2, bad] }, 0.1)).rejects.toThrow(
        `index ${bad} is out of range`,
      );
    expect(training.state.steps).toBe(0);
    expect(await training.step({ labels: [0, 1, 2, 2] }, 0.1)).toMatchObject({ applied: true });
    await training.dispose();
  });
});

describe("indices that are moved about or shifted first: only those that are read, at their place in the input", () => {
  const ids = input("ids", [2, 3], "int32");
  const good = [0, 1, 2, 3, 4, 0];
  const withAt = (position: number, value: number) => good.with(position, value);
  /** What is read, and the positions in the input that are not. */
  const ways: Record<string, readonly [Tensor, readonly number[]]> = {
    reshape: [reshape(ids, [-1]), []],
    transpose: [transpose(ids), []],
    "slice of an axis": [slice(ids, 1, 3, 1), [0, 3]],
    "slice of a transpose": [slice(transpose(ids), 0, 1, 0), [1, 2, 4, 5]],
    "transpose of a slice, reshaped": [reshape(transpose(slice(ids, 1, 3, 1)), [4]), [0, 3]],
    split: [split(ids, [1, 2], 1)[1]!, [0, 3]],
    "concat of two parts": [concat([slice(ids, 0, 1, 1), slice(ids, 2, 3, 1)], 1), [1, 4]],
    pad: [pad(ids, 1, 2, 1), []],
    "slice of a pad": [slice(pad(ids, 1, 2, 1), 0, 2, 1), [1, 2, 4, 5]],
    cast: [cast(ids, "int64"), []],
  };
  for (const [name, [indices, unread]] of Object.entries(ways)) {
    it(name, async () => {
      const y = sum(embedding(table, indices));
      expect(await said(y, { ids: good })).toBe("");
      for (let position = 0; position < 6; position++) {
        const place = `[${Math.floor(position / 3)},${position % 3}]`;
        const message = await said(y, { ids: withAt(position, 5) });
        if (unread.includes(position)) expect(message, place).toBe("");
        else expect(message).toContain(`the index 5 is out of range: input "ids" has it at ${place},`);
      }
    });
  }

  const shifts: Record<string, readonly [Tensor, good: readonly number[], bad: readonly number[]]> = {
    "add a number": [add(ids, 2), [-2, 2], [-3, 3]],
    "subtract a number": [sub(ids, 1), [1, 5], [0, 6]],
    "from a number": [sub(4, ids), [0, 4], [-1, 5]],
    "at least 0": [maximum(ids, 0), [-100, 4], [5]],
    "at most 4": [minimum(ids, 4), [0, 100], [-1]],
    "between 0 and 4": [minimum(maximum(ids, 0), 4), [-100, 100], []],
  };
  for (const [name, [indices, right, wrong]] of Object.entries(shifts)) {
    it(name, async () => {
      const y = sum(embedding(table, indices));
      for (const value of right) expect(await said(y, { ids: Array(6).fill(value) })).toBe("");
      for (const value of wrong)
        expect(await said(y, { ids: Array(6).fill(value) })).toContain(`the index ${value} is out of range`);
    });
  }
});

it("constant indices are checked when the graph is compiled", async () => {
  for (const bad of [-1, 5]) {
    await expect(compile(ort, { y: embedding(table, constant([0, bad], "int32")) })).rejects.toThrow(
      `embedding: the index ${bad} is out of range: a constant has it at [1], where whole numbers from 0 to 4 are expected`,
    );
  }
});

describe("indices that the graph computes: the runtime refuses them, negative ones too", () => {
  const ids = input("ids", [2], "int32");
  const computed = mul(ids, ids);
  const uses = {
    embedding: sum(embedding(table, sub(computed, 1))),
    "its gradient": sum(gradient(sum(embedding(table, sub(computed, 1))), [table])[0]!),
    logLoss: sum(logLoss(slice(logits, 0, 2, 0), sub(computed, 1))),
  };
  for (const [name, y] of Object.entries(uses)) {
    it(name, async () => {
      expect(await said(y, { ids: [1, -1] })).toBe("");
      for (const bad of [0, 5])
        expect(await said(y, { ids: [1, bad] })).toMatch(/out of data bounds|indices|index/);
    });
  }
});
