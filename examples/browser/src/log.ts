/** What happened on this page, for whoever wants to check it with another library. */
export interface Entry {
  section: string;
  /** As in test vectors: what was done, and with what. */
  step: string;
}

const entries: Entry[] = [];

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Adds a step. Its words stand apart by spaces. */
export function record(section: string, ...words: (string | number)[]): void {
  entries.push({ section, step: words.join(" ") });
}

/** The steps, in the words of the transcripts of `test-vectors/`. */
export function transcript(): string {
  const sections = [...new Set(entries.map((entry) => entry.section))];
  const steps = (section: string): string[] =>
    entries.filter((entry) => entry.section === section).map((entry) => entry.step);
  const content = sections.map((section) => ({ section, step: steps(section) }));
  return JSON.stringify(
    { source: "moceril, examples/browser", version: 3, transcripts: content },
    null,
    2,
  );
}
