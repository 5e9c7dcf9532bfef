#!/usr/bin/env node
// The command line, swiglu-lab: options, help and exit codes. What the commands do is in commands/, each loaded when
// it is called, so that help comes at once.
import { Command, Option } from "commander";
import type { CompareOptions } from "./commands/compare.js";
import { collect, nameList, positiveNumber, wholeNumber } from "./commands/options.js";
import { defaultVariants } from "./config/variants.js";
import { UserError } from "./errors.js";

const program = new Command("swiglu-lab")
  .description(
    "Trains the same network under each activation on real images, and says with confidence intervals which one is better.",
  )
  .showHelpAfterError("(swiglu-lab --help explains the options)")
  .addHelpText(
    "after",
    `
Examples:
  swiglu-lab compare                      13 variants, 3 seeds each, on MNIST; about two minutes on 2 cores
  swiglu-lab compare --help               all its options, with more examples
  swiglu-lab list                         the catalogue of activations
  swiglu-lab show swiglu                  formula, gradient, source and plot of one of them`,
  );

program
  .command("compare")
  .description(
    "Train a small vision transformer under every variant and seed, print a ranking, and write a report.\n" +
      "Interrupted, it goes on where it was when started again with the same options.",
  )
  .addOption(
    new Option(
      "--variants <names>",
      "activations, separated by commas; NAME-trained also trains its parameters",
    )
      .argParser(nameList)
      .default(defaultVariants, defaultVariants.join(", ")),
  )
  .addOption(
    new Option("--activation <file.json>", "also compare an activation of your own (may be repeated)")
      .argParser(collect)
      .default([], "none"),
  )
  .option("--seeds <count|list>", "3 means the seeds 1, 2 and 3; 7,11 means these", "3")
  .option("--steps <n>", "training steps of a run", wholeNumber, 500)
  .option("--batch <n>", "images per step", wholeNumber, 128)
  .option("--width <n>", "width of the network (dModel)", wholeNumber, 32)
  .option("--depth <n>", "blocks", wholeNumber, 2)
  .option("--heads <n>", "attention heads; must divide the width", wholeNumber, 4)
  .option("--patch <n>", "side of a patch in pixels; must divide the images' side", wholeNumber, 7)
  .option(
    "--learning-rate <x>",
    "highest learning rate: warm-up, then a cosine to zero",
    positiveNumber,
    0.01,
  )
  .option("--data <dir>", "folder with the four IDX files of an image set, plain or .gz (default: MNIST)")
  .option("--out <dir>", "folder for the results, each configuration in a folder of its own", "runs")
  .option("--threads <n>", "threads of a process; runs repeat bit for bit with 1", wholeNumber, 1)
  .option("--jobs <n>", "processes side by side (default: one per core)", wholeNumber)
  .option(
    "--checkpoint-interval <seconds>",
    "time between two checkpoints of a run, from which it goes on after an interruption",
    positiveNumber,
    30,
  )
  .addHelpText(
    "after",
    `
Examples:
  swiglu-lab compare --variants relu,swiglu --seeds 10
      two variants, ten seeds: a narrower interval for their difference
  swiglu-lab compare --data /usr/share/datasets/fashion-mnist
      another image set in the IDX format of MNIST
  swiglu-lab compare --variants relu,swiglu,swiglu-trained --steps 2000 --width 96
      longer and larger
  swiglu-lab compare --activation mine.json --variants relu,mine,mine-trained
      with mine.json: {"name": "mine", "kind": "gated", "parameters": {"slope": 2},
                       "expression": ["mul", ["sigmoid", ["mul", "slope", "gate"]], "up"]}`,
  )
  .action(async (options: CompareOptions) => {
    const { compare } = await import("./commands/compare.js");
    process.exitCode = await compare(options);
  });

program
  .command("list")
  .description("List the catalogue: name, kind, parameters with their defaults, formula.")
  .action(async () => {
    const { list } = await import("./commands/list.js");
    console.log(list());
  });

program
  .command("show")
  .description("Show an activation: formula, exact gradient, LaTeX, source, and a plot of value and slope.")
  .argument("<name>", "a name from the catalogue, or of a definition given with --activation")
  .option(
    "--activation <file.json>",
    "definition of an activation of your own (may be repeated)",
    collect,
    [],
  )
  .addHelpText("after", "\nExample:\n  swiglu-lab show swiglu")
  .action(async (name: string, { activation }: { activation: string[] }) => {
    const { show } = await import("./commands/show.js");
    console.log(show(name, activation));
  });

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // the reader, head for instance, has seen enough
  throw error;
});

program.parseAsync().catch((thrown: unknown) => {
  if (thrown instanceof UserError) console.error(`error: ${thrown.message}`);
  else console.error(thrown);
  process.exitCode = 1;
});
