// The places where contenders run, each a column of the tables: every Node at hand, native code, and Chromium.
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import type { NodeVersion } from "../nodes.js";
import type { Options } from "./here/types.js";

/** A side that runs somewhere and answers one message with another. */
export interface Partner {
  /** The next message that it sends. */
  read<T>(): Promise<T>;
  /** Its answer to a message. */
  ask<T>(message: object): Promise<T>;
  end(): Promise<void>;
}

export interface Place {
  /** The column, such as `Node 24`. */
  readonly label: string;
  readonly version: string;
  /** Starts the side of that name, a script in sides/. */
  start(script: string, options: Options): Promise<Partner>;
}

const startProcess = (command: string, file: string, options: Options): Child =>
  new Child(
    command,
    [fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(options)],
    "it is left out",
    {
      OMP_NUM_THREADS: `${options.threads}`,
      OPENBLAS_NUM_THREADS: `${options.threads}`,
      OMP_WAIT_POLICY: "passive",
    },
  );

export const inNode = ({ label, version, command }: NodeVersion): Place => ({
  label,
  version,
  start: async (script, options) => startProcess(command, `./sides/${script}.js`, options),
});

export const native = "native";

/** Native code: onnxruntime-node in this Node, and PyTorch in the Python that `PYTHON` names. */
export const inNativeCode = ({ command, version }: NodeVersion): Place => ({
  label: native,
  version,
  start: async (script, options) =>
    script === "pytorch"
      ? startProcess(process.env.PYTHON ?? "python3", "../../pytorch/peers.py", options)
      : startProcess(command, `./sides/${script}.js`, options),
});
