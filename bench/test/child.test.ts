// A process that answers: any JSON is an answer, what native code writes between is not; an early end is an error with its hint.
import { expect, test } from "vitest";
import { Child } from "../src/child.js";

const node = (script: string): Child => new Child(process.execPath, ["-e", script], "look at it");

test("answers are texts, arrays and objects; other lines are passed on", async () => {
  const child = node(`
    console.log("Warning: of a driver");
    for (const answer of ["a text", [1, 2], { loss: 0.5 }]) console.log(JSON.stringify(answer));
    process.stdin.resume();
  `);
  expect([await child.read(), await child.read(), await child.read()]).toEqual([
    "a text",
    [1, 2],
    { loss: 0.5 },
  ]);
  await child.end();
});

test("one that ends before it answers is an error that says what to look at", async () => {
  await expect(node("").read()).rejects.toThrow(/ended before it answered; look at it$/);
});
