// The ES module for browsers and for bundlers. A bundler finds the address below by its form, and
// puts a copy of the file beside the program.

import { download, FILE, initializer } from "./module";
import * as olm from "./olm";

export * from "./olm";

const file = new URL("olm.wasm", import.meta.url).href;

export const init = initializer(({ locateFile }) =>
  download(locateFile?.(FILE, new URL(".", file).href) ?? file),
);

// As in the original, the default export is the whole package, and a page has it as `Olm`, too.
const Olm = { ...olm, init };
export default Olm;
if (typeof window !== "undefined") Object.assign(window, { Olm });
