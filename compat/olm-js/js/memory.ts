// The memory that a call needs beside its object: texts that are passed to a C function, random
// bytes, and room for results. All of it is wiped when the call ends.

import { olm } from "./module";

/** Memory of the module: the two arguments of a C function. */
export interface Buffer {
  readonly at: number;
  readonly length: number;
}

export type Text = string | Uint8Array;

const encoder = new TextEncoder();
// Nothing of a text gets lost, also if it begins with U+FEFF.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Kept for all calls, so that most need no allocation. After `dirty` bytes all of it is zeros. */
const scratch = { at: 0, length: 1 << 16, used: 0, dirty: 0 };

let view = new Uint8Array(0);

/** The bytes of the module's memory, which move when it grows. */
function memory(): Uint8Array {
  if (view.length === 0) view = new Uint8Array(olm().memory.buffer);
  return view;
}

export function allocate(length: number): number {
  // No address has more than 32 bits, and a greater length would be cut down to them.
  const at = length < 2 ** 32 ? olm().allocate(length) : 0;
  if (at === 0) throw new RangeError("out of memory");
  return at;
}

/** Twice as deep as is needed: with 70 a C function may end in the middle, with 100 none does. */
const DEPTH = 200;

/**
 * A C function that ended in the middle, because JavaScript's stack has no room for it, would leave
 * an object or the memory half changed. Here the engine throws its RangeError before anything has
 * begun.
 */
export function reserveStack(): void {
  olm().descend(DEPTH);
}

/** Makes calls of C functions. The buffers that `body` asks for last until it ends. */
export function call<T>(body: () => T): T {
  reserveStack();
  const before = scratch.used;
  const outer = blocks;
  blocks = undefined;
  try {
    return body();
  } finally {
    const ours = blocks;
    scratch.used = before;
    blocks = outer;
    memory().fill(0, scratch.at + before, scratch.at + scratch.dirty);
    scratch.dirty = before;
    wipeStack();
    for (const { at, length } of ours ?? []) {
      memory().fill(0, at, at + length);
      olm().release(at, length);
    }
  }
}

/**
 * The stack of the module grows down to address 0. No C function is running, because none can call
 * JavaScript. So all of it is free, and may hold copies of secrets.
 */
function wipeStack(): void {
  memory().fill(0, 0, olm().__stack_pointer.value);
}

/** The buffers of the current call that `scratch` has no room for. */
let blocks: Buffer[] | undefined;

/** Room for so many bytes. */
export function room(length: number): Buffer {
  if (scratch.used + length <= scratch.length) {
    scratch.at ||= allocate(scratch.length);
    const at = scratch.at + scratch.used;
    scratch.used += length;
    scratch.dirty = Math.max(scratch.dirty, scratch.used);
    return { at, length };
  }
  const block = { at: allocate(length), length };
  (blocks ??= []).push(block);
  return block;
}

/** A string as UTF-8. */
export function string(value: string): Buffer {
  if (typeof value !== "string") throw new TypeError("not a string");
  const { at, length } = room(3 * value.length);
  const { written } = encoder.encodeInto(value, memory().subarray(at, at + length));
  return { at, length: written };
}

/** Whether a value is bytes, also if they come from another window or another realm of Node. */
function isBytes(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]"
  );
}

export function bytes(value: Uint8Array): Buffer {
  if (!isBytes(value)) throw new TypeError("not a Uint8Array");
  const buffer = room(value.length);
  memory()
    .subarray(buffer.at, buffer.at + buffer.length)
    .set(value);
  return buffer;
}

export function text(value: Text): Buffer {
  return typeof value === "string" ? string(value) : bytes(value);
}

/** The same for a secret: as in the original, an array of the caller is wiped, too, in the end. */
export function secret<T>(value: Text, use: (buffer: Buffer) => T): T {
  try {
    return use(text(value));
  } finally {
    if (isBytes(value)) value.fill(0);
  }
}

/** Random bytes. */
export function random(length: number): Buffer {
  const source = globalThis.crypto;
  if (typeof source?.getRandomValues !== "function") {
    throw new Error("there is no crypto.getRandomValues");
  }
  const buffer = room(length);
  // One call gives at most so many.
  const most = 65536;
  for (let done = 0; done < length; done += most) {
    const start = buffer.at + done;
    source.getRandomValues(memory().subarray(start, start + Math.min(most, length - done)));
  }
  return buffer;
}

/** A number of 32 bits. */
export function number(value: number): number {
  if (typeof value !== "number") throw new TypeError("not a number");
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
    throw new RangeError("not an integer from 0 to 2^32 - 1");
  }
  return value;
}

/** The first bytes of a buffer as a string; all of them if there is no length. */
export function read({ at, length }: Buffer, count = length): string {
  return decoder.decode(memory().subarray(at, at + count));
}

/** A copy of the bytes. */
export function copy({ at, length }: Buffer): Uint8Array {
  return memory().slice(at, at + length);
}

/** A text of C, which ends with a NUL. */
export function constant(at: number): string {
  return read({ at, length: memory().indexOf(0, at) - at });
}

export function readNumber({ at }: Buffer): number {
  return new DataView(memory().buffer).getUint32(at, true);
}
