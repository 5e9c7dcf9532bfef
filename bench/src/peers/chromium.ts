// Chromium as a place for contenders: each is a dedicated worker in a cross-origin isolated page, and process, of its own.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type JSHandle, type Page } from "playwright-core";
import type { Partner, Place } from "./places.js";
import { type Sides, serveSides } from "./site.js";

/** A worker as its page sees it, with what it has said that nobody has read yet. */
interface Side {
  readonly worker: Worker;
  readonly answers: ReadableStreamDefaultReader<object>;
}

/** Runs in the page. */
function startSide(address: string): Side {
  const worker = new Worker(address, { type: "module" });
  const answers = new ReadableStream<object>({
    start(controller) {
      worker.onmessage = ({ data }) => controller.enqueue(data);
      worker.onerror = ({ message }) => controller.error(new Error(message || "its worker failed"));
    },
  });
  return { worker, answers: answers.getReader() };
}

class Tab implements Partner {
  constructor(
    private readonly page: Page,
    private readonly side: JSHandle<Side>,
  ) {}

  async read<T>(): Promise<T> {
    const answer = await this.side.evaluate(async ({ answers }) => (await answers.read()).value);
    return answer as T;
  }

  async ask<T>(message: object): Promise<T> {
    await this.side.evaluate(({ worker }, data) => worker.postMessage(data), message);
    return this.read();
  }

  end(): Promise<void> {
    return this.page.close();
  }
}

export interface InChromium extends Place {
  close(): Promise<void>;
}

/** The Chromium at hand, or the one that `CHROMIUM` names; undefined, and a line that says so, where there is none. */
export async function inChromium(
  sides: Sides,
  moreArguments: readonly string[] = [],
): Promise<InChromium | undefined> {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const executablePath = process.env.CHROMIUM ?? paths.find((path) => existsSync(path));
  if (executablePath === undefined) {
    console.error("Chromium is not here: apt-get install chromium, or set CHROMIUM to its path");
    return undefined;
  }
  const site = await serveSides(sides);
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // As many contenders as there are take turns in processes of their own.
      "--renderer-process-limit=100",
      ...moreArguments,
    ],
  });
  return {
    label: "Chromium",
    version: browser.version(),
    async start(script, options) {
      const page = await browser.newPage();
      page.on("console", (message) => console.error(`${script} in Chromium: ${message.text()}`));
      await page.goto(site.address);
      const address = `${site.address}${script}.js?${encodeURIComponent(JSON.stringify(options))}`;
      return new Tab(page, await page.evaluateHandle(startSide, address));
    },
    async close() {
      await browser.close();
      site.close();
    },
  };
}
