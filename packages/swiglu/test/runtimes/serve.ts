// Serves a folder on this machine with the headers that a test wants.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

export interface Served {
  readonly address: string;
  close(): void;
}

export async function serve(folder: string, headers: Readonly<Record<string, string>>): Promise<Served> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = join(folder, path === "/" ? "index.html" : path);
    createReadStream(file)
      .once("open", () =>
        response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream"),
      )
      .once("error", () => response.writeHead(404).end())
      .pipe(response);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
