// The script for pages and workers, and the CommonJS module for Node and bundlers.

import { download, FILE, initializer } from "./module";
import * as olm from "./olm";

/** Node's, or a bundler's. */
declare const module: { exports: unknown } | undefined;
declare const require: (name: string) => {
  promises: { readFile(path: string): Promise<Uint8Array<ArrayBuffer>> };
};
declare const __dirname: string;
declare const process: { versions?: { node?: string } } | undefined;

const isNode = typeof process === "object" && typeof process.versions?.node === "string";

/** The folder of this script. Only while it starts, a page can tell which script it is. */
function folder(): string {
  if (isNode) return `${__dirname}/`;
  const script = typeof document === "undefined" ? null : document.currentScript;
  const address = script !== null && "src" in script ? script.src : globalThis.location.href;
  // What has no folder, such as a blob, is no error: the program may say where the file is.
  return address.replace(/[^/]*([?#].*)?$/, "");
}

const here = folder();

const init = initializer(({ locateFile }) => {
  const file = locateFile?.(FILE, here) ?? here + FILE;
  return isNode ? require("fs").promises.readFile(file) : download(file);
});

const Olm = { ...olm, init };
// As in the original, a page has it as `Olm` also if it is a module of a bundle.
if (typeof module === "object") module.exports = Olm;
if (typeof window !== "undefined" || typeof module !== "object") Object.assign(globalThis, { Olm });
