/**
 * The same in Node, where the file of the module is read from the disk.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { init as load } from "./index.js";

export * from "./index.js";

/**
 * Loads the module. Later calls wait for the same module; after a failure they try again.
 *
 * @param module the file `moceril_js_bg.wasm`, if it is not beside the code
 */
export async function init(module?: BufferSource | WebAssembly.Module): Promise<void> {
  await load(module ?? (await readFile(new URL("./wasm/moceril_js_bg.wasm", import.meta.url))));
}
