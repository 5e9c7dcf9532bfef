// What a change of shape must not change (npm run check:frozen): fingerprints of generated code, files and records.
import { mergeConfig } from "vitest/config";
import base from "./vitest.config.js";

const config = mergeConfig(base, { test: { maxWorkers: 2, testTimeout: 900_000 } });
config.test!.include = ["packages/*/test/frozen/**/*.test.ts"];
config.test!.exclude = [];
export default config;
