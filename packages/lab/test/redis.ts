// A real Redis of a test's own, on a free port of this machine, gone when the test is.
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { find, unless } from "../../swiglu/test/runtimes/found.js";

const program = find("redis");

/** Whether there is one; where there is none, tests say so in their names. */
export const hasRedis = program !== undefined;
export const unlessRedis = unless("redis");

export interface RedisServer {
  readonly port: number;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts Redis in a folder; its data stay in memory. */
export async function startRedis(folder: string, ...options: string[]): Promise<RedisServer> {
  if (program === undefined) throw new Error("there is no redis-server");
  const port = await freePort();
  const ports = options.includes("--tls-port") ? ["--port", "0"] : ["--port", `${port}`];
  const child = spawn(
    program,
    [
      ...["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"],
      ...ports,
      ...options.map((option) => option.replace("PORT", `${port}`)),
    ],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let log = "";
    child.stdout.on("data", (chunk) => {
      log += chunk;
      if (log.includes("Ready to accept connections")) resolve();
    });
    child.on("error", reject);
    child.on("close", () => reject(new Error(`redis-server ended: ${log}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return { port, process: child, stop };
}

/** A port of this machine that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address === null || typeof address === "string" ? reject(address) : resolve(address.port),
      );
    });
  });
}
