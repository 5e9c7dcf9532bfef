#!/usr/bin/env node
// The command line, swiglu-lab: options, help and exit codes. What the commands do is in commands/, each loaded when
// it is called, so that help comes at once.
import { Command, CommanderError, Option } from "commander";
import { formulaOption } from "./commands/formula.js";
import { collect, nameList, positiveNumber, wholeNumber } from "./commands/options.js";
import type { CompareOptions } from "./commands/plan.js";
import type { ProbeOptions } from "./commands/probe.js";
import type { WorkerCommandOptions } from "./commands/worker.js";
import { DEFAULT_LEARNING_RATE } from "./config/learning-rates.js";
import { presetNames } from "./config/presets.js";
import { studyPresetNames } from "./config/study-presets.js";
import { defaultVariants, type OwnActivation, probeVariants } from "./config/variants.js";
import { UserError } from "./system/errors.js";
import { type TaskKind, taskKinds, tasks } from "./tasks/registry.js";
import { complain, print, showDefect, watchOutput, write, writeError } from "./terminal/output.js";
import { either } from "./words/format.js";

/** "0.01; language: 0.005": what an option is where it is not given. */
function defaultOf(name: string): string {
  const values = taskKinds.flatMap((task) => {
    const value = Object.entries(tasks[task].defaults).find(([key]) => key === name)?.[1];
    return value === undefined ? [] : [{ task, value }];
  });
  const [first, ...others] = values;
  const different = others.filter(({ value }) => value !== first?.value);
  return [`default: ${first?.value}`, ...different.map(({ task, value }) => `${task}: ${value}`)].join("; ");
}

/** The settings that belong to some of the tasks, each with its help. */
const taskSettings: ReadonlyMap<string, string> = new Map(
  taskKinds.flatMap((task) =>
    Object.entries(tasks[task].settings).map(([name, { help }]) => [name, help] as const),
  ),
);

/** "images, sequences or pairs" */
const exampleNouns = either(taskKinds.map((task) => tasks[task].examples));

/** What compare and worker have in common. */
const checkpointInterval = (): Option =>
  new Option(
    "--checkpoint-interval <seconds>",
    "time between two checkpoints of a run, from which it goes on after an interruption",
  )
    .argParser(positiveNumber)
    .default(30);

/** What compare and probe have in common: data, variants, network, training and the place for results. */
function trainingOptions(command: Command, variants: readonly string[]): Command {
  command
    .addOption(
      new Option("--task <name>", "what is learned").choices(taskKinds).default("images" satisfies TaskKind),
    )
    .addOption(
      new Option(
        "--variants <names>",
        "activations, separated by commas; NAME-trained also trains its parameters",
      )
        .argParser(nameList)
        .default(variants, variants.join(", ")),
    )
    .addOption(
      new Option("--activation <file.json>", "also compare an activation of your own (may be repeated)")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(formulaOption())
    .option("--seeds <count|list>", "3 means the seeds 1, 2 and 3; 7,11 means these", "3")
    .option("--steps <n>", `training steps of a run (${defaultOf("steps")})`, wholeNumber)
    .option("--batch <n>", `${exampleNouns} per step (${defaultOf("batch")})`, wholeNumber)
    .option("--width <n>", `width of the network, dModel (${defaultOf("width")})`, wholeNumber)
    .option("--depth <n>", `blocks (${defaultOf("depth")})`, wholeNumber)
    .option("--heads <n>", `attention heads; must divide the width (${defaultOf("heads")})`, wholeNumber);
  for (const [name, help] of taskSettings)
    command.option(`--${name} <n>`, `${help} (${defaultOf(name)})`, wholeNumber);
  return command
    .option(
      "--learning-rate <rates>",
      "highest learning rate, before a cosine to zero; 0.004,swiglu=0.008 is one for all and another for swiglu " +
        `(default: ${DEFAULT_LEARNING_RATE})`,
    )
    .option("--data <path>", taskKinds.map((task) => `${task}: ${tasks[task].data}`).join("; "))
    .option("--out <dir>", "folder for the results, each configuration in a folder of its own", "runs")
    .option("--threads <n>", "threads of a process; runs repeat bit for bit with 1", wholeNumber, 1);
}

/** The names of the options that the user gave. */
const givenOf = (options: CompareOptions | ProbeOptions, command: Command): (keyof CompareOptions)[] =>
  (Object.keys(options) as (keyof CompareOptions)[]).filter(
    (name) => command.getOptionValueSource(name) === "cli",
  );

const program = new Command("swiglu-lab")
  .description(
    "Trains the same network under each activation on images, text or translations, and says with confidence intervals which one is better.",
  )
  .exitOverride() // so that what was printed is seen to before the process ends
  .configureOutput({ writeOut: write, writeErr: writeError })
  .showHelpAfterError("(swiglu-lab --help explains the options)")
  .addHelpText(
    "after",
    `
Examples:
  swiglu-lab compare                      13 variants, 3 seeds each, on MNIST; two to six minutes on 2 cores
  swiglu-lab compare --task language      the same question of a language model, on the State of the Union addresses
  swiglu-lab compare --help               all its options, with more examples
  swiglu-lab probe                        how smooth the variants are, and what their gates close
  swiglu-lab worker redis://host          take runs from a queue, for compare --queue on any machine
  swiglu-lab list                         the catalogue of activations
  swiglu-lab show swiglu                  formula, gradient, source and plot of one of them`,
  );

trainingOptions(program.command("compare"), defaultVariants)
  .description(
    "Train a small transformer under every variant and seed, print a ranking, and write a report.\n" +
      "Interrupted, it goes on where it was when started again with the same options.",
  )
  .addOption(
    new Option(
      "--preset <name>",
      "the options of a published table; those given beside it count in their place",
    ).choices([...presetNames, ...studyPresetNames]),
  )
  .option(
    "--tune <rates>",
    "find the learning rate of each variant first: all are trained at each of these, as 0.002,0.004,0.008, and at rates " +
      "beyond while one is best at the edge; the lowest mean validation loss decides",
  )
  .option(
    "--tune-seeds <count|list>",
    "seeds of the tuning, which must not be among --seeds (default: 1001 and 1002)",
  )
  .option(
    "--lengths <passes>",
    "compare at several lengths, as 0.5,1,2 passes over the training part, each a full run with its own schedule; says how many " +
      "more steps one variant needs for the loss of another",
  )
  .option(
    "--sizes <widths>",
    "compare at several widths, as 32,64,128, with as many tokens per parameter at each",
  )
  .option(
    "--tune-lengths <passes>",
    "the lengths at which --tune is done (default: the second-longest); the others take the nearest one's rates",
  )
  .option("--plan", "with --lengths or --sizes: only say which runs there are, and what they will cost")
  .option("--jobs <n>", "processes side by side (default: one per core)", wholeNumber)
  .addOption(checkpointInterval())
  .option("--queue <redis-url>", "have the runs done by swiglu-lab worker, on this and other machines")
  .addHelpText(
    "after",
    `
Examples:
  swiglu-lab compare --variants relu,swiglu --seeds 10
      two variants, ten seeds: a narrower interval for their difference
  swiglu-lab compare --data /usr/share/datasets/fashion-mnist
      another image set in the IDX format of MNIST
  swiglu-lab compare --task language --data novel.txt --variants relu,swiglu
      a language model on a text of your own
  swiglu-lab compare --task translation --data pairs.tsv --variants relu,swiglu --beam 4
      translations of your own, found by beam search
  swiglu-lab compare --variants relu,swiglu --tune 0.002,0.004,0.008
      each variant at the learning rate that suits it best
  swiglu-lab compare --preset evidence-language
      a table of the published evidence again; --seeds 3 beside it makes it shorter
  swiglu-lab compare --variants relu,swiglu,swiglu-trained --steps 2000 --width 96
      longer and larger
  swiglu-lab compare --variants swiglu,swish,glu --seeds 6 --lengths 0.5,1,2 --tune 0.004,0.0057,0.008
      full runs of three lengths: does the answer hold for longer training?
  swiglu-lab compare --activation mine.json --variants relu,mine,mine-trained
      with mine.json: {"name": "mine", "kind": "gated", "parameters": {"slope": 2},
                       "expression": ["mul", ["sigmoid", ["mul", "slope", "gate"]], "up"]}
  swiglu-lab compare --formula "mine = silu(gate) * tanh(up)" --variants relu,swiglu,mine
      the same by a formula as text`,
  )
  .action(async (options: CompareOptions, command: Command) => {
    const { compare } = await import("./commands/compare.js");
    process.exitCode = await compare(options, givenOf(options, command));
  });

trainingOptions(program.command("probe"), probeVariants)
  .description(
    "Measure what activations are said to be good for: how smooth they are, whether they are monotone, and what their gates\n" +
      "close, in the formulas and at ten places of a training run. Interrupted, it keeps the runs that are whole.",
  )
  .option("--shapes", "only what the formulas of the whole catalogue say, without any training")
  .addHelpText(
    "after",
    `
Examples:
  swiglu-lab probe                        seven variants, 3 seeds each, on MNIST: about four minutes on one core
  swiglu-lab probe --variants relu,swiglu --task language
  swiglu-lab probe --shapes               second derivatives, kinks and minima of all activations`,
  )
  .action(async (options: ProbeOptions, command: Command) => {
    const { probe } = await import("./commands/probe.js");
    process.exitCode = await probe(options, givenOf(options, command));
  });

program
  .command("worker")
  .description(
    "Take runs from a queue in Redis, where swiglu-lab compare --queue puts them, until Ctrl-C. Start as many as you\n" +
      "like, on as many machines; they may be stopped or killed at any time.",
  )
  .argument("<redis-url>", "redis://host:6379, or rediss://user:password@host:6379 for TLS")
  .option("--data <place>", "data beside that which comes with the lab (may be repeated)", collect, [])
  .option("--jobs <n>", "processes side by side (default: one per core)", wholeNumber)
  .addOption(checkpointInterval())
  .option(
    "--work <dir>",
    "folder for checkpoints, and for finished runs until they are given back",
    "runs/worker",
  )
  .option(
    "--lock <seconds>",
    "time without a sign of life after which another worker takes over its runs",
    positiveNumber,
    15,
  )
  .addHelpText(
    "after",
    `
Example, on each machine:
  swiglu-lab worker redis://192.168.1.7:6379
and on one of them:
  swiglu-lab compare --seeds 10 --queue redis://192.168.1.7:6379`,
  )
  .action(async (url: string, options: WorkerCommandOptions) => {
    const { worker } = await import("./commands/worker.js");
    process.exit(await worker(url, options)); // a Redis that is away must not keep it
  });

program
  .command("list")
  .description("List the catalogue: name, kind, parameters with their defaults, formula.")
  .action(async () => {
    const { list } = await import("./commands/list.js");
    print(list());
  });

program
  .command("show")
  .description("Show an activation: formula, exact gradient, LaTeX, source, and a plot of value and slope.")
  .argument("<name>", "a name from the catalogue, or of one given with --activation or --formula")
  .option(
    "--activation <file.json>",
    "definition of an activation of your own (may be repeated)",
    collect,
    [],
  )
  .addOption(formulaOption())
  .addHelpText(
    "after",
    `
Examples:
  swiglu-lab show swiglu
  swiglu-lab show mine --formula "mine(beta = 1.5) = swish(gate, beta) * up"`,
  )
  .action(async (name: string, { activation }: { activation: OwnActivation[] }) => {
    const { show } = await import("./commands/show.js");
    print(show(name, activation));
  });

watchOutput();
program.parseAsync().catch((thrown: unknown) => {
  process.exitCode = thrown instanceof CommanderError ? thrown.exitCode : 1;
  if (thrown instanceof UserError) complain(thrown.message);
  else if (!(thrown instanceof CommanderError)) showDefect(thrown); // of a mistake in the options commander has told
});
