import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DecryptedGroupMessage,
  encodeRoomPayload,
  GroupSession,
  InboundGroupSession,
  MocerilError,
  ReplayGuard,
} from "moceril";
import { context, key, read, refuses, utf8 } from "./support.js";

const now = 1_700_000_000;

test("one key reads all messages from its index on", () => {
  const room = new GroupSession(now);
  const early = room.encrypt(utf8("early"));
  const theirs = new InboundGroupSession(room.sessionKey);
  assert.equal(theirs.sessionId, room.sessionId);
  const message = room.encrypt(utf8("to everybody"));
  const decrypted = theirs.decrypt(message);
  assert.equal(read(decrypted.plaintext), "to everybody");
  assert.equal(decrypted.messageIndex, 1);
  assert.equal(decrypted.provenance, "signed");
  assert.equal(decrypted.signingKey, theirs.signingKey);
  assert.equal(decrypted.fingerprint.length, 32);
  refuses("UnknownIndex", () => theirs.decrypt(early));
});

test("an event of a room says for which room it is", () => {
  const room = new GroupSession(now);
  const theirs = new InboundGroupSession(room.sessionKey);
  const decrypted = (payload: Uint8Array) => theirs.decrypt(room.encrypt(payload));
  const event = decrypted(encodeRoomPayload("m.room.message", '{"body":"\u{e9}"}', "!room:x"));
  const expected = { type: "m.room.message", content: '{"body":"\u{e9}"}', room_id: "!room:x" };
  assert.deepEqual(JSON.parse(read(event.plaintext)), {
    ...expected,
    content: JSON.parse(expected.content),
  });
  const { type, content } = expected;
  assert.deepEqual(event.verifyPayload("!room:x"), { type, content });
  refuses("RoomMismatch", () => event.verifyPayload("!another:x"));
  refuses("MissingMember", () => decrypted(utf8("{}")).verifyPayload("!room:x"));
  refuses("Malformed", () => decrypted(utf8("[]")).verifyPayload("!room:x"));
  refuses("Malformed", () => encodeRoomPayload("m.room.message", "[]", "!room:x"));
});

test("a batch gives a result or an error for each message", () => {
  const room = new GroupSession(now);
  const theirs = new InboundGroupSession(room.sessionKey);
  const messages = Array.from({ length: 5 }, (_, i) => room.encrypt(utf8(`${i}`)));
  const other = new GroupSession(now).encrypt(utf8("0"));
  const batch = [messages[4]!, "not base64!", messages[0]!, other, messages[2]!];
  const results = theirs
    .decryptBatch(batch)
    .map((result) =>
      result instanceof DecryptedGroupMessage ? read(result.plaintext) : result.code,
    );
  assert.deepEqual(results, ["4", "Base64", "0", "Authentication", "2"]);
  assert.deepEqual(theirs.decryptBatch([]), []);
});

test("an export says where it came from, and does not reach back", () => {
  const room = new GroupSession(now);
  const theirs = new InboundGroupSession(room.sessionKey);
  const [first, second] = [room.encrypt(utf8("first")), room.encrypt(utf8("second"))];
  const late = InboundGroupSession.import(theirs.exportAt(1));
  assert.equal(late.firstKnownIndex, 1);
  assert.equal(late.provenance, "exported");
  refuses("UnknownIndex", () => late.decrypt(first));
  assert.equal(read(late.decrypt(second).plaintext), "second");
  assert.equal(InboundGroupSession.importFromBackup(theirs.exportAt()).provenance, "backup");
  assert.equal(theirs.compare(late), "better");
  assert.equal(late.compare(theirs), "worse");
  assert.equal(late.compare(InboundGroupSession.import(theirs.exportAt(1))), "equal");
  assert.equal(
    late.compare(new InboundGroupSession(new GroupSession(now).sessionKey)),
    "unconnected",
  );
  const merged = late.merge(theirs);
  assert.ok(merged);
  assert.equal(merged.firstKnownIndex, 0);
  assert.equal(merged.provenanceAt(0), "signed");

  assert.ok(theirs.advanceTo(1));
  refuses("UnknownIndex", () => theirs.exportAt(0));
  theirs.close();
  assert.ok(theirs.isClosed);
  refuses("Closed", () => theirs.decrypt(second));
});

test("two sessions of one id are merged, or one replaces the other, or the old one stays", () => {
  const room = new GroupSession(now);
  const signed = new InboundGroupSession(room.sessionKey);
  // As whoever writes a backup can make it: another ratchet under the id of the session.
  const ratchet = Buffer.from(signed.exportAt(), "base64");
  ratchet[5]! ^= 1; // after a version of one byte and an index of four
  const exported = ratchet.toString("base64").replace(/=+$/, "");
  const forged = InboundGroupSession.importFromBackup(exported);
  assert.equal(forged.sessionId, signed.sessionId);

  assert.equal(signed.merge(InboundGroupSession.import(signed.exportAt()))?.provenance, "signed");

  assert.equal(forged.merge(signed), undefined);
  assert.ok(signed.replaces(forged));
  assert.ok(!forged.replaces(signed), "not signed");
  const another = InboundGroupSession.import(signed.exportAt());
  assert.equal(forged.merge(another), undefined);
  assert.ok(!another.replaces(forged), "neither is signed");
  assert.ok(!signed.replaces(another), "they can be merged");
  const other = new InboundGroupSession(new GroupSession(now).sessionKey);
  assert.ok(!other.replaces(forged), "another id");

  another.close();
  refuses("Closed", () => signed.merge(another));
  refuses("Closed", () => another.merge(signed));
  assert.ok(!signed.replaces(another), "the other one was to forget");
});

test("a replay is noticed, also after storing", () => {
  const room = new GroupSession(now);
  const theirs = new InboundGroupSession(room.sessionKey);
  const decrypted = theirs.decrypt(room.encrypt(utf8("pay")));
  let guard = new ReplayGuard(theirs);
  assert.equal(guard.capacity, 4096);
  assert.equal(guard.check(decrypted, "$1"), "first");
  guard = ReplayGuard.fromPickle(guard.pickle(key, context), key, context, theirs);
  assert.equal(guard.check(decrypted, "$1"), "again");
  refuses("Replayed", () => guard.check(decrypted, "$2"));
  // Both would be "$\ufffd" in UTF-8.
  for (const half of ["$\ud800", "$\udc00"]) {
    refuses("Argument", () => guard.check(decrypted, half));
  }
  const other = new InboundGroupSession(new GroupSession(now).sessionKey);
  refuses("OtherSession", () => new ReplayGuard(other).check(decrypted, "$1"));
  refuses("OtherSession", () =>
    ReplayGuard.fromPickle(guard.pickle(key, context), key, context, other),
  );
});

test("a guard that is full says what it cannot know", () => {
  const room = new GroupSession(now);
  const theirs = new InboundGroupSession(room.sessionKey);
  const [zero, one, two] = ["0", "1", "2"].map((text) => theirs.decrypt(room.encrypt(utf8(text))));
  const guard = new ReplayGuard(theirs, 1);
  assert.equal(guard.capacity, 1);
  assert.equal(guard.check(two!, "$2"), "first");
  assert.equal(guard.check(zero!, "$0"), "first-not-remembered");
  assert.equal(guard.check(zero!, "$another"), "unknown");
  assert.equal(guard.check(two!, "$2"), "again");
  guard.raiseCapacity(2);
  assert.equal(guard.capacity, 2);
  assert.equal(guard.check(one!, "$1"), "first");
  refuses("Replayed", () => guard.check(one!, "$another"));
});

test("both ends are stored, and go on", () => {
  const room = new GroupSession(now);
  const theirs = new InboundGroupSession(room.sessionKey);
  room.encrypt(utf8("before"));
  const again = GroupSession.fromPickle(room.pickle(key, context), key, context);
  assert.equal(again.messageIndex, 1);
  assert.equal(again.createdAt, BigInt(now));
  assert.ok(again.rotationDue(1, 1_000_000, now));
  assert.ok(!again.rotationDue(2, 1_000_000, now));
  assert.ok(!again.rotationDue(2, 1_000, now + 999));
  assert.ok(again.rotationDue(2, 1_000, now + 1_000));
  const stored = theirs.pickle(key, context);
  const restored = InboundGroupSession.fromPickle(stored, key, context);
  assert.equal(read(restored.decrypt(again.encrypt(utf8("after"))).plaintext), "after");
  assert.throws(() => GroupSession.fromPickle(stored, key, context), MocerilError);
});
