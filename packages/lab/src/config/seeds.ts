// Reads --seeds and --tune-seeds: a count, or a list.
import { UserError } from "../system/errors.js";

const LARGEST = 2 ** 31 - 1;

/**
 * `"3"` means the seeds 1, 2, 3; `"7,11"` means these; `"7,"` only that one.
 *
 * @param option what the error names
 * @param first the seed that a count begins with
 * @throws UserError for anything else
 */
export function parseSeeds(text: string, option = "--seeds", first = 1): number[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length > 1 && parts.at(-1) === "") parts.pop();
  const numbers = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  if (numbers.some((number) => !(number <= LARGEST))) {
    throw new UserError(
      `${option} is ${JSON.stringify(text)}: expected a count such as 3, or a list such as 7,11,13.`,
    );
  }
  if (!text.includes(",")) {
    const count = numbers[0]!;
    if (count < 1 || count > 1000)
      throw new UserError(`${option} is ${count}: expected a count from 1 to 1000.`);
    return Array.from({ length: count }, (_, i) => first + i);
  }
  const repeated = numbers.find((number, i) => numbers.indexOf(number) !== i);
  if (repeated !== undefined) throw new UserError(`${option} names ${repeated} twice: name every seed once.`);
  return numbers;
}
