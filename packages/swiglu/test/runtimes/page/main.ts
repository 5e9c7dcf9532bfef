// Runs the suite in a page; its lines go to the console. Configurations come with the address: ?[{"threads":2}]
import { type Configuration, runSuite } from "../suite.js";

const configurations = JSON.parse(decodeURIComponent(location.search.slice(1)) || "[]") as Configuration[];
await runSuite(configurations, (line) => console.log(JSON.stringify(line)));
