// An activation as code for another language or framework, from its formula.
import type { Activation } from "../catalogue/activation.js";
import { listing, short, suggestion } from "../errors.js";
import { textWithParts } from "../expression/print.js";
import { onnxText } from "./onnx.js";
import { jax, keras, pytorch } from "./python.js";
import type { Target } from "./rules.js";
import { cuda, glsl, wgsl } from "./shaders.js";
import { typescript } from "./typescript.js";
import { writeCode } from "./write.js";

const targets = { typescript, wgsl, glsl, cuda, pytorch, jax, keras } as const satisfies Record<
  string,
  Target
>;

/** What `toCode` writes for. */
export type CodeTarget = keyof typeof targets | "onnx";

/** All of them, for menus. */
export const codeTargets: readonly CodeTarget[] = [...(Object.keys(targets) as CodeTarget[]), "onnx"];

/**
 * An activation as code: a function of its inputs, with its parameters as arguments and their defaults, its formula and source
 * in a comment. What the language lacks is written as functions beside it, as accurate as its numbers. `typescript` is a
 * function of numbers; `wgsl`, `glsl` and `cuda` are functions of a float32 (WGSL has no defaults: a comment gives them);
 * `pytorch`, `jax` and `keras` are functions of tensors that the framework differentiates, without NaN from branches that are not
 * taken; `onnx` is the textual form of a model, whose parameters are inputs with defaults. Comparisons with NaN and slopes at
 * ties of min and max are the language's own.
 *
 * Throws a RangeError for an unknown target, with the nearest name, and for a formula that is too large to be read as code.
 *
 * @example
 * toCode(glu, "pytorch").includes("return torch.sigmoid(gate) * up") // true
 */
export function toCode(activation: Activation, target: CodeTarget): string {
  const { name, expression, inputs, parameters, source } = activation;
  const comment = [`${name}: ${oneLine(textWithParts(expression))}`, `Source: ${oneLine(source)}`];
  if (target === "onnx") return onnxText(activation, comment);
  if (!Object.hasOwn(targets, target))
    throw new RangeError(
      `unknown target ${short(String(target))}: expected ${listing(codeTargets)}.${suggestion(String(target), codeTargets)}`,
    );
  return writeCode(targets[target], { name, expression, inputs, parameters, comment });
}

/** Text for a comment in any of the languages: one line, which neither ends the comment nor escapes from it. */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replaceAll("*/", "* /")
    .replaceAll("/*", "/ *")
    .replace(/\\/g, "/")
    .trim();
