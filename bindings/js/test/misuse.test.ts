// S-51: whatever is passed, every function returns or throws a MocerilError, and the module
// goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as moceril from "moceril";
import { context, key, pair, read, refuses, utf8 } from "./support.js";

type Callable = (...args: unknown[]) => unknown;

/** One living object of each class. */
function objects(): Record<string, moceril.Owned> {
  const { alice, bob, toBob, toAlice } = pair();
  bob.generateFallbackKey();
  const bundle = moceril.PreKeyBundle.verify(bob.identityKeys, bob.signedFallbackKey()!);
  const room = new moceril.GroupSession(1);
  const inbound = new moceril.InboundGroupSession(room.sessionKey);
  const [sas, other] = [new moceril.Sas(), new moceril.Sas()];
  return {
    Account: alice,
    PreKeyBundle: bundle,
    Session: toBob,
    DecryptedMessage: toBob.decrypt(toAlice.encrypt(utf8("x"))),
    GroupSession: room,
    InboundGroupSession: inbound,
    DecryptedGroupMessage: inbound.decrypt(room.encrypt(utf8("x"))),
    ReplayGuard: new moceril.ReplayGuard(inbound),
    Sas: sas,
    EstablishedSas: other.diffieHellman(sas.publicKey),
    BackupDecryptionKey: new moceril.BackupDecryptionKey(),
    DeviceKeys: moceril.DeviceKeys.of(alice, "@alice:x", "A"),
  };
}

const freed = objects();
for (const object of Object.values(freed)) object.free();

/** What a caller may pass by mistake. */
const mistakes: unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 32,
  2 ** 53,
  1n,
  Symbol("x"),
  "",
  "x",
  "A",
  "\ud800",
  "\0",
  "{}",
  "A".repeat(43),
  new Uint8Array(0),
  new Uint8Array(32),
  new Uint16Array(3),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Proxy(new Uint8Array(8), {}),
  [],
  [0],
  [""],
  ["A", null],
  {},
  { type: 0 },
  { type: 0, body: "" },
  { type: 2, body: "A" },
  { ed25519: "A", curve25519: "" },
  { userId: "@a:x", keys: {} },
  () => 0,
  class {},
  new Date(0),
  freed["Account"],
  freed["InboundGroupSession"],
  freed["Sas"],
];

const counts = { calls: 0, refused: 0, compared: 0 };

/** Runs an operation with this source of randomness. */
function withRandomness(getRandomValues: (array: Uint8Array) => Uint8Array, run: () => void): void {
  const before = Object.getOwnPropertyDescriptor(crypto, "getRandomValues");
  Object.defineProperty(crypto, "getRandomValues", { configurable: true, value: getRandomValues });
  try {
    run();
  } finally {
    if (before) Object.defineProperty(crypto, "getRandomValues", before);
    else Reflect.deleteProperty(crypto, "getRandomValues");
  }
}

/** What an object is that can change: its pickle, always with the same randomness. */
function state(object: unknown): string | undefined {
  let found: string | undefined;
  try {
    if (object instanceof moceril.Sas) found = object.publicKey;
    if (object instanceof moceril.Pickled) {
      withRandomness(
        (array) => array.fill(1),
        () => (found = object.pickle(key, context)),
      );
    }
  } catch (error) {
    assert.ok(error instanceof moceril.MocerilError && error.code === "Freed", String(error));
    found = "freed";
  }
  return found;
}

/** What is refused changes nothing (S-04), neither the object nor an argument. */
function attempt(name: string, operation: () => unknown, ...concerned: unknown[]): void {
  const before = concerned.map(state);
  counts.calls += 1;
  try {
    operation();
  } catch (error) {
    counts.refused += 1;
    assert.ok(error instanceof moceril.MocerilError, `${name}: ${String(error)}`);
    assert.notEqual(error.code, "Internal", `${name}: ${String(error)}`);
    assert.deepEqual(concerned.map(state), before, `${name} has changed what it refused`);
    counts.compared += before.filter((one) => one !== undefined).length;
  }
}

/** The arguments of a call: each mistake at each place, with the others the same or another one. */
function* arguments_(): Generator<unknown[]> {
  for (const [i, one] of mistakes.entries()) {
    const other = mistakes[(i * 7 + 3) % mistakes.length];
    yield [one];
    yield [one, other, other, other];
    yield [other, one, one, other];
    yield [key, context, one, one];
    yield ["A", key, one, one];
    yield [{ type: 0, body: one }, one];
  }
}

function members(prototype: object): [string, PropertyDescriptor][] {
  const all: [string, PropertyDescriptor][] = [];
  for (let p = prototype; p !== Object.prototype; p = Object.getPrototypeOf(p) as object) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(p))) {
      if (!["constructor", "free"].includes(name)) all.push([name, member]);
    }
  }
  return all;
}

function works(): void {
  const { toBob, toAlice } = pair();
  assert.equal(read(toBob.decrypt(toAlice.encrypt(utf8("on"))).plaintext), "on");
}

test("wrong arguments to every method of every class", () => {
  let methods = 0;
  const others = Object.values(objects());
  for (const [name, object] of Object.entries(objects())) {
    for (const [member, { get, value }] of members(Object.getPrototypeOf(object) as object)) {
      methods += 1;
      // With arguments that are right for `pickle`, and objects of every class.
      for (const wrong of [freed[name], {}, null, undefined, freed, ...others]) {
        const callable = get ?? (value as Callable);
        attempt(`${name}.${member}`, () => callable.call(wrong as object, key, context), wrong);
      }
      if (get) {
        attempt(`${name}.${member}`, () => get.call(object), object);
        refuses("Freed", () => get.call(freed[name]));
        continue;
      }
      for (const args of arguments_()) {
        attempt(`${name}.${member}`, () => (value as Callable).apply(object, args), object);
      }
    }
  }
  assert.ok(methods > 80, String(methods));
  assert.ok(counts.compared > 5_000, JSON.stringify(counts));
  works();
});

test("wrong arguments to every constructor and function", () => {
  for (const [name, member] of Object.entries(moceril)) {
    if (typeof member !== "function" || name === "init") continue;
    const isClass = /^class\b/.test(Function.prototype.toString.call(member));
    for (const args of arguments_()) {
      if (!isClass) {
        attempt(name, () => (member as unknown as Callable)(...args));
      } else if (!["Owned", "Pickled", "MocerilError"].includes(name)) {
        attempt(name, () => Reflect.construct(member, args));
      }
    }
    if (!isClass) continue;
    for (const [of, { value }] of Object.entries(Object.getOwnPropertyDescriptors(member))) {
      if (typeof value !== "function" || ["prototype", "raw", "take"].includes(of)) continue;
      for (const args of arguments_()) {
        attempt(`${name}.${of}`, () => (value as Callable).apply(member, args));
      }
    }
  }
  assert.ok(counts.refused > 10_000, JSON.stringify(counts));
  works();
});

test("a wrong type is refused, and never taken for something else", () => {
  const { alice, toBob } = pair();
  const any = (value: unknown): never => value as never;
  for (const value of [undefined, null, 0, "text", [1], new Uint16Array(2), new ArrayBuffer(2)]) {
    refuses("Argument", () => toBob.encrypt(any(value)));
    refuses("Argument", () => toBob.pickle(any(value), context));
    refuses("Argument", () => alice.sign(any(value)));
  }
  for (const value of [undefined, null, "1", -1, 1.5, NaN, 2 ** 32, 1n]) {
    refuses("Argument", () => alice.generateOneTimeKeys(any(value)));
    refuses("Argument", () => toBob.decrypt({ type: any(value), body: "A" }));
    refuses("Argument", () => toBob.setLimits({ ...toBob.limits, skippedKeys: any(value) }));
  }
  for (const value of [undefined, null, 1, ["x"], {}, new String("x")]) {
    refuses("Argument", () => toBob.decrypt({ type: 1, body: any(value) }));
    refuses("Argument", () => moceril.canonicalJson(any(value)));
    refuses("Argument", () => new moceril.InboundGroupSession(any(value)));
  }
  for (const value of [undefined, "AAAA", { 0: "A", length: 1 }, ["A", 1]]) {
    refuses("Argument", () => alice.markAsPublished(any(value)));
  }
  for (const value of [-1, 1.5, 2 ** 53, "1", undefined]) {
    refuses("Argument", () => new moceril.GroupSession(any(value)));
  }
  for (const value of [undefined, {}, alice, Object.create(moceril.PreKeyBundle.prototype)]) {
    refuses("Argument", () => alice.createOutboundSession(any(value)));
  }
  refuses("Argument", () => new (moceril.PreKeyBundle as unknown as new () => unknown)());
});

test("what is too large is refused before it is copied", () => {
  const { toBob } = pair();
  const before = toBob.generation;
  const large = new Uint8Array(moceril.MAX_LENGTH + 1);
  refuses("Argument", () => toBob.encrypt(large));
  refuses("Argument", () => toBob.pickle(key, large));
  const text = "A".repeat(moceril.MAX_LENGTH + 1);
  refuses("Argument", () => toBob.decrypt({ type: 1, body: text }));
  refuses("Argument", () => moceril.canonicalJson(text));
  const room = new moceril.InboundGroupSession(new moceril.GroupSession(1).sessionKey);
  refuses("Argument", () => room.decryptBatch([text.slice(0, -8), "A".repeat(16)]));
  assert.equal(toBob.generation, before);
  refuses("Base64", () => toBob.decrypt({ type: 1, body: "*".repeat(16 * 1024 * 1024) }));
  refuses("Malformed", () => moceril.canonicalJson("[".repeat(1024 * 1024)));
  works();
});

test("without randomness nothing is made", () => {
  const none = (): never => {
    throw new Error("no randomness");
  };
  withRandomness(none, () => {
    refuses("Random", () => new moceril.Account());
    refuses("Random", () => new moceril.GroupSession(1));
    refuses("Random", () => new moceril.Sas());
  });
  works();
});

test("an object is freed once, by hand or by `using`", () => {
  let outside: moceril.Account;
  {
    using account = new moceril.Account();
    outside = account;
    assert.ok(account.identityKeys.ed25519);
  }
  refuses("Freed", () => outside.identityKeys);
  outside.free();
});
