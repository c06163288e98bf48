/// <reference lib="esnext.disposable" preserve="true" />
import { MocerilError, reported } from "./errors.js";

/**
 * The most bytes of a value, characters of a text, or values of a list that are passed to the
 * module. An operation takes a small multiple of it in the module's memory, which ends at 4 GiB;
 * where it ends, the module would stop.
 */
export const MAX_LENGTH = 64 * 1024 * 1024;

let state: "new" | "ready" | "stopped" = "new";

/** @internal */
export function ready(): void {
  if (state === "new") state = "ready";
}

/**
 * Calls the module, and throws what it reports as a {@link MocerilError}.
 *
 * Bad input cannot stop the module. If the memory or the stack of the program ends in the middle of
 * a call, an object may be half changed. Then no call is let through any more: a message key could
 * be used twice.
 *
 * @internal
 */
export function call<T>(operation: () => T): T {
  if (state === "new") throw new MocerilError("NotInitialized", "await init() first");
  if (state === "stopped") throw new MocerilError("Internal", "the module has stopped");
  try {
    return operation();
  } catch (cause) {
    if (cause instanceof MocerilError) throw cause;
    const error = reported(cause);
    if (error) throw error;
    state = "stopped";
    throw new MocerilError("Internal", "the module has stopped", { cause });
  }
}

function refused(what: string, name: string): never {
  throw new MocerilError("Argument", `${name} must be ${what}`);
}

// The tag of a typed array cannot be imitated, and is the same in another realm.
const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** @internal */
export function bytes(value: unknown, name: string): Uint8Array {
  if (tagOf?.call(value) !== "Uint8Array") refused("a Uint8Array", name);
  const array = value as Uint8Array;
  if (array.length > MAX_LENGTH) refused(`at most ${MAX_LENGTH} bytes long`, name);
  return array;
}

/** @internal */
export function text(value: unknown, name: string): string {
  if (typeof value !== "string") refused("a string", name);
  if (value.length > MAX_LENGTH) refused(`at most ${MAX_LENGTH} characters long`, name);
  // Half of a surrogate pair would become U+FFFD, and two ids one.
  if (/\p{Surrogate}/u.test(value)) refused("well-formed Unicode", name);
  return value;
}

/** @internal */
export function texts(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) refused("an array of strings", name);
  const copy = Array.from(value, (item) => text(item, `each of ${name}`));
  const total = copy.reduce((sum, item) => sum + item.length, copy.length);
  if (total > MAX_LENGTH) refused(`at most ${MAX_LENGTH} characters long together`, name);
  return copy;
}

/** @internal */
export function flag(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") refused("a boolean", name);
  return value;
}

/**
 * A whole number of 32 bits.
 *
 * @internal
 */
export function number(value: unknown, name: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff) {
    refused("a whole number below 2^32", name);
  }
  return value as number;
}

/**
 * Seconds since 1970, or a length of time in seconds.
 *
 * @internal
 */
export function seconds(value: unknown, name: string): bigint {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    refused("a whole number of seconds", name);
  }
  return BigInt(value as number);
}

/**
 * The members of an argument that is an object.
 *
 * @internal
 */
export function members<T extends object>(value: T, name: string): T {
  if (typeof value !== "object" || value === null) refused("an object", name);
  return value;
}

/** @internal */
export interface Raw {
  free(): void;
}

/** @internal */
export type Type<R extends Raw> = Function & { readonly prototype: R };

let rawOf: (object: unknown, used: boolean) => Raw | "foreign" | undefined;

/**
 * An object that holds memory of the module. `free()`, or `using` with TypeScript 5.2, returns and
 * wipes it immediately. If nobody calls it, the garbage collector does, at a time that a program
 * cannot choose.
 */
export abstract class Owned {
  #raw: Raw | undefined;

  /** @internal */
  constructor(raw: Raw, type: Type<Raw>) {
    if (!(raw instanceof type)) refused("made by a function of the package", "the object");
    this.#raw = raw;
  }

  /** Wipes the object. Every later call throws an error with the code `Freed`. */
  free(): void {
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw) call(() => raw.free());
  }

  /** The same as {@link free}. */
  [Symbol.dispose](): void {
    this.free();
  }

  static {
    rawOf = (object, used) => {
      if (typeof object !== "object" || object === null || !(#raw in object)) return "foreign";
      const raw = object.#raw;
      if (used) object.#raw = undefined;
      return raw;
    };
  }
}

/**
 * What an object stands for in the module, if it is one of this class.
 *
 * @internal
 */
export function raw<R extends Raw>(object: unknown, type: Type<R>): R {
  const found = rawOf(object, false);
  if (found === undefined) throw new MocerilError("Freed", "the object was freed");
  if (!(found instanceof type)) refused(`of the class ${type.name}`, "the object");
  return found as R;
}

/**
 * As `raw`, for an operation that uses the object up.
 *
 * @internal
 */
export function take<R extends Raw>(object: unknown, type: Type<R>): R {
  const found = raw(object, type);
  rawOf(object, true);
  return found;
}

/** An object that can be stored. */
export abstract class Pickled extends Owned {
  /**
   * The object as text, encrypted and authenticated under a key of 32 bytes, and bound to a
   * context: what names the place where it is stored, such as the user, the device and the name of
   * the row (a session's id). Two objects of one kind with one context can be exchanged by whoever
   * writes to the store.
   */
  pickle(key: Uint8Array, context: Uint8Array): string {
    const [k, c] = [bytes(key, "key"), bytes(context, "context")];
    return call(() => stored(this).pickle(k, c));
  }

  /** A number that grows with every change, by which a store can tell that it was rolled back. */
  get generation(): bigint {
    return call(() => stored(this).generation());
  }
}

interface RawPickled extends Raw {
  pickle(key: Uint8Array, context: Uint8Array): string;
  generation(): bigint;
}

/** A method can be called on any object of the package, and most cannot be stored. */
function stored(object: unknown): RawPickled {
  const found = raw(object, Object as unknown as Type<RawPickled>);
  const { generation, pickle } = found as Partial<RawPickled>;
  if (typeof generation !== "function" || typeof pickle !== "function") {
    refused("one that can be stored", "the object");
  }
  return found;
}
