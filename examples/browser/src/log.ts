/** The keys of one file of `test-vectors/`, and its steps in their order. */
type File = Record<string, string | string[]>;

/** By their names in the folder. */
const files = new Map<string, File>();

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The layers of `test-vectors/` that refuse, by the codes of errors. */
const LAYERS: Partial<Record<string, string>> = {
  AlreadyUsed: "replay",
  Authentication: "mac",
  Replayed: "replay",
};

/**
 * What happened in a section, in the form of a file of `test-vectors/`: with it, another library
 * makes the same messages from the same random bytes.
 */
export class Transcript {
  readonly #steps: string[] = [];
  #sent = 0;

  constructor(kind: "megolm-transcript" | "olm-transcript", name: string, keys: File) {
    const taken = [...files.keys()].filter((path) => path.startsWith(`${kind}/${name}-`)).length;
    const source = "recorded from moceril, examples/browser";
    const head = { kind, source, expect: "success", version: "3" };
    files.set(`${kind}/${name}-${taken + 1}.txt`, { ...head, ...keys, step: this.#steps });
  }

  /** Adds a step. */
  step(...words: (string | number)[]): void {
    this.#steps.push(words.join(" "));
  }

  /** Adds a message that is sent, and gives its number. */
  send(...words: (string | number)[]): number {
    this.step(...words);
    this.#sent += 1;
    return this.#sent - 1;
  }

  /** Adds a message that is refused. The files have no layer for a key that was evicted. */
  refuse(who: string, code: string, type: number, body: string): void {
    const layer = LAYERS[code];
    if (layer !== undefined) this.step(who, "refuse", layer, type, body);
  }
}

/** The files in which something happened, as JSON. */
export function transcripts(): string {
  const used = [...files].filter(([, { step }]) => step!.length > 0);
  return JSON.stringify(Object.fromEntries(used), null, 2);
}
