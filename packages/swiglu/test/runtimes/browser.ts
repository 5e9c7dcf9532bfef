// Chromium for the suites that run in a page: how it is started, and how a page is opened and read until its suite has
// ended.
import { type Browser, chromium } from "playwright-core";
import { find } from "./found.js";
import { Outcome } from "./outcome.js";

/** Starts Chromium, with none of what it does beside showing pages. */
export const launch = (...flags: readonly string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: find("chromium") as string,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...flags,
    ],
  });

/** Opens a page and collects the lines of its suite. The page loads while the suite runs: only the test's time limit holds. */
export async function runPage(browser: Browser, address: string): Promise<Outcome> {
  const outcome = new Outcome();
  const page = await browser.newPage();
  await new Promise<void>((resolve, reject) => {
    page.on("console", (message) => {
      outcome.add(message.text());
      if (outcome.ended) resolve();
    });
    page.on("pageerror", reject);
    page.on("crash", () => reject(new Error(`the page crashed; it said: ${outcome.noise}`)));
    page.goto(address, { waitUntil: "commit", timeout: 0 }).catch(reject);
  });
  await page.close();
  return outcome;
}
