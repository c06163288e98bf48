import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Account,
  encodeRoomPayload,
  GroupSession,
  InboundGroupSession,
  readMegolmContent,
  readOlmContent,
  readRotationPolicy,
  writeMegolmContent,
  writeOlmContent,
} from "moceril";
import { bundleOf, pair, read, refuses, utf8 } from "./support.js";

test("an event for a device goes there and back", () => {
  const [alice, bob] = [new Account(), new Account()];
  const [senderKey, recipient] = [alice.identityKeys.curve25519, bob.identityKeys.curve25519];
  const message = alice.createOutboundSession(bundleOf(bob)).encrypt(utf8("{}"));
  const content = writeOlmContent({ senderKey, message }, recipient);
  assert.deepEqual(JSON.parse(content), {
    algorithm: "m.olm.v1.curve25519-aes-sha2",
    sender_key: senderKey,
    ciphertext: { [recipient]: message },
  });
  const received = readOlmContent(content, recipient);
  assert.deepEqual(received, { senderKey, message });
  const inbound = bob.createInboundSession(received.senderKey, received.message);
  assert.equal(read(inbound.message.plaintext), "{}");

  const answer = { senderKey: recipient, message: inbound.session.encrypt(utf8("answer")) };
  assert.equal(answer.message.type, 1);
  assert.deepEqual(readOlmContent(writeOlmContent(answer, senderKey), senderKey), answer);
});

test("an event for a device is refused if it is not for us, or contradicts itself", () => {
  const { alice, bob, toBob } = pair();
  const [senderKey, recipient] = [alice.identityKeys.curve25519, bob.identityKeys.curve25519];
  const message = toBob.encrypt(utf8("{}"));
  const content = writeOlmContent({ senderKey, message }, recipient);
  refuses("NotForUs", () => readOlmContent(content, senderKey));
  const forged = writeOlmContent({ senderKey: recipient, message }, recipient);
  refuses("SenderKey", () => readOlmContent(forged, recipient));
  const changed = (members: object): string =>
    JSON.stringify({ ...(JSON.parse(content) as object), ...members });
  refuses("Algorithm", () =>
    readOlmContent(changed({ algorithm: "m.megolm.v1.aes-sha2" }), recipient),
  );
  refuses("Key", () => readOlmContent(changed({ sender_key: "?" }), recipient));
  refuses("Malformed", () => readOlmContent(changed({ ciphertext: [] }), recipient));
  const empty = { [recipient]: { type: 0, body: "" } };
  refuses("Message", () => readOlmContent(changed({ ciphertext: empty }), recipient));
  refuses("Malformed", () => readOlmContent("{", recipient));
});

test("an event for a room goes there and back, with what is not encrypted", () => {
  const room = new GroupSession(1);
  const theirs = new InboundGroupSession(room.sessionKey);
  const { sessionId } = room;
  const message = room.encrypt(encodeRoomPayload("m.room.message", "{}", "!room:x"));
  const content = writeMegolmContent({ sessionId, message });
  assert.deepEqual(JSON.parse(content), {
    algorithm: "m.megolm.v1.aes-sha2",
    ciphertext: message,
    session_id: sessionId,
  });
  const received = readMegolmContent(content);
  assert.deepEqual(received, { sessionId, message, other: "{}" });
  assert.equal(theirs.decrypt(received.message).verifyPayload("!room:x").content, "{}");

  const other = '{"algorithm":"another","m.relates_to":{"event_id":"$1"}}';
  const related = readMegolmContent(writeMegolmContent({ sessionId, message, other }));
  assert.equal(related.other, '{"m.relates_to":{"event_id":"$1"}}');
  assert.equal(related.message, message);

  refuses("Malformed", () => writeMegolmContent({ sessionId, message, other: "[]" }));
  refuses("Base64", () => writeMegolmContent({ sessionId, message: "?" }));
  refuses("Malformed", () => readMegolmContent(JSON.stringify({ ...received })));
  refuses("Algorithm", () => readMegolmContent(content.replace("m.megolm.v1", "m.olm.v1")));
  refuses("Message", () => readMegolmContent(content.replace(message, "A".repeat(8))));
});

test("a room says when its sessions are to be replaced", () => {
  const asked = '{"rotation_period_msgs":7,"rotation_period_ms":3600500}';
  assert.deepEqual(readRotationPolicy(asked), { messages: 7, age: 3_600 });
  assert.deepEqual(readRotationPolicy("{}"), { messages: 100, age: 7 * 24 * 3_600 });
  const { messages, age } = readRotationPolicy('{"rotation_period_ms":18446744073709551615}');
  assert.equal(age, Number.MAX_SAFE_INTEGER);
  assert.ok(!new GroupSession(1).rotationDue(messages, age, 2));
  refuses("Malformed", () => readRotationPolicy("{"));
});
