// From options to a configuration: seeds, variants, matched parameters, the folder's name.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { activations, defineActivation } from "swiglu";
import { afterAll, describe, expect, test } from "vitest";
import { canonicalJson, folderName, makeConfig, type Settings } from "../src/config/config.js";
import { complete } from "../src/config/defaults.js";
import { describeRates, parseGrid, parseLearningRates, ratesOf } from "../src/config/learning-rates.js";
import { matchAll, nearestMatch, targetParameters } from "../src/config/matching.js";
import { parseSeeds } from "../src/config/seeds.js";
import { allActivations, defaultVariants, findActivation, resolveVariants } from "../src/config/variants.js";
import { loadTask } from "../src/tasks/load.js";
import { tasks } from "../src/tasks/registry.js";
import { writeImageSet } from "./idx-files.js";

const scratch = mkdtempSync(join(tmpdir(), "swiglu-config-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const catalogue = allActivations([]);

describe("seeds", () => {
  test.each([
    ["3", [1, 2, 3]],
    ["7,11", [7, 11]],
    ["7,", [7]],
    ["0, 5", [0, 5]],
  ])("%s", (text, seeds) => expect(parseSeeds(text)).toEqual(seeds));

  test.each([
    ["0", /--seeds is 0: expected a count from 1/],
    ["", /expected a count such as 3/],
    ["x", /"x": expected a count such as 3, or a list/],
    ["-1", /expected a count/],
    ["1.5", /expected a count/],
    ["3,3", /names 3 twice/],
    ["1,,2", /expected a count/],
    ["99999999999,1", /expected a count/],
  ])("%s: refused", (text, message) => expect(() => parseSeeds(text)).toThrow(message));
});

describe("learning rates", () => {
  const names = ["relu", "swiglu"];

  test.each([
    ["0.004", [0.004, 0.004]],
    ["0.004,swiglu=0.008", [0.004, 0.008]],
    ["swiglu = 8e-3", [0.01, 0.008]],
  ])("%s", (text, rates) => expect(ratesOf(parseLearningRates(text), names)).toEqual(rates));

  test.each([
    ["0", /^--learning-rate has "0": expected a number above 0, as in 0\.004/],
    ["", /has "": expected a number/],
    ["fast", /has "fast"/],
    ["0.1,0.2", /gives all variants two rates/],
    ["swiglu=1,swiglu=2", /gives swiglu two rates/],
    ["swiglu=", /has "": expected a number/],
    ["swigul=1", /names swigul, which is not compared: the variants are relu, swiglu\./],
  ])("%s: refused", (text, message) =>
    expect(() => ratesOf(parseLearningRates(text), names)).toThrow(message),
  );

  test("in words: one, or each with its variants", () => {
    const variants = [
      { name: "relu", learningRate: 0.008 },
      { name: "glu", learningRate: 0.004 },
      { name: "swiglu", learningRate: 0.008 },
    ];
    expect(describeRates(variants.slice(0, 1))).toBe("0.008");
    expect(describeRates(variants)).toBe("0.004 (glu), 0.008 (relu, swiglu)");
  });

  test("a grid rises, whatever the order in which it is given", () => {
    expect(parseGrid("0.004, 0.001,0.002")).toEqual([0.001, 0.002, 0.004]);
  });

  test.each(["0.1", "0.1,0.1", "0.1,-1", ""])("grid %s: refused", (text) =>
    expect(() => parseGrid(text)).toThrow(/^--tune (is|has) .*: expected .* as in 0\.002,0\.004,0\.008\.$/),
  );
});

describe("variants", () => {
  test("the default ones are thirteen, and the trained ones train", () => {
    const variants = resolveVariants(defaultVariants, catalogue);
    expect(variants).toHaveLength(13);
    expect(
      variants.filter(({ trained }) => trained).map(({ name, activation }) => [name, activation.name]),
    ).toEqual([
      ["swish-trained", "swish"],
      ["swiglu-trained", "swiglu"],
      ["swigluBlend-trained", "swigluBlend"],
    ]);
  });

  test.each([
    [["swigul"], /there is no activation "swigul": did you mean swiglu/],
    [["swigul-trained"], /did you mean swiglu/],
    [["zzzzzzzz"], /see them all with: swiglu-lab list/],
    [["relu", "relu"], /names relu twice/],
    [["relu-trained"], /relu has no parameters to train; use relu/],
    [[], /names no variant/],
  ])("%j: refused", (names, message) => expect(() => resolveVariants(names, catalogue)).toThrow(message));

  test("a definition from a file joins the catalogue", () => {
    const file = join(scratch, "mine.json");
    writeFileSync(
      file,
      JSON.stringify({ name: "mine", kind: "gated", expression: ["mul", ["tanh", "gate"], "up"] }),
    );
    expect(resolveVariants(["mine"], allActivations([file]))[0]).toMatchObject({
      name: "mine",
      trained: false,
    });
  });

  test("a definition may begin with a byte order mark", () => {
    const file = join(scratch, "marked.json");
    writeFileSync(file, '\ufeff{"name": "marked", "kind": "unary", "expression": ["tanh", "x"]}');
    expect(allActivations([file]).get("marked")?.name).toBe("marked");
  });

  test("names from prototypes are names like others", () => {
    expect(() => findActivation("constructor", catalogue)).toThrow(/there is no activation "constructor"/);
    expect(ratesOf({ rate: 0.01, of: {} }, ["constructor", "toString"])).toEqual([0.01, 0.01]);
    expect(ratesOf(parseLearningRates("0.1,constructor=0.2"), ["relu", "constructor"])).toEqual([0.1, 0.2]);
    const given: object = { constructor: 3, toString: 4 };
    expect(complete("images", given)).toEqual({ task: "images", ...tasks.images.defaults });
  });

  test("sizes beyond all bounds are a sentence", async () => {
    const images = (await loadTask({ task: "images", patch: 4 }, writeImageSet(join(scratch, "bounds"))))
      .config;
    const common = { seeds: [1], steps: 1, batch: 1, width: 8, depth: 1, heads: 2, threads: 1 };
    const settings = {
      ...common,
      variants: resolveVariants(["relu"], catalogue),
      learningRates: { rate: 1, of: {} },
    };
    expect(makeConfig(settings, images).batch).toBe(1);
    expect(() => makeConfig({ ...settings, batch: 2 ** 30 }, images)).toThrow(
      /^these options cannot be trained: batch: /,
    );
    expect(() => makeConfig({ ...settings, threads: 100_000 }, images)).toThrow(
      /cannot be trained: threads: /,
    );
  });

  test.each([
    ["no JSON", "{", /is not a valid definition/],
    [
      "an unknown operation",
      '{"name":"a","kind":"unary","expression":["zap","x"]}',
      /is not a valid definition: .*zap/,
    ],
    [
      "a name that is taken",
      '{"name":"relu","kind":"unary","expression":["tanh","x"]}',
      /defines relu, a name that is taken/,
    ],
  ])("a file with %s: refused", (name, content, message) => {
    const file = join(scratch, `${name}.json`);
    writeFileSync(file, content);
    expect(() => allActivations([file])).toThrow(message);
  });

  test("a file that is not there: refused", () => {
    expect(() => allActivations([join(scratch, "none.json")])).toThrow(
      /--activation .*none\.json could not be read: it is not there\.$/,
    );
  });
});

describe("matched parameters", () => {
  const variants = resolveVariants(defaultVariants, catalogue);

  test("relu with dFf = 4 dModel is the target: two matrices and two biases", () => {
    expect(targetParameters(32)).toBe(2 * 32 * 128 + 128 + 32);
  });

  test.each([8, 20, 32, 64, 100])("all default variants match within 1 %% at width %i", (width) => {
    for (const { parameters } of matchAll(variants, width, 4)) {
      expect(Math.abs(parameters / targetParameters(width) - 1)).toBeLessThanOrEqual(0.01);
    }
  });

  test("gated blocks have two thirds of the ungated hidden width", () => {
    const swiglu = { name: "swiglu", activation: activations.swiglu, trained: false };
    expect(nearestMatch(swiglu, 96).hidden).toBe(256);
  });

  test("a width where no hidden width matches: refused, with the nearest that does", () => {
    const gated = resolveVariants(["swiglu"], catalogue);
    expect(() => matchAll(gated, 4, 4)).toThrow(
      /^swiglu cannot match the 148 feed-forward parameters of relu within 1 % at --width 4: the nearest, hidden width 10, has 144 \(-2\.7 %\)\. The nearest width at which every variant matches is \d+\.$/,
    );
    const named = /matches is (\d+)/.exec(catchMessage(() => matchAll(gated, 4, 4)))![1];
    expect(() => matchAll(gated, Number(named), 4)).not.toThrow();
  });
});

describe("configuration", async () => {
  const folder = writeImageSet(join(scratch, "Some Set"));
  const { config: images } = await loadTask({ task: "images", patch: 4 }, folder);
  const settings: Settings = {
    variants: resolveVariants(["relu", "swiglu"], catalogue),
    seeds: [1, 2],
    steps: 10,
    batch: 8,
    width: 8,
    depth: 1,
    heads: 2,
    learningRates: { rate: 0.01, of: {} },
    threads: 1,
  };
  const name = (changes: Partial<Settings> = {}): string =>
    folderName(makeConfig({ ...settings, ...changes }, images));

  test("the folder's name tells what it is, and repeats", () => {
    expect(name()).toMatch(/^some-set-2x2-10steps-[0-9a-f]{10}$/);
    expect(name()).toBe(name());
  });

  test.each<[string, Partial<Settings>]>([
    ["steps", { steps: 11 }],
    ["batch", { batch: 9 }],
    ["learning rate", { learningRates: { rate: 0.02, of: {} } }],
    ["learning rate of one", { learningRates: { rate: 0.01, of: { relu: 0.02 } } }],
    ["seeds", { seeds: [1, 3] }],
    ["variants", { variants: resolveVariants(["relu", "swish"], catalogue) }],
    ["threads", { threads: 2 }],
  ])("other %s, another folder", (_, changes) => expect(name(changes)).not.toBe(name()));

  test("an activation of the same name with another formula, another folder", () => {
    const mine = (expression: "x" | typeof activations.tanh.expression) => ({
      name: "mine",
      activation: defineActivation({ name: "mine", kind: "unary", expression }),
      trained: false,
    });
    expect(name({ variants: [mine("x")] })).not.toBe(name({ variants: [mine(activations.tanh.expression)] }));
  });

  test("a patch that does not divide the images: refused, with those that do", async () => {
    const refused = expect(loadTask({ task: "images", patch: 3 }, folder)).rejects;
    await refused.toThrow("--patch 3 does not divide the images of 8 x 8: choose 1, 2, 4, 8.");
  });

  test("heads that do not divide the width: refused", () => {
    expect(() => name({ heads: 3 })).toThrow("--width 8 is not a multiple of --heads 3: choose one that is.");
  });

  test("canonical JSON sorts keys at every depth and keeps the order of lists", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  });
});

function catchMessage(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return "";
}
