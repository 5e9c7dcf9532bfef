// Runs the suite in the Node that starts this file and prints its lines: node runner.js '[{"threads":2}]'
import { type Configuration, runSuite } from "./suite.js";

const configurations = JSON.parse(process.argv[2] ?? "[]") as Configuration[];
await runSuite(configurations, (line) => console.log(JSON.stringify(line)));
