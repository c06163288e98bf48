// S-51, in a process of its own, whose memory no other test has made larger.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Account,
  BackupDecryptionKey,
  type Device,
  encodePayload,
  encodeRoomPayload,
  encryptBackup,
  encryptForBackup,
  encryptKeyExport,
  GroupSession,
  InboundGroupSession,
  readRoomKey,
} from "moceril";
import { context, pair, refuses, utf8 } from "./support.js";

const glue = (await import(new URL("../dist/wasm/moceril_js.js", import.meta.url).href)) as {
  default(): Promise<{ memory: WebAssembly.Memory }>;
};
const { memory } = await glue.default();

/** Whether these bytes, or the characters of this text, are anywhere in the module's memory. */
const holds = (secret: string): boolean => Buffer.from(memory.buffer).includes(secret);

/** Runs the garbage collector, and what it calls for the objects that it has found. */
async function collect(): Promise<void> {
  assert.ok(globalThis.gc, "run with --expose-gc");
  for (let i = 0; i < 5; i += 1) {
    globalThis.gc();
    await new Promise((done) => setTimeout(done, 5));
  }
}

const ends = (alice: Account, bob: Account): [Device, Device] => [
  { userId: "@alice:example.org", keys: alice.identityKeys },
  { userId: "@bob:example.org", keys: bob.identityKeys },
];

const exported = new InboundGroupSession(new GroupSession(1).sessionKey).exportAt();

test("what nobody frees is collected", async () => {
  const round = async (): Promise<void> => {
    for (let i = 0; i < 10_000; i += 1) InboundGroupSession.import(exported);
    await collect();
  };
  await round();
  const before = memory.buffer.byteLength;
  for (let i = 0; i < 9; i += 1) await round();
  const grown = memory.buffer.byteLength - before;
  assert.ok(grown < 2 * 1024 * 1024, `${grown} bytes more after 90,000 objects`);
});

test("what is freed needs no collector", () => {
  const before = memory.buffer.byteLength;
  // The collector's callbacks run between tasks, and this is one task.
  for (let i = 0; i < 90_000; i += 1) InboundGroupSession.import(exported).free();
  const grown = memory.buffer.byteLength - before;
  assert.ok(grown < 2 * 1024 * 1024, `${grown} bytes more after 90,000 objects`);
});

test("nothing that a call was given or gave stays in the module's memory", () => {
  // Many times in each argument: memory that is freed has its beginning overwritten.
  const marker = "#secret#";
  const long = marker.repeat(25);
  const { alice, bob, toBob, toAlice } = pair();
  const room = new GroupSession(1);
  const backup = new BackupDecryptionKey();
  const stored = encryptForBackup(backup.publicKey, utf8(long));
  const [a, b] = ends(alice, bob);
  const payload = (text: string) => encodePayload("m.dummy", `{"a":"${text}"}`, a, b);
  const calls: [string, () => unknown][] = [
    ["pickle", () => alice.pickle(utf8(marker.repeat(4)), context)],
    ["encrypt", () => toBob.encrypt(utf8(long))],
    ["encrypt for a group", () => room.encrypt(utf8(long))],
    ["encrypt for a backup", () => encryptForBackup(backup.publicKey, utf8(long))],
    ["decrypt from a backup", () => backup.decryptUnauthenticated(stored)],
    ["encode a payload", () => payload(long)],
    ["encode a payload of a room", () => encodeRoomPayload("m", `{"a":"${long}"}`, "!room:x")],
    ["encrypt a file", () => encryptKeyExport(`[{"a":"${long}"}]`, "passphrase", 100_000)],
    ["decrypt", () => toAlice.decrypt(toBob.encrypt(utf8(long))).free()],
  ];
  for (const [name, call] of calls) {
    call();
    assert.ok(!holds(marker), name);
  }
  // Room keys in JSON, and what is made of them: each call is followed by a look at the memory.
  const none = (text: string, name: string): void => {
    for (let at = 8; at < 168; at += 8) {
      assert.ok(!holds(text.slice(at, at + 8)), `the text of a session key at ${at}: ${name}`);
    }
  };
  const key = room.sessionKey;
  none(key, "the key of a session");
  const content = room.roomKey("!room:x");
  none(key, "the content of an event");
  readRoomKey(content);
  none(key, "read from an event");
  const receiver = new InboundGroupSession(key);
  none(key, "a receiver");
  const exportedKey = receiver.exportRoomKey("!room:x", { sender: alice.identityKeys });
  const { sessionKey } = exportedKey;
  none(sessionKey, "exported");
  const encrypted = encryptBackup(backup.publicKey, [exportedKey]);
  none(sessionKey, "encrypted");
  assert.deepEqual(backup.decryptBackup(encrypted), [exportedKey]);
  none(sessionKey, "decrypted");
  receiver.free();
});

test("a text that is not ASCII leaves no copy behind", () => {
  const marker = "a beginning that is looked for";
  const { alice, bob } = pair();
  const [a, b] = ends(alice, bob);
  // Holes of many sizes between other blocks, so that a copy which grows has to move.
  const sessions = Array.from({ length: 300 }, () => InboundGroupSession.import(exported));
  const accounts = Array.from({ length: 300 }, () => new Account());
  for (let i = 0; i < 300; i += 2) {
    sessions[i]!.free();
    accounts[i]!.free();
  }
  for (let length = 2; length < 200; length += 1) {
    const text = marker.repeat(length) + "\u{e9}".repeat(7 * length);
    encodePayload("m.dummy", `{"a":"${text}"}`, a, b);
    assert.ok(!holds(marker), `${length}`);
    encodeRoomPayload("m.dummy", `{"a":"${text}"}`, "!room:x");
    assert.ok(!holds(marker), `${length} in a room`);
    // Refused after the arguments were copied: a hundred thousand rounds would take long.
    refuses("Rounds", () => encryptKeyExport(`[{"a":"${text}"}]`, "passphrase", 1));
    assert.ok(!holds(marker), `${length} in a file`);
  }
});

test("a plaintext is wiped when its object is freed, or nobody has it", async () => {
  const marker = "a plaintext that is looked for";
  const room = new GroupSession(1);
  const theirs = new InboundGroupSession(room.sessionKey);
  const message = room.encrypt(utf8(marker));
  assert.ok(!holds(marker));
  const decrypted = theirs.decrypt(message);
  assert.ok(holds(marker), "the object has it");
  decrypted.free();
  assert.ok(!holds(marker), "freed");

  // In a function of its own: no variable of the test keeps the object alive.
  const forget = (): number => theirs.decrypt(message).messageIndex;
  assert.equal(forget(), 0);
  assert.ok(holds(marker), "the object was not collected yet");
  await collect();
  assert.ok(!holds(marker), "collected");
});
