// Node on Dawn as a place for contenders, and where their scripts are.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import type { Place } from "../peers/places.js";

const sidesFolder = fileURLToPath(new URL("./sides/", import.meta.url));
/** The file of a side. */
export const script = (name: string): string => join(sidesFolder, `${name}.js`);

export const inNode: Place = {
  label: "Node",
  version: process.versions.node,
  start: async (name, options) =>
    new Child(process.execPath, [script(name), JSON.stringify(options)], "what it said is above"),
};
