// Which cases are measured: small ones on software that stands in for a GPU, those of real models on a GPU, or what is asked for.
import { InvalidArgumentError } from "commander";
import type { Case } from "../peers/cases.js";

export interface Sizes {
  /** Elements of elementwise cases. */
  readonly counts: readonly number[];
  /** Rows, dModel and dFf of blocks. */
  readonly blocks: readonly (readonly [number, number, number])[];
  /** Whether blocks are trained too: on software, compiling their kernels takes longer than all else. */
  readonly steps: boolean;
}

export const onSoftware: Sizes = {
  counts: [2 ** 18],
  blocks: [[32, 256, 688]],
  steps: false,
};
export const onHardware: Sizes = {
  counts: [2 ** 20, 2 ** 24],
  blocks: [
    [1, 1024, 2816],
    [128, 512, 1376],
    [512, 1024, 2816],
  ],
  steps: true,
};

/** Every kind of case at these sizes; a training step takes more than one row. */
export function casesOf({ counts, blocks, steps }: Sizes): Case[] {
  const elementwise = (["forward", "backward"] as const).flatMap((kind) =>
    counts.map((count): Case => ({ kind, count })),
  );
  const ffn = (["ffnForward", "ffnStep"] as const).flatMap((kind) =>
    blocks
      .filter(([rows]) => kind === "ffnForward" || (steps && rows > 1))
      .map(([rows, dModel, dFf]): Case => ({ kind, rows, dModel, dFf })),
  );
  return [...elementwise, ...ffn];
}

/** Those that a list names: `2^24` elements, or a block of `128x512x1376`. Throws an InvalidArgumentError for anything else. */
export function sizesNamed(list: string): Sizes {
  const counts: number[] = [];
  const blocks: [number, number, number][] = [];
  for (const name of list.split(/[\s,]+/).filter((part) => part !== "")) {
    const [, exponent] = /^2\^(\d{1,2})$/.exec(name) ?? [];
    const [, rows, dModel, dFf] = /^(\d+)x(\d+)x(\d+)$/.exec(name) ?? [];
    if (exponent !== undefined) counts.push(2 ** Number(exponent));
    else if (rows && dModel && dFf) blocks.push([Number(rows), Number(dModel), Number(dFf)]);
    else
      throw new InvalidArgumentError(
        `It has ${JSON.stringify(name)}, expected a number of elements such as 2^24, or rows x dModel x dFf such as 128x512x1376.`,
      );
  }
  return { counts, blocks, steps: true };
}
