// `npm run test:all`: the same tests, and the slow suites on their whole grid of cases (see conformance/extent.ts).
import base from "./vitest.config.js";

// Here, before anything reads it: tests run in processes that inherit it.
process.env.SWIGLU_TESTS = "full";

export default base;
