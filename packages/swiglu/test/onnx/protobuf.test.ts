// Files against protobufjs, which knows the same table of messages: what is written, and what is read, byte for byte.
import protobuf from "protobufjs/light.js";
import { describe, expect, test } from "vitest";
import { fieldsOf, type MessageName, messages } from "../../src/onnx/file/messages.js";
import { decodeMessage } from "../../src/onnx/file/read.js";
import { modelMessage, tensorMessage } from "../../src/onnx/file/to-messages.js";
import { encodeMessage } from "../../src/onnx/file/write.js";
import { decodeModel, encodeModel } from "../../src/onnx-entry.js";
import { models } from "./files.js";

const nested = Object.fromEntries(
  (Object.keys(messages) as MessageName[]).map((name) => {
    const fields = fieldsOf(name).filter(([, [, , presence]]) => presence !== "refused");
    const alternatives = fields.filter(([, [, , presence]]) => presence === "oneof").map(([field]) => field);
    return [
      name,
      {
        fields: Object.fromEntries(
          fields.map(([field, [id, type, presence]]) => [
            field,
            { id, type, ...(presence === "repeated" && { rule: "repeated" }) },
          ]),
        ),
        ...(alternatives.length > 0 && { oneofs: { value: { oneof: alternatives } } }),
      },
    ];
  }),
);
const oracle = protobuf.Root.fromJSON({ nested }).lookupType("ModelProto");

const joined = (pieces: readonly Uint8Array[]): Buffer => Buffer.concat(pieces);

test.each(models)("%s: the bytes that protobufjs writes", (_, model) => {
  const message = modelMessage(model, model.initializers.map(tensorMessage), "swiglu");
  const ours = joined(encodeMessage("ModelProto", message));
  expect(Buffer.from(encodeModel(model)).equals(ours)).toBe(true);
  const theirs = Buffer.from(oracle.encode(oracle.fromObject(message)).finish());
  expect(ours.equals(theirs)).toBe(true);
  expect(joined(encodeMessage("ModelProto", decodeMessage("ModelProto", ours))).equals(ours)).toBe(true);
});

test.each(models)("%s: read again it is the same file", (_, model) => {
  const file = encodeModel(model);
  const again = decodeModel(file);
  expect(Buffer.from(encodeModel(again)).equals(file)).toBe(true);
  expect(again.nodes).toEqual(decodeModel(Buffer.from(file)).nodes);
});

describe("what other writers may do", () => {
  const tensor = (...bytes: number[]) => decodeMessage("TensorProto", Uint8Array.from(bytes));
  test("numbers of a list one by one, packed, and both", () => {
    const dims = [8, 2, 8, 3, 0x0a, 2, 4, 5, 8, 6];
    expect(tensor(...dims, 16, 1).dims).toEqual([2, 3, 4, 5, 6]);
  });
  test("unknown fields of every wire type are skipped", () => {
    const unknown = [
      0x98, 6, 0xff, 0x7f, 0x99, 6, 1, 2, 3, 4, 5, 6, 7, 8, 0x9a, 6, 2, 9, 9, 0x9d, 6, 1, 2, 3, 4,
    ];
    expect(tensor(...unknown, 16, 7, ...unknown)).toMatchObject({ dataType: 7, dims: [] });
  });
  test("negative numbers in ten bytes, and numbers in more bytes than they need", () => {
    expect(tensor(8, ...Array(9).fill(255), 1, 16, 0x81, 0x80, 0x00).dims).toEqual([-1]);
    expect(tensor(16, 0x81, 0x80, 0x00).dataType).toBe(1);
  });
});
