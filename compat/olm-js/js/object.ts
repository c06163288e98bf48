// Objects of the C library.

import { allocate, type Buffer, constant, read, reserveStack, room } from "./memory";
import { olm } from "./module";

/** `olm_error()` */
const FAILED = 2 ** 32 - 1;

/** Arguments of a C function; a buffer is two. */
export type Values = (Buffer | number)[];

/** A C function, by its name after `olm_`. */
function cFunction(name: string): (...values: number[]) => number {
  return olm()[`olm_${name}`];
}

/** What becomes of an object that is no longer reachable. */
const forgotten = new FinalizationRegistry<{ kind: Kind; at: number }>(({ kind, at }) => {
  kind.destroy(at);
});

/** A kind of object, by its name in the C functions. */
export class Kind {
  /** As the C functions have it. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** A blank object. */
  create(): number {
    return cFunction(this.name)(allocate(this.#size()));
  }

  /** Wipes an object and frees its memory. */
  destroy(at: number): void {
    cFunction(`clear_${this.name}`)(at);
    olm().release(at, this.#size());
  }

  /** Calls a C function of an object, and throws its error. */
  ask(object: Native, name: string, ...values: Values): number {
    const at = this.address(object);
    const numbers = [at];
    for (const value of values) {
      if (typeof value === "number") numbers.push(value);
      else numbers.push(value.at, value.length);
    }
    const result = cFunction(name)(...numbers) >>> 0;
    if (result === FAILED) {
      throw new Error(`OLM.${constant(cFunction(`${this.name}_last_error`)(at))}`);
    }
    return result;
  }

  /** The result of a C function that cannot fail: `FAILED`, too, is a number like any other. */
  count(object: Native, name: string): number {
    return cFunction(name)(this.address(object)) >>> 0;
  }

  /** The text that a C function writes. Its last argument is a buffer of this length. */
  write(object: Native, length: number, name: string, ...values: Values): string {
    const output = room(length);
    this.ask(object, name, ...values, output);
    return read(output);
  }

  /** The same for a function beside which another one says the length. */
  text(object: Native, name: string): string {
    return this.write(object, this.ask(object, `${name}_length`), name);
  }

  /** Where an object is. It must be of this kind: a C function takes any other for one, too. */
  address(object: Native): number {
    return Native.address(object, this, this.name);
  }

  #size(): number {
    return cFunction(`${this.name}_size`)();
  }
}

/** An object in the memory of the module. */
export abstract class Native {
  readonly #kind: Kind;
  /** 0 after the object was freed. */
  #at: number;

  constructor(kind: Kind) {
    reserveStack();
    this.#kind = kind;
    this.#at = kind.create();
    forgotten.register(this, { kind, at: this.#at }, this);
  }

  /** Wipes the object, which cannot be used any more. */
  free(): void {
    if (this.#at === 0) return;
    reserveStack();
    forgotten.unregister(this);
    const at = this.#at;
    this.#at = 0;
    this.#kind.destroy(at);
  }

  static address(object: unknown, kind: Kind, name: string): number {
    const isOne = typeof object === "object" && object !== null && #at in object;
    if (!isOne || object.#kind !== kind) throw new TypeError(`not of the kind ${name}`);
    if (object.#at === 0) throw new Error(`this ${name} was freed`);
    return object.#at;
  }
}
