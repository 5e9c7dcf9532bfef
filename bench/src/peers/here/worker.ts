// Where a side runs, in a browser: a dedicated worker of a page of its own, which may block on a wait as a thread of
// Node may. The page hands messages on.
import type { Helper, Options } from "./types.js";

export const options: Options = JSON.parse(
  decodeURIComponent(location.search.slice(1)) || '{ "threads": 1 }',
);

export function answer(message: object): void {
  postMessage(message);
}

export async function* messages<T>(): AsyncGenerator<T> {
  for (;;)
    yield new Promise<T>((resolve) => {
      addEventListener("message", ({ data }) => resolve(data), { once: true });
    });
}

export function leave(reason?: string): never {
  close();
  throw new Error(reason);
}

export async function startHelper(script: URL, data: object): Promise<Helper> {
  const worker = new Worker(script, { type: "module" });
  worker.postMessage(data);
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  return worker;
}

export function help<T>(work: (data: T) => never): void {
  addEventListener(
    "message",
    ({ data }) => {
      postMessage("here");
      work(data);
    },
    { once: true },
  );
}
