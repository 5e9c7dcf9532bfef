// Damaged, hostile and foreign files: each gives a model or a sentence of ours, soon, in little memory.
import { describe, expect, test } from "vitest";
import { encodeMessage } from "../../src/onnx/file/write.js";
import { decodeExternal, decodeModel, encodeExternal, encodeModel } from "../../src/onnx-entry.js";
import { slowExtent } from "../conformance/extent.js";
import { models } from "./files.js";

const value = (name: string) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } },
});
const node = { input: ["x"], output: ["y"], opType: "Relu", attribute: [] };
const tensor = { name: "w", dims: [2], dataType: 1, rawData: new Uint8Array(8), externalData: [] };
const graph = { node: [node], initializer: [tensor], input: [value("x")], output: [value("y")] };
const opsetImport = [{ domain: "", version: 21 }];

/** The file of a model that is right but for these parts. */
function file(parts: object, model: object = {}): Uint8Array {
  const message = { graph: { ...graph, ...parts }, opsetImport, functions: [], ...model };
  return Buffer.concat(encodeMessage("ModelProto", message as never));
}
const attribute = (more: object) => ({
  node: [{ ...node, attribute: [{ name: "a", type: 2, floats: [], ints: [], ...more }] }],
});

test("the file without a fault is read", () => {
  expect(decodeModel(file({}))).toMatchObject({ opset: 21, nodes: [{ opType: "Relu" }] });
});

const bytes = (...all: number[]) => Uint8Array.from(all);
const text = (words: string) => new TextEncoder().encode(words);
/** A valid file with bytes behind it, which belong to the model's message. */
const followed = (...more: number[]) => Buffer.concat([file({}), bytes(...more)]);

const sentences: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "no bytes": [bytes(), /^the file holds no ONNX graph/],
  "no graph": [bytes(8, 10), /^the file holds no ONNX graph/],
  "a text": [text("hello, this is not a model"), /^this is no ONNX file.*wire type|^this is no ONNX file/],
  "no opset": [file({}, { opsetImport: [] }), /^the file does not say which version of ONNX's operators/],
  "opset -1": [file({}, { opsetImport: [{ version: -1 }] }), /^the file says version -1/],
  "an input without a type": [
    file({ input: [{ name: "x" }] }),
    /graph\.input\[0\]\.type is missing \(near byte \d+\)/,
  ],
  "an input of another kind": [
    file({ input: [value("x"), { name: "x", type: {} }] }),
    /graph\.input\[1\]\.type\.tensorType is missing/,
  ],
  "an output without a shape": [
    file({ output: [{ name: "y", type: { tensorType: { elemType: 1 } } }] }),
    /graph\.output\[0\]\.type\.tensorType\.shape is missing/,
  ],
  "an input without a name": [
    file({ input: [{ ...value(""), name: "" }] }),
    /graph\.input\[0\]\.name is missing/,
  ],
  "a negative size": [
    file({
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: -3 }] } } } }],
    }),
    /^tensor "x" has the size -3 at axis 0/,
  ],
  "an axis without a size": [
    file({ input: [{ name: "x", type: { tensorType: { elemType: 1, shape: { dim: [{}, {}] } } } }] }),
    /^tensor "x" has neither a size nor a name at axis 0/,
  ],
  "an element type that is not known": [
    file({ input: [{ name: "x", type: { tensorType: { elemType: 8, shape: { dim: [] } } } }] }),
    /^tensor "x" has ONNX element type 8; only float32/,
  ],
  "a tensor with a negative size": [
    file({ initializer: [{ ...tensor, dims: [-1, 2] }] }),
    /^tensor "w" has a size of -1/,
  ],
  "a tensor larger than numbers": [
    file({ initializer: [{ ...tensor, dims: [2 ** 40, 2 ** 40] }] }),
    /^tensor "w" \[1099511627776,1099511627776\] has more elements than can be counted/,
  ],
  "a tensor of 2^40 elements": [
    file({ initializer: [{ ...tensor, dims: [2 ** 40] }] }),
    /^tensor "w" \[1099511627776\] has 8 bytes of raw data; expected 4398046511104/,
  ],
  "a tensor of a thousand axes": [
    file({ initializer: [{ ...tensor, dims: new Array(1000).fill(1) }] }),
    /^tensor "w" \[1,1,1,1,1,1,1,1, ... 1000 axes\] has 8 bytes/,
  ],
  "a tensor without data": [
    file({ initializer: [{ ...tensor, rawData: undefined }] }),
    /^tensor "w" \[2\] has 0 bytes of raw data; expected 8/,
  ],
  "an integer that no number holds": [
    file({ initializer: [{ ...tensor, dims: [1], dataType: 7, rawData: new Uint8Array(8).fill(127) }] }),
    /^tensor "w": element 0 is 9187201950435737471, but a number is exact up to 2\^53 - 1 only/,
  ],
  "data in another file": [
    file({ initializer: [{ ...tensor, dataLocation: 1 }] }),
    /^tensor "w" has its data in another file; read it with decodeExternal/,
  ],
  "a node without an operator": [
    file({ node: [{ ...node, opType: "" }] }),
    /graph\.node\[0\]\.opType is missing/,
  ],
  "a node without outputs": [
    file({ node: [node, { ...node, output: [] }] }),
    /^node 1 \("Relu"\) gives no output/,
  ],
  "an attribute twice": [
    file({
      node: [{ ...node, attribute: [1, 2].map(() => ({ name: "a", type: 2, floats: [], ints: [] })) }],
    }),
    /^node 0 \("Relu"\): attribute "a" is there twice/,
  ],
  "a subgraph": [file(attribute({ type: 5 })), /^attribute "a" has type 5; only int, ints/],
  "an attribute's text that is no text": [
    file(attribute({ type: 3, s: bytes(0xff) })),
    /^attribute "a" is not text in UTF-8/,
  ],
  "a name that is no text": [followed(0x12, 1, 0xff), /producerName is not text in UTF-8/],
  "a field twice": [followed(8, 1, 8, 2), /irVersion is there twice/],
  "a field of another wire type": [
    followed(9, 0, 0, 0, 0, 0, 0, 0, 0),
    /irVersion has wire type 1, expected 0/,
  ],
  "a field number 0": [followed(0, 1), /the file has no field where one should begin/],
  "a group": [followed(0x9b, 6), /the file holds a field of wire type 3/],
  "a length beyond the file": [
    followed(0x12, 100, 1, 2),
    /producerName should have 100 bytes, but 2 are left where it is/,
  ],
  "a length beyond numbers": [
    followed(0x12, ...new Array(9).fill(255), 1),
    /the length of producerName is cut off or out of range/,
  ],
  "a length of 2^50": [
    followed(0x12, 128, 128, 128, 128, 128, 128, 128, 2),
    /should have 1125899906842624 bytes/,
  ],
  "a number that does not end": [
    followed(8, ...new Array(11).fill(255)),
    /number in irVersion is cut off or longer/,
  ],
  "a number beyond 2^53": [
    followed(8, 255, 255, 255, 255, 255, 255, 255, 255, 127),
    /irVersion is 9223372036854775807, but a number is exact up to|irVersion is 9223372036854776000/,
  ],
  "sparse tensors": [
    Buffer.concat([bytes(0x3a, 2, 0x7a, 0), file({})]),
    /graph\.sparseInitializer is there, which is not read/,
  ],
};
test.each(Object.entries(sentences))("%s", (_, [damaged, sentence]) => {
  expect(() => decodeModel(damaged)).toThrow(sentence);
  expect(() => decodeModel(damaged)).toThrow(expect.objectContaining({ constructor: Error }));
});

test("what is no file at all is a TypeError that says so", () => {
  for (const wrong of [
    undefined,
    null,
    "model.onnx",
    5,
    {},
    [8, 1],
    new Uint16Array(4),
    new DataView(new ArrayBuffer(4)),
  ])
    expect(() => decodeModel(wrong as never)).toThrow(
      /^file is \w+, expected the bytes of an ONNX file as a Uint8Array/,
    );
});

describe("many of what is empty", () => {
  /** A graph that holds these bytes so many times. */
  const repeated = (part: readonly number[], count: number): Uint8Array => {
    const inner = new Uint8Array(part.length * count);
    for (let i = 0; i < inner.length; i++) inner[i] = part[i % part.length] as number;
    const length: number[] = [];
    for (let rest = inner.length; ; rest = rest >> 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([bytes(0x42, 2, 16, 21, 0x3a, ...length), inner]);
  };
  test("two million empty nodes end at the first", () => {
    const start = performance.now();
    expect(() => decodeModel(repeated([0x0a, 0], 2e6))).toThrow(/graph\.node\[0\]\.opType is missing/);
    expect(performance.now() - start).toBeLessThan(200);
  });
  test("a million names of nothing are a list, not a message each", () => {
    // One node whose inputs are all empty: 2 bytes of the file for each, 8 of memory.
    const names = new Uint8Array(2e6);
    for (let i = 0; i < names.length; i += 2) names[i] = 0x0a;
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeModel(repeated([...bytes(0x5a, 0)], 1e6))).toThrow(
      /graph\.input\[0\]\.name is missing/,
    );
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64e6);
  });
});

/** Numbers from a seed, from 0 on and below a limit. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A file with one to four changes: bytes replaced, turned, cut out, inserted, repeated, or the end cut off. */
function mutated(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let changed = Buffer.from(original);
  for (let times = 1 + random(4); times > 0 && changed.length > 0; times--) {
    const at = random(changed.length);
    const count = 1 + random(random(2) ? 4 : 200);
    const [before, rest] = [changed.subarray(0, at), changed.subarray(at)];
    const kind = random(6);
    if (kind === 0) changed[at] = random(256);
    else if (kind === 1) changed[at] = (changed[at] as number) ^ (1 << random(8));
    else if (kind === 2) changed = Buffer.concat([before, rest.subarray(count)]);
    else if (kind === 3)
      changed = Buffer.concat([before, bytes(...Array.from({ length: count }, () => random(256))), rest]);
    else if (kind === 4) changed = Buffer.concat([before, rest.subarray(0, count), rest]);
    else
      changed =
        random(8) === 0
          ? Buffer.from(before)
          : Buffer.concat([before, bytes(255, 255, 255, 255, 127), rest.subarray(5)]);
  }
  return changed;
}

const count = slowExtent === "full" ? 100_000 : 4_000;
test(`${count} damaged copies of real files: a model or an Error of ours, each within a second`, async () => {
  const files = models
    .filter((_, i) => i % 7 === 0 || i === models.length - 1)
    .flatMap(([, model]) => [
      encodeModel(model),
      encodeExternal(model, { location: "data", threshold: 4 }).file,
    ])
    .filter(({ length }) => length < 20_000);
  const random = numbers(15);
  const outcomes = { models: 0, errors: 0 };
  for (let i = 0; i < count; i++) {
    const damaged = mutated(files[i % files.length] as Uint8Array, random);
    const start = performance.now();
    try {
      const model = decodeExternal(damaged, () => new Uint8Array());
      for (const tensor of model.initializers) if ("load" in tensor) await tensor.load();
      outcomes.models++;
    } catch (error) {
      // What V8 says of itself is a TypeError, a RangeError or another of its kinds.
      if (!(error instanceof Error) || error.constructor !== Error)
        throw new Error(`file ${i}, ${Buffer.from(damaged).toString("base64")}: ${String(error)}`);
      expect(error.message.length).toBeLessThan(2000);
      outcomes.errors++;
    }
    expect(performance.now() - start).toBeLessThan(1000);
  }
  // Both happen, so that the changes are neither all harmless nor all at the surface.
  expect(outcomes.models).toBeGreaterThan(count / 100);
  expect(outcomes.errors).toBeGreaterThan(count / 10);
}, 600_000);
