// node next.cjs MODULE: reads a state and prints the next one, as the program `platform-ends` does.
const fs = require("fs");

const ends = require(process.argv[2]);
process.stdout.write(ends.next(fs.readFileSync(0, "utf8")));
