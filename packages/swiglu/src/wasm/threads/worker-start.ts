// Starts one worker thread: a thread of Node, or a browser's module worker.
import { nodeModule } from "../../host/node.js";
import type { Post } from "./protocol.js";

/** A worker that was started. */
export interface StartedWorker {
  terminate(): void;
}

/** Starts a worker; `ended` is called with the reason when it ends, or cannot start. */
export type StartWorker = (post: Post, ended: (reason: string) => void) => StartedWorker;

interface NodeThreads {
  readonly Worker: new (
    file: URL,
    options: { readonly workerData: Post; readonly execArgv: readonly string[]; readonly name: string },
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
  const file = new URL("./worker.js", import.meta.url);
  const thread = new Thread(file, { workerData: post, execArgv: [], name: "swiglu" });
  thread.on("error", (error) => ended(error.message));
  thread.on("exit", (code) => ended(`it exited with code ${code}`));
  // A program that has nothing else to do ends, with its workers.
  thread.unref();
  return { terminate: () => void thread.terminate() };
}

function startInBrowser(post: Post, ended: (reason: string) => void): StartedWorker {
  // In this very form, so that bundlers find the worker's file.
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "swiglu" });
  worker.addEventListener("error", ({ message }) => ended(message || "its file could not be loaded"));
  worker.postMessage(post);
  return worker;
}
