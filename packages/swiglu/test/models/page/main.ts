// A page as a user would write it: the files that were chosen are checked, opened and evaluated, without leaving the browser.
import { reference } from "../../../src/index.js";
import { check, openBlock, openModel } from "../../../src/models/index.js";

interface Page {
  readonly files?: Iterable<File>;
  textContent: string | null;
  addEventListener(event: "change", listener: () => void): void;
}
const { document } = globalThis as unknown as { document: { querySelector(name: string): Page } };
const [input, output] = [document.querySelector("input"), document.querySelector("output")];

async function answer(files: readonly File[]): Promise<object> {
  const report = await check(files);
  const model = await openModel(files);
  const block = await openBlock(model, { layer: 0 });
  const backend = await reference();
  const ffn = block.gated ? await backend.gatedFfn(block) : await backend.ffn(block);
  const x = Float32Array.from({ length: block.dModel }, (_, i) => i - 1);
  return { ...report, y: Array.from(await ffn.forward(x, 1)), bytesRead: model.bytesRead };
}

input.addEventListener("change", () => {
  answer([...(input.files ?? [])]).then(
    (found) => {
      output.textContent = JSON.stringify(found);
    },
    (error: unknown) => {
      output.textContent = String(error);
    },
  );
});
