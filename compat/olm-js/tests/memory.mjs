// S-51: what the package guarantees of its memory: nothing is left over, and it may run out.
//
//   PACKAGE=FOLDER node --expose-gc --test memory.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  account,
  cCalls,
  conversation,
  everyCall,
  isOlmError,
  names,
  Olm,
  room,
  wasm,
} from "./ready.mjs";

const heap = () => new Uint8Array(wasm.memory.buffer);
const holds = (text) => Buffer.from(wasm.memory.buffer).includes(text);

/** Runs the garbage collector, and what it calls for the objects that it has found. */
async function collect() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((done) => setTimeout(done, 0));
  }
}

/** The errors of calls at the end of JavaScript's stack, until one has room enough. */
function atTheEnd(attempt) {
  const errors = [];
  let done = false;
  const descend = () => {
    try {
      descend();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    // Each frame on the way back has a little more room.
    if (done) return;
    try {
      attempt();
      done = true;
    } catch (error) {
      if (isOlmError(error)) done = true;
      else errors.push(error);
    }
  };
  descend();
  assert.ok(done);
  return errors;
}

test("a call at the end of JavaScript's stack does nothing", () => {
  let refused = 0;
  const attempts = [() => new Olm.Account()];
  for (const [object, ...methods] of everyCall()) {
    for (const [name, ...values] of methods) attempts.push(() => object[name](...values));
  }
  for (const attempt of attempts) {
    const errors = atTheEnd(attempt);
    refused += errors.length;
    for (const error of errors) assert.ok(error instanceof RangeError, String(error));
    assert.equal(cCalls.begun, cCalls.ended, "no C function ends in the middle");
  }
  assert.ok(refused > 1000, String(refused));
  // With little room left, an object is freed as a whole or not at all.
  const object = new Olm.Session();
  assert.ok(atTheEnd(() => object.free()).every((error) => error instanceof RangeError));
  assert.throws(() => object.session_id(), /freed/);
  const { ours, theirs } = conversation();
  const { type, body } = ours.encrypt("text");
  assert.equal(theirs.decrypt(type, body), "text");
});

test("a call uses half of the module's stack at most", () => {
  const start = wasm.__stack_pointer.value;
  assert.equal(start, 32768);
  // Wiping is put off, so that the memory shows how deep the calls went.
  const { fill } = Uint8Array.prototype;
  let lowest = start;
  Uint8Array.prototype.fill = function (value, from, to) {
    if (from === 0 && to === start) {
      const first = this.subarray(0, start).findIndex(Boolean);
      if (first >= 0) lowest = Math.min(lowest, first);
    }
    return fill.call(this, value, from, to);
  };
  try {
    for (const [object, ...methods] of everyCall()) {
      for (const [name, ...values] of methods) {
        try {
          object[name](...values);
        } catch (error) {
          assert.ok(isOlmError(error));
        }
      }
    }
  } finally {
    Uint8Array.prototype.fill = fill;
  }
  assert.ok(lowest < start, "the search for the depth runs before the stack is wiped");
  assert.ok(lowest > start / 2, String(start - lowest));
});

test("nothing of a secret stays in the memory of the module", () => {
  const marker = "correct horse battery staple";
  const long = marker.repeat(4000);
  const found = () => holds(marker);
  const { alice, ours, theirs } = conversation();
  for (const text of [marker, long]) {
    assert.equal(alice.sign(text).length, 86);
    const key = new TextEncoder().encode(text);
    alice.unpickle(text, alice.pickle(key));
    assert.ok(key.every((byte) => byte === 0));
    assert.throws(() => alice.unpickle(`${text}.`, alice.pickle(text)), /BAD_ACCOUNT_KEY/);
    const { type, body } = ours.encrypt(text);
    assert.equal(theirs.decrypt(type, body), text);
    const { group, receiver } = room();
    assert.equal(receiver.decrypt(group.encrypt(text)).plaintext, text);
    assert.throws(() => ours.decrypt(1, text), isOlmError);
    assert.ok(!found());
  }
  const decryption = new Olm.PkDecryption();
  const private_key = new TextEncoder().encode(marker.padEnd(32, "!"));
  decryption.init_with_private_key(private_key);
  assert.ok(found(), "the object has it");
  decryption.free();
  assert.ok(!found());
});

test("objects that nobody has are freed", async () => {
  const make = (count) => {
    for (let i = 0; i < count; i++) new Olm[names[i % names.length]]();
  };
  make(2000);
  await collect();
  const size = heap().length;
  for (let round = 0; round < 50; round++) {
    make(2000);
    await collect();
  }
  for (let i = 0; i < 100000; i++) new Olm[names[i % names.length]]().free();
  assert.equal(heap().length, size);
});

test("objects that nobody has are wiped", async () => {
  const secrets = ["the private key of a decryption.", "the seed of a key for signatures"];
  // In a function of its own: no variable of the test keeps the objects alive.
  const make = () => {
    const [key, seed] = secrets.map((secret) => new TextEncoder().encode(secret));
    new Olm.PkDecryption().init_with_private_key(key);
    new Olm.PkSigning().init_with_seed(seed);
  };
  make();
  for (const secret of secrets) assert.ok(holds(secret), `not there: ${secret}`);
  await collect();
  for (const secret of secrets) assert.ok(!holds(secret), `still there: ${secret}`);
});

test("when memory runs out, calls fail, and the module goes on", () => {
  const { alice, ours, theirs } = conversation();
  // All addresses are taken, but no memory of the machine.
  const pages = heap().length / 65536;
  wasm.memory.grow(32768 - pages - 64);
  const objects = [];
  assert.throws(() => {
    for (;;) objects.push(new Olm.Account());
  }, RangeError);
  assert.ok(objects.length > 0);
  assert.throws(() => alice.sign("x".repeat(5e6)), RangeError);
  assert.throws(() => alice.pickle("x".repeat(5e6)), RangeError);
  assert.throws(() => alice.generate_one_time_keys(2 ** 32 - 1), RangeError);
  assert.throws(() => alice.generate_one_time_keys(2 ** 27), RangeError);
  for (let i = 0; i < 100; i++) {
    const { type, body } = ours.encrypt("x".repeat(4000));
    assert.equal(theirs.decrypt(type, body).length, 4000);
    alice.generate_one_time_keys(100);
    alice.unpickle("key", alice.pickle("key"));
  }
  for (const object of objects) object.free();
  assert.equal(account().sign("text").length, 86);
});
