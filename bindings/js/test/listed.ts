// Whether each class and function that the package exports stands in the table of the README.
import { readFileSync } from "node:fs";
import * as moceril from "moceril";

const readme = readFileSync(process.argv[2]!, "utf8");
const missing = Object.keys(moceril).filter((name) => !readme.includes(`\`${name}`));
if (missing.length > 0) throw new Error(`README.md does not have ${missing.join(", ")}`);
