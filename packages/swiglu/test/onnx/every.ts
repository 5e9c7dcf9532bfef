// Whether the full number of cases is asked for: SWIGLU_TESTS=all. The default run takes a share of them.
export const everyCase = process.env.SWIGLU_TESTS === "all";
