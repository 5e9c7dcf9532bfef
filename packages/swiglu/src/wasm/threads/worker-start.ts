// Starts one worker thread. In Node, Deno and Bun it runs the program as text, so that a bundle needs no file beside it. In a
// browser it runs the worker's file, which strict policies allow, or the text where a bundler has lost the file.

import { nodeModule } from "../../host/node.js";
import { type Post, state, word } from "./protocol.js";
import { workerText } from "./worker-text.js";

/** A worker that was started. */
export interface StartedWorker {
  terminate(): void;
}

/** Starts a worker. `ended` is called with the reason when the worker ends or cannot start. */
export type StartWorker = (post: Post, ended: (reason: string) => void) => StartedWorker;

interface NodeThreads {
  readonly Worker: new (
    program: string,
    options: {
      readonly eval: true;
      readonly workerData: Post;
      readonly execArgv: readonly string[];
      readonly name: string;
    },
  ) => {
    on(event: "error", listener: (error: Error) => void): void;
    on(event: "exit", listener: (code: number) => void): void;
    unref(): void;
    terminate(): Promise<number>;
  };
}

export const startWorker: StartWorker = (post, ended) => {
  const threads = nodeModule<NodeThreads>("node:worker_threads");
  return threads === undefined ? startInBrowser(post, ended) : startInNode(threads, post, ended);
};

function startInNode(
  { Worker: Thread }: NodeThreads,
  post: Post,
  ended: (reason: string) => void,
): StartedWorker {
  const options = { eval: true, workerData: post, execArgv: [], name: "swiglu" } as const;
  const thread = new Thread(workerText, options);
  thread.on("error", (error) => ended(error.message));
  thread.on("exit", (code) => ended(`it exited with code ${code}`));
  // Workers do not keep a program alive.
  thread.unref();
  return { terminate: () => void thread.terminate() };
}

/** The ways to make a worker in a browser, in the order in which they are tried. */
const ways: readonly (() => Worker)[] = [
  // Bundlers recognise exactly this form, and find the worker's file by it.
  () => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "swiglu" }),
  () => {
    const address = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    const worker = new Worker(address, { name: "swiglu" });
    // When it reports an error, its text has been fetched.
    worker.addEventListener("error", () => URL.revokeObjectURL(address), { once: true });
    return worker;
  },
];

function startInBrowser(post: Post, ended: (reason: string) => void): StartedWorker {
  const words = new Int32Array(post.memory.buffer, post.address, post.count);
  const reasons: string[] = [];
  let current: Worker | undefined;
  let stopped = false;
  const attempt = (way: number): void => {
    const failed = (reason: string): void => {
      // Only a worker that never started is tried in another way; one that was running is lost.
      const starting = Atomics.load(words, word.states + post.index) === state.starting;
      reasons.push(reason);
      if (starting && !stopped && way + 1 < ways.length) attempt(way + 1);
      else ended(reasons.join("; "));
    };
    try {
      current = (ways[way] as () => Worker)();
    } catch (error) {
      failed(String(error));
      return;
    }
    current.addEventListener(
      "error",
      ({ message }) => failed(message || (way === 0 ? "its file could not be loaded" : "nor could its text")),
      { once: true },
    );
    current.postMessage(post);
  };
  attempt(0);
  return {
    terminate() {
      stopped = true;
      current?.terminate();
    },
  };
}
