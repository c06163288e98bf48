// node fresh.cjs MODULE: the feature `wasm_js` draws new bytes each time.
const ends = require(process.argv[2]);

const keys = [1, 2, 3].map(() => ends.new_identity_key());
if (new Set(keys).size !== 3 || keys.some((key) => key.length !== 43)) {
  throw new Error(`not three different keys: ${keys}`);
}
console.log("three new accounts have different keys");
