// The WebAssembly module, and how it is loaded.

/** The C functions. Pointers, lengths and results are numbers of 32 bits. */
export type Functions = {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global<"i32">;
  readonly allocate: (length: number) => number;
  readonly release: (start: number, length: number) => void;
  readonly descend: (depth: number) => number;
} & { readonly [name: `olm_${string}`]: (...values: number[]) => number };

/** What a program may set about loading, under Emscripten's names. */
export interface Options {
  /** Where the file is: an address, or in Node a path. */
  locateFile?: (name: string, folder: string) => string;
  /** The file itself. */
  wasmBinary?: BufferSource;
}

declare const OLM_OPTIONS: Options | undefined;

export const FILE = "olm.wasm";

let functions: Functions | undefined;
let loading: Promise<void> | undefined;

export function olm(): Functions {
  if (functions === undefined) throw new TypeError("Olm.init() has not completed");
  return functions;
}

async function load(options: Options, read: (options: Options) => Promise<BufferSource>) {
  const { instance } = await WebAssembly.instantiate(options.wasmBinary ?? (await read(options)));
  functions = instance.exports as Functions;
}

/** The function `init` of the package, which gets the file with `read`. */
export function initializer(read: (options: Options) => Promise<BufferSource>) {
  return (options?: Options): Promise<void> => {
    const globalOptions = typeof OLM_OPTIONS === "undefined" ? undefined : OLM_OPTIONS;
    // After a failure the next call tries again.
    loading ??= load(options ?? globalOptions ?? {}, read).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}

export async function download(address: string | URL): Promise<BufferSource> {
  const response = await fetch(address, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}
