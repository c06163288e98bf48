// node wasi.cjs PROGRAM ARGUMENT...: runs a program for WASI, which may use the files of this
// machine.
const fs = require("fs");
const { WASI } = require("node:wasi");

const [program, ...rest] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [program, ...rest],
  env: process.env,
  preopens: { "/": "/" },
});
WebAssembly.instantiate(fs.readFileSync(program), wasi.getImportObject()).then(({ instance }) => {
  process.exitCode = wasi.start(instance);
});
