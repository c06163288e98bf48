// S-51: what the package guarantees beside the results: exceptions for wrong arguments and freed
// objects.
//
//   PACKAGE=FOLDER node --test objects.mjs

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import {
  account,
  conversation,
  everyCall,
  folder,
  isOlmError,
  names,
  Olm,
  require,
  room,
  state,
  wasm,
} from "./ready.mjs";

test("the module imports nothing", () => {
  const file = require("node:fs").readFileSync(`${folder}/olm.wasm`);
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(file)), []);
});

test("require and import give one package", async () => {
  const es = await import(`${folder}/node.mjs`);
  assert.equal(es.default, Olm);
  for (const name of Object.keys(Olm)) assert.equal(es[name], Olm[name], name);
  assert.deepEqual(Object.keys(es).sort(), [...Object.keys(Olm), "default"].sort());
});

test("constants", () => {
  assert.equal(Olm.PRIVATE_KEY_LENGTH, wasm.olm_pk_private_key_length());
  assert.deepEqual(Olm.get_library_version(), [3, 2, 16]);
});

test("init takes the file or its place", () => {
  const code = `
    const { readFileSync } = require("fs");
    const Olm = require(${JSON.stringify(folder)});
    const file = ${JSON.stringify(`${folder}/olm.wasm`)};
    const options = {
      file: { wasmBinary: readFileSync(file) },
      place: { locateFile: (name, folder) => (name === "olm.wasm" && folder + name === file ? file : "") },
    }[process.argv[1]];
    if (!options) globalThis.OLM_OPTIONS = { locateFile: () => file };
    Olm.init(options).then(() => console.log(Olm.get_library_version().join(".")));`;
  for (const how of ["file", "place", "global"]) {
    assert.equal(execFileSync("node", ["-e", code, how], { encoding: "utf8" }), "3.2.16\n");
  }
});

test("the list above has every method", () => {
  const calls = everyCall();
  assert.deepEqual(calls.map(([object]) => object.constructor.name).sort(), names);
  for (const [object, ...methods] of calls) {
    const all = Object.getOwnPropertyNames(Object.getPrototypeOf(object));
    const listed = ["constructor", ...methods.map(([name]) => name)];
    assert.deepEqual(all.sort(), listed.sort());
  }
});

test("a value of a wrong type is a TypeError or RangeError and changes nothing", () => {
  const wrong = [
    undefined,
    null,
    true,
    {},
    [],
    [1, 2],
    2n,
    Symbol("s"),
    () => "text",
    new String("text"),
    new Date(),
    new ArrayBuffer(4),
    new Uint16Array(4),
    new DataView(new ArrayBuffer(4)),
    NaN,
    -1,
    1.5,
    2 ** 32,
    Infinity,
  ];
  let refused = 0;
  for (const [object, ...methods] of everyCall()) {
    for (const [name, ...values] of methods) {
      for (let place = 0; place < values.length; place++) {
        const own = typeof values[place] === "number" ? ["1"] : [5];
        for (const value of [...wrong, ...own, ...names.map((name) => new Olm[name]())]) {
          if (
            typeof value === "number" &&
            typeof values[place] === "number" &&
            value >= 0 &&
            value < 2 ** 32 &&
            Number.isInteger(value)
          )
            continue;
          if (value?.constructor === values[place].constructor) continue;
          const before = state(object);
          const given = values.with(place, value);
          assert.throws(
            () => object[name](...given),
            (error) => error instanceof TypeError || error instanceof RangeError,
            `${name} ${String(value?.constructor?.name)}`,
          );
          assert.equal(state(object), before);
          refused++;
        }
      }
      if (values.length > 0) assert.throws(() => object[name](), TypeError);
    }
  }
  assert.ok(refused > 1000, String(refused));
});

test("a method of another object is a TypeError", () => {
  const calls = everyCall();
  for (const [object, ...methods] of calls) {
    for (const [name, ...values] of methods) {
      for (const [other] of calls) {
        if (other === object) continue;
        assert.throws(() => object[name].call(other, ...values), TypeError, name);
      }
      assert.throws(() => object[name].call({}, ...values), TypeError);
    }
  }
});

test("a freed object is an error everywhere", () => {
  for (const [object, ...methods] of everyCall()) {
    object.free();
    object.free();
    for (const [name, ...values] of methods) {
      assert.throws(() => object[name](...values), { message: /^this \w+ was freed$/ }, name);
    }
  }
  const { alice, bob, ours } = conversation();
  bob.free();
  assert.throws(() => ours.create_outbound(bob, "A".repeat(43), "A".repeat(43)), /was freed/);
  ours.free();
  assert.throws(() => alice.remove_one_time_keys(ours), /was freed/);
});

test("blank objects give results or errors of libolm", () => {
  for (const [object, ...methods] of everyCall()) {
    for (const [name, ...values] of methods) {
      const blank = new object.constructor();
      try {
        blank[name](...values);
      } catch (error) {
        assert.ok(isOlmError(error), `${name}: ${error}`);
      }
    }
  }
});

test("texts of every length give results or errors of libolm", () => {
  for (const [object, ...methods] of everyCall()) {
    for (const [name, ...values] of methods) {
      for (let place = 0; place < values.length; place++) {
        if (typeof values[place] !== "string") continue;
        for (const text of [
          "é",
          "\0",
          "🦀".repeat(50),
          "=".repeat(44),
          "A".repeat(70000),
          "A".repeat(2e6),
        ]) {
          try {
            object[name](...values.with(place, text));
          } catch (error) {
            assert.ok(isOlmError(error), `${name}: ${error}`);
          }
        }
      }
    }
  }
});

test("without crypto.getRandomValues there are no keys", () => {
  const { alice, ours } = conversation();
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  const states = [state(alice), state(ours)];
  try {
    for (const value of [undefined, {}]) {
      Object.defineProperty(globalThis, "crypto", { value, configurable: true });
      const calls = [
        () => alice.create(),
        () => alice.generate_one_time_keys(1),
        () => alice.generate_fallback_key(),
        () => new Olm.SAS(),
        () => new Olm.OutboundGroupSession().create(),
        () => new Olm.PkDecryption().generate_key(),
        () => new Olm.PkSigning().generate_seed(),
        () => new Olm.Session().create_outbound(alice, "A".repeat(43), "A".repeat(43)),
      ];
      for (const call of calls) assert.throws(call, /getRandomValues/);
    }
    assert.deepEqual([state(alice), state(ours)], states);
  } finally {
    Object.defineProperty(globalThis, "crypto", real);
  }
});

test("many random bytes are drawn in pieces, and are all different", () => {
  const alice = account();
  alice.generate_one_time_keys(3000);
  const keys = Object.values(JSON.parse(alice.one_time_keys()).curve25519);
  assert.equal(new Set(keys).size, 100);
});

test("bytes of another realm are bytes", () => {
  const foreign = runInNewContext("new Uint8Array([1, 2, 3])");
  assert.ok(!(foreign instanceof Uint8Array));
  assert.equal(new Olm.Utility().sha256(foreign), new Olm.Utility().sha256("\x01\x02\x03"));
  assert.deepEqual([...foreign], [0, 0, 0]);
});

test("texts come back whole", () => {
  const { ours, theirs } = conversation();
  const { group, receiver } = room();
  for (const text of [
    "",
    "\0",
    "a\0b",
    "\ufeffa",
    `\ufeff${"b".repeat(30)}`,
    "🦀",
    "é\u0000\u07ff\uffff",
  ]) {
    const { type, body } = ours.encrypt(text);
    assert.equal(theirs.decrypt(type, body), text);
    assert.equal(receiver.decrypt(group.encrypt(text)).plaintext, text);
  }
  // Half of a surrogate pair is no text.
  assert.equal(receiver.decrypt(group.encrypt("a\ud800b")).plaintext, "a\ufffdb");
});

test("the last index is a number, also where it is the value of olm_error()", () => {
  const { group, receiver } = room();
  const last = 2 ** 32 - 1;
  const key = receiver.export_session(last);
  const at = new Olm.InboundGroupSession();
  at.import_session(key);
  assert.equal(at.first_known_index(), last);
  assert.equal(at.export_session(last), key);
  assert.throws(() => at.export_session(last - 1), { message: "OLM.UNKNOWN_MESSAGE_INDEX" });
  assert.equal(group.message_index(), 0);
});

test("a function that runs within a call may call, too", () => {
  const { bob, ours, theirs } = conversation();
  const { body, type } = ours.encrypt("one");
  assert.equal(theirs.decrypt(type, body), "one");
  const answer = theirs.encrypt("answer");
  assert.equal(ours.decrypt(answer.type, answer.body), "answer");
  const real = globalThis.crypto.getRandomValues;
  let inner;
  Object.defineProperty(globalThis.crypto, "getRandomValues", {
    configurable: true,
    value: (bytes) => {
      inner = bob.sign("inner");
      bob.pickle("x".repeat(1e5));
      return real.call(globalThis.crypto, bytes);
    },
  });
  let message;
  try {
    message = ours.encrypt("outer");
  } finally {
    delete globalThis.crypto.getRandomValues;
  }
  assert.equal(theirs.decrypt(message.type, message.body), "outer");
  assert.equal(inner, bob.sign("inner"));
});
