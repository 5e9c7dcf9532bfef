// --formula "mine = silu(gate) * up": an activation of the user's own as text, beside --activation with its file.
import { InvalidArgumentError, Option } from "commander";
import { type Activation, activationFromText } from "swiglu";
import type { OwnActivation } from "../config/variants.js";
import { messageOf, UserError } from "../system/errors.js";

/** Its values go where those of --activation go. */
class FormulaOption extends Option {
  override attributeName(): string {
    return "activation";
  }
}

export const formulaOption = (): Option =>
  new FormulaOption(
    "--formula <text>",
    'an activation of your own as text, as "mine(beta = 1) = swish(gate, beta) * up" (may be repeated)',
  ).argParser((text: string, before: readonly OwnActivation[] = []) => [...before, activationOf(text)]);

/** Longer text is not shown again in the message. */
const longestShown = 400;

/** Mistakes are told as commander tells those of every option; their place is shown on lines of their own. */
function activationOf(text: string): Activation {
  try {
    return activationFromText(text);
  } catch (thrown) {
    const message = messageOf(thrown);
    if (text.length > longestShown) throw new UserError(`--formula: ${message.split("\n")[0]}`);
    throw new InvalidArgumentError(message);
  }
}
