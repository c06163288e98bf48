// Makes the same random calls to the original and to ours, and compares what they give:
//
//   node differential.mjs FOLDER_OF_THE_ORIGINAL FOLDER_OF_OURS SEED CALLS
//
// A difference must be one of these, and ends the episode of 100 calls unless both have failed:
// * a value was damaged (or a pickle was of another kind), and ours refuses it, or refuses it for
//   another reason, as the README of compat/libolm says;
// * a value was of a wrong type, and ours refuses it with a TypeError or a RangeError;
// * the original reads the error of an export at the wrong place.

import { createRequire } from "node:module";
import { Episode, generator } from "./episode.mjs";

const [, , originalFolder, oursFolder, seed, calls] = process.argv;
const require = createRequire(import.meta.url);

// Both packages draw their bytes from one sequence, which begins anew for each call.
let next;
const draw = (bytes) => {
  for (let i = 0; i < bytes.length; i++) bytes[i] = next();
  return bytes;
};
require("crypto").randomBytes = (length) => draw(Buffer.alloc(length));
Object.defineProperty(globalThis.crypto, "getRandomValues", { value: draw });

const load = async (folder) => {
  const olm = require(folder);
  await olm.init();
  return olm;
};
const [original, ours] = [await load(originalFolder), await load(oursFolder)];

function isAllowed([theirs, ours], episode) {
  if (episode.isDamaged && ours.startsWith("! Error OLM.")) return true;
  if (episode.isWrong && /^! (TypeError|RangeError)/.test(ours)) return true;
  return theirs === "! Error OLM.UNKNOWN_ERROR" && ours === "! Error OLM.UNKNOWN_MESSAGE_INDEX";
}

const counts = { same: 0, succeeded: 0, allowed: 0 };
const differences = [];
const begin = (name) => (next = generator(name));
for (let number = 0; number < calls / 100; number++) {
  const name = `${seed} ${number}`;
  const episodes = [original, ours].map((olm) => {
    begin(name);
    return new Episode(olm, name);
  });
  [episodes[0].partner, episodes[1].partner] = [episodes[1], episodes[0]];
  for (let step = 0; step < 100; step++) {
    const [theirs, mine] = episodes.map((episode) => {
      begin(`${name} ${step}`);
      return episode.step(step);
    });
    if (theirs.name === mine.name && theirs.outcome === mine.outcome) {
      counts.same++;
      if (mine.outcome.startsWith("=")) counts.succeeded++;
      continue;
    }
    counts.allowed++;
    if (!isAllowed([theirs.outcome, mine.outcome], episodes[1])) {
      differences.push([name, step, theirs.name, theirs.outcome, mine.outcome].join(" | "));
    }
    // If both failed, nothing has changed in either.
    if (!theirs.outcome.startsWith("!") || !mine.outcome.startsWith("!")) break;
  }
  for (const episode of episodes) episode.end();
}

console.log(`${counts.same} calls gave the same (${counts.succeeded} without an error), \
${counts.allowed} differed as they may, ${differences.length} otherwise`);
console.log(differences.slice(0, 20).join("\n"));
if (differences.length > 0 || counts.same < calls / 2 || counts.succeeded < counts.same / 2) {
  process.exit(1);
}
