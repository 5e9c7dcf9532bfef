// jax-js on its WebAssembly backend.
import { blockUntilReady, defaultDevice, init } from "@jax-js/jax";
import { prepare } from "../jax.js";
import { serve } from "../serve.js";

await init("wasm");
defaultDevice("wasm");

await serve({ version: "0.1.25" }, async (task) => prepare(task, blockUntilReady));
