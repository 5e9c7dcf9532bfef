// The lab as a library: the model and its Trainer. The command line is `swiglu-lab`.
export * from "./model/index.js";
