import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Account,
  DeviceKeys,
  encodePayload,
  encodePayloadWithDeviceKeys,
  MocerilError,
  type OlmMessage,
  PreKeyBundle,
  readOlmMessage,
  Session,
} from "moceril";
import { bundleOf, context, key, pair, read, refuses, utf8 } from "./support.js";

test("messages arrive in any order, once", () => {
  const { toBob, toAlice } = pair();
  const messages = ["one", "two", "three"].map((text) => toBob.encrypt(utf8(text)));
  for (const [number, text] of [
    [2, "three"],
    [0, "one"],
    [1, "two"],
  ] as const) {
    assert.equal(read(toAlice.decrypt(messages[number]!).plaintext), text);
    refuses("AlreadyUsed", () => toAlice.decrypt(messages[number]!));
  }
  const answer = toAlice.encrypt(utf8("answer"));
  assert.equal(answer.type, 1);
  assert.equal(read(toBob.decrypt(answer).plaintext), "answer");
  assert.ok(toBob.hasReceivedMessage);
  assert.equal(toBob.sessionId, toAlice.sessionId);
});

test("a forged message changes nothing", () => {
  const { toBob, toAlice } = pair();
  const message = toBob.encrypt(utf8("genuine"));
  const before = toAlice.generation;
  const raw = Buffer.from(message.body, "base64");
  for (let place = 0; place < raw.length; place += 7) {
    const forged = Buffer.from(raw);
    forged[place]! ^= 1;
    const body = forged.toString("base64").replace(/=+$/, "");
    assert.throws(() => toAlice.decrypt({ type: message.type, body }), MocerilError);
  }
  assert.equal(toAlice.generation, before);
  assert.equal(read(toAlice.decrypt(message).plaintext), "genuine");
});

test("a bundle exists only if its signature verifies", () => {
  const [bob, mallory] = [new Account(), new Account()];
  bob.generateOneTimeKeys(1);
  const oneTimeKey = bob.signedOneTimeKeys()[0]!;
  refuses("Signature", () => PreKeyBundle.verify(mallory.identityKeys, oneTimeKey));
  refuses("Signature", () =>
    PreKeyBundle.verify(bob.identityKeys, { ...oneTimeKey, fallback: true }),
  );
  const bundle = PreKeyBundle.verify(bob.identityKeys, oneTimeKey);
  assert.equal(bundle.oneTimeKey, oneTimeKey.key);
  assert.equal(bundle.identityKey, bob.identityKeys.curve25519);
});

test("a first message makes one session", () => {
  const [alice, bob] = [new Account(), new Account()];
  const first = alice.createOutboundSession(bundleOf(bob)).encrypt(utf8("hello"));
  const from = alice.identityKeys.curve25519;
  refuses("IdentityKeyMismatch", () =>
    bob.createInboundSession(bob.identityKeys.curve25519, first),
  );
  const { session, replayExcluded } = bob.createInboundSession(from, first);
  assert.ok(replayExcluded);
  assert.ok(session.matches(first));
  refuses("UnknownOneTimeKey", () => bob.createInboundSession(from, first));
  refuses("MessageType", () => bob.createInboundSession(from, { type: 1, body: first.body }));

  bob.generateFallbackKey();
  assert.equal(bob.fallbackMemory, 1024);
  bob.setFallbackMemory(2000);
  assert.equal(bob.fallbackMemory, 2000);
  bob.setFallbackMemory(0);
  assert.equal(bob.fallbackMemory, 1024);
  const fallback = bob.signedFallbackKey()!;
  assert.equal(fallback.fallback, true);
  const bundle = PreKeyBundle.verify(bob.identityKeys, fallback);
  const again = alice.createOutboundSession(bundle).encrypt(utf8("hello again"));
  bob.createInboundSession(from, again);
  refuses("Replayed", () => bob.createInboundSession(from, again));
});

test("pickles are bound to their key, context and type", () => {
  const { bob, toBob, toAlice } = pair();
  const stored = toAlice.pickle(key, context);
  refuses("Authentication", () => Session.fromPickle(stored, new Uint8Array(32), context));
  refuses("Authentication", () => Session.fromPickle(stored, key, utf8("elsewhere")));
  refuses("ObjectType", () => Account.fromPickle(stored, key, context));
  refuses("Length", () => toAlice.pickle(new Uint8Array(31), context));
  const restored = Session.fromPickle(stored, key, context);
  assert.equal(read(restored.decrypt(toBob.encrypt(utf8("on"))).plaintext), "on");
  const account = Account.fromPickle(bob.pickle(key, context), key, context);
  assert.deepEqual(account.identityKeys, bob.identityKeys);
  assert.equal(account.generation, bob.generation);
});

test("a payload names both ends", () => {
  const { alice, bob, toBob, toAlice } = pair();
  const sender = { userId: "@alice:example.org", keys: alice.identityKeys };
  const recipient = { userId: "@bob:example.org", keys: bob.identityKeys };
  const payload = encodePayload("m.dummy", '{"a":1}', sender, recipient);
  const decrypted = toAlice.decrypt(toBob.encrypt(payload));
  assert.deepEqual(decrypted.verifyPayload(sender, recipient), {
    type: "m.dummy",
    content: '{"a":1}',
  });
  refuses("SenderMismatch", () =>
    decrypted.verifyPayload({ ...sender, userId: "@m:x" }, recipient),
  );
  refuses("RecipientMismatch", () =>
    decrypted.verifyPayload(sender, { ...recipient, userId: "@m:x" }),
  );
  const others = new Account().identityKeys;
  refuses("SenderKeyMismatch", () =>
    decrypted.verifyPayload({ ...sender, keys: others }, recipient),
  );
  refuses("RecipientKeyMismatch", () =>
    decrypted.verifyPayload(sender, { ...recipient, keys: others }),
  );
  refuses("Malformed", () => encodePayload("m.dummy", "[]", sender, recipient));
});

test("device keys in a payload are the sender's", () => {
  const { alice, bob, toBob, toAlice } = pair();
  const sender = { userId: "@alice:example.org", keys: alice.identityKeys };
  const recipient = { userId: "@bob:example.org", keys: bob.identityKeys };
  const device = DeviceKeys.of(alice, sender.userId, "ALICE");
  const payload = encodePayloadWithDeviceKeys("m.dummy", "{}", device, recipient);
  const decrypted = toAlice.decrypt(toBob.encrypt(payload));
  assert.deepEqual(decrypted.verifyPayload(sender, recipient), {
    type: "m.dummy",
    content: "{}",
    senderDeviceKeys: device.toJson(),
  });
  const foreign = read(payload).replace(device.toJson(), DeviceKeys.of(bob, "@b:x", "B").toJson());
  const forged = toAlice.decrypt(toBob.encrypt(utf8(foreign)));
  refuses("SenderDeviceKeys", () => forged.verifyPayload(sender, recipient));
});

test("a message says its keys and its place", () => {
  const { alice, toBob, toAlice } = pair();
  const header = readOlmMessage(toBob.encrypt(utf8("x")));
  assert.equal(header.version, 3);
  assert.equal(header.chainIndex, 1);
  assert.equal(header.sessionKeys?.identityKey, alice.identityKeys.curve25519);
  assert.equal(readOlmMessage(toAlice.encrypt(utf8("x"))).sessionKeys, undefined);
});

test("limits can be raised, and what is evicted is counted", () => {
  const { toBob, toAlice } = pair();
  const late = (session: Session, count: number): OlmMessage[] =>
    Array.from({ length: count }, () => session.encrypt(utf8("late")));
  // The first message of the chain has arrived. These have the indices 1 to 61.
  const messages = late(toBob, 61);
  const defaults = toAlice.limits;
  assert.equal(defaults.skippedKeys, 40);
  assert.equal(toAlice.evictedKeys, 0n);
  toAlice.decrypt(messages[49]!);
  assert.equal(toAlice.evictedKeys, 9n, "49 keys, of which 40 are kept");
  toAlice.decrypt(messages[60]!);
  assert.equal(toAlice.evictedKeys, 19n, "10 keys more");
  refuses("Evicted", () => toAlice.decrypt(messages[18]!));
  toAlice.decrypt(messages[19]!);

  const raised = { messageGap: 3_000, receiverChains: 7, skippedKeys: 200 };
  toAlice.setLimits(raised);
  assert.deepEqual(toAlice.limits, raised);
  for (const message of late(toBob, 150).reverse()) toAlice.decrypt(message);
  assert.equal(toAlice.evictedKeys, 19n);
  toAlice.setLimits(defaults);
  assert.deepEqual(toAlice.limits, defaults);
});

test("a session is told its devices once", () => {
  const { alice, bob, toBob } = pair();
  const [ours, theirs] = [alice.identityKeys, bob.identityKeys.curve25519];
  const other = new Account().identityKeys;
  toBob.setIdentityKeys(ours, theirs);
  refuses("AnotherPeer", () => toBob.setIdentityKeys(ours, other.curve25519));
  refuses("AnotherSession", () => toBob.setIdentityKeys(other, theirs));
  assert.equal(toBob.theirIdentityKey, theirs);
});
