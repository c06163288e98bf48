import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Account,
  BackupDecryptionKey,
  canonicalJson,
  decryptKeyExport,
  DeviceKeys,
  encodePayload,
  encryptBackup,
  encryptForBackup,
  encryptKeyExport,
  type ExportedRoomKey,
  GroupSession,
  InboundGroupSession,
  keyExportRounds,
  MocerilError,
  ourMacInfo,
  readKeyExport,
  readRoomKey,
  Sas,
  sasCommitment,
  sasKeyIds,
  signJson,
  theirMacInfo,
  verifyJson,
  writeKeyExport,
} from "moceril";
import { pair, read, refuses, utf8 } from "./support.js";

test("two people see the same emoji, and their MACs verify", () => {
  const [alice, bob] = [new Sas(), new Sas()];
  const [aliceKey, bobKey] = [alice.publicKey, bob.publicKey];
  assert.equal(sasCommitment(bobKey, "{}").length, 43);
  const [ours, theirs] = [alice.diffieHellman(bobKey), bob.diffieHellman(aliceKey)];
  refuses("Freed", () => alice.diffieHellman(bobKey));
  const info = utf8("MATRIX_KEY_VERIFICATION_SAS|…");
  assert.deepEqual(ours.emoji(info), theirs.emoji(info));
  assert.equal(ours.emoji(info).length, 7);
  assert.deepEqual(ours.decimals(info), theirs.decimals(info));
  const mac = ours.calculateMac("hkdf-hmac-sha256.v2", utf8("key"), info);
  theirs.verifyMac("hkdf-hmac-sha256.v2", utf8("key"), info, mac);
  refuses("Mac", () => theirs.verifyMac("hkdf-hmac-sha256.v2", utf8("other"), info, mac));
  refuses("Argument", () => theirs.verifyMac("none" as never, utf8("key"), info, mac));
});

test("the info of a verification binds users, devices, keys and the transaction", () => {
  const [alice, bob] = [new Sas(), new Sas()];
  const [aliceKey, bobKey] = [alice.publicKey, bob.publicKey];
  const [ours, theirs] = [alice.diffieHellman(bobKey), bob.diffieHellman(aliceKey)];
  const phone = { userId: "@alice:x", deviceId: "PHONE" };
  const laptop = { userId: "@bob:\u{e9}", deviceId: "LAPTOP" };
  const ofAlice = { us: phone, them: laptop, weStarted: true, transactionId: "id" };
  const ofBob = { us: laptop, them: phone, weStarted: false, transactionId: "id" };
  // Spec: "SAS HKDF calculation" and "MAC calculation".
  const parties = `@alice:x|PHONE|${aliceKey}|@bob:\u{e9}|LAPTOP|${bobKey}`;
  assert.equal(read(ours.info(ofAlice)), `MATRIX_KEY_VERIFICATION_SAS|${parties}|id`);
  assert.deepEqual(ours.emoji(ours.info(ofAlice)), theirs.emoji(theirs.info(ofBob)));
  assert.notDeepEqual(theirs.info({ ...ofBob, weStarted: true }), theirs.info(ofBob));

  const keyId = "ed25519:PHONE";
  const info = ourMacInfo(ofAlice, keyId);
  const expected = `MATRIX_KEY_VERIFICATION_MAC@alice:xPHONE@bob:\u{e9}LAPTOPid${keyId}`;
  assert.equal(read(info), expected);
  assert.deepEqual(theirMacInfo(ofBob, keyId), info);
  assert.notDeepEqual(ourMacInfo(ofBob, keyId), info);
  assert.equal(sasKeyIds([keyId, "ed25519:A"]), "ed25519:A,ed25519:PHONE");

  refuses("Argument", () => ours.info({ ...ofAlice, us: undefined as never }));
  refuses("Argument", () => ours.info({ ...ofAlice, weStarted: 1 as never }));
  refuses("Argument", () => ourMacInfo({ ...ofAlice, transactionId: undefined as never }, keyId));
  refuses("Argument", () => ourMacInfo(ofAlice, undefined as never));
});

test("a key that is refused leaves the Sas as it was", () => {
  const [alice, bob] = [new Sas(), new Sas()];
  const [aliceKey, bobKey] = [alice.publicKey, bob.publicKey];
  refuses("OwnKey", () => alice.diffieHellman(aliceKey));
  refuses("LowOrder", () => alice.diffieHellman("A".repeat(43)));
  refuses("Base64", () => alice.diffieHellman("?"));
  assert.equal(alice.publicKey, aliceKey);
  const [ours, theirs] = [alice.diffieHellman(bobKey), bob.diffieHellman(aliceKey)];
  assert.deepEqual(ours.decimals(utf8("info")), theirs.decimals(utf8("info")));
});

test("JSON is canonical, signed and verified", () => {
  assert.equal(canonicalJson('{ "b": 1, "a": "é" }'), '{"a":"é","b":1}');
  refuses("Malformed", () => canonicalJson("{"));
  refuses("Number", () => canonicalJson('{"a":1.5}'));
  const alice = new Account();
  const signed = signJson(alice, '{"a":1}', "@alice:x", "DEVICE");
  verifyJson(signed, "@alice:x", "DEVICE", alice.identityKeys.ed25519);
  refuses("Signature", () =>
    verifyJson(signed.replace('"a":1', '"a":2'), "@alice:x", "DEVICE", alice.identityKeys.ed25519),
  );
  refuses("MissingSignature", () =>
    verifyJson(signed, "@alice:x", "OTHER", alice.identityKeys.ed25519),
  );
});

test("the keys of a device lead to a session", () => {
  const [alice, bob] = [new Account(), new Account()];
  bob.generateOneTimeKeys(2);
  bob.generateFallbackKey();
  const uploaded = JSON.parse(bob.keysToUpload("@bob:x", "BOB"));
  const published = DeviceKeys.of(bob, "@bob:x", "BOB").toJson();
  assert.equal(Object.keys(uploaded.one_time_keys).length, 2);
  const [fallback] = Object.values<{ key: string }>(uploaded.fallback_keys);
  const [claimed] = Object.values<{ key: string }>(uploaded.one_time_keys);
  assert.ok(fallback && claimed);
  assert.equal(bob.markAsPublished([claimed.key, fallback.key, claimed.key]), 2);
  assert.equal(bob.signedFallbackKey(), undefined);
  assert.equal(bob.oneTimeKeys().length, 1);

  const device = DeviceKeys.verify(published, "@bob:x", "BOB");
  assert.deepEqual(device.identityKeys, bob.identityKeys);
  assert.deepEqual([device.userId, device.deviceId], ["@bob:x", "BOB"]);
  refuses("Mismatch", () => DeviceKeys.verify(published, "@mallory:x", "BOB"));
  const bundle = device.verifyOneTimeKey(JSON.stringify(claimed));
  const first = alice.createOutboundSession(bundle).encrypt(utf8("hello"));
  const { message } = bob.createInboundSession(alice.identityKeys.curve25519, first);
  assert.equal(read(message.plaintext), "hello");
  const other = Object.values<{ key: string }>(uploaded.one_time_keys)[1]!.key;
  assert.ok(bob.removeOneTimeKey(other));
  assert.equal(bob.storedOneTimeKeyCount, 0);
  assert.equal(bob.forgetPreviousFallbackKey(), false);
});

test("a sender gives a device the key of a room", () => {
  const { alice, bob, toBob, toAlice } = pair();
  const sender = { userId: "@alice:x", keys: alice.identityKeys };
  const recipient = { userId: "@bob:x", keys: bob.identityKeys };
  const room = new GroupSession(1);
  const content = room.roomKey("!room:x");
  assert.deepEqual(JSON.parse(content), {
    algorithm: "m.megolm.v1.aes-sha2",
    room_id: "!room:x",
    session_id: room.sessionId,
    session_key: room.sessionKey,
  });
  const payload = encodePayload("m.room_key", content, sender, recipient);
  const received = toAlice.decrypt(toBob.encrypt(payload)).verifyPayload(sender, recipient);
  const key = readRoomKey(received.content);
  const { sessionId, sessionKey } = room;
  assert.deepEqual(key, { roomId: "!room:x", sessionId, sessionKey, sharedHistory: false });
  const theirs = new InboundGroupSession(key.sessionKey);
  assert.equal(read(theirs.decrypt(room.encrypt(utf8("hello"))).plaintext), "hello");
  assert.ok(readRoomKey(room.roomKey("!room:x", true)).sharedHistory);

  const another = new GroupSession(1).sessionId;
  refuses("SessionId", () => readRoomKey(content.replace(sessionId, another)));
  refuses("Algorithm", () => readRoomKey(content.replace("m.megolm.v1", "m.olm.v1")));
  refuses("SessionKey", () => readRoomKey(content.replace(sessionKey, "A")));
  refuses("Malformed", () => readRoomKey(content.replace("room_id", "room")));
});

const sender = new Account().identityKeys;

function entry(): { key: ExportedRoomKey; session: InboundGroupSession } {
  const session = new InboundGroupSession(new GroupSession(1).sessionKey);
  return { key: session.exportRoomKey("!room:x", { sender }), session };
}

test("a session gives its key with what is known about it", () => {
  const { key, session } = entry();
  const { sessionId } = session;
  assert.deepEqual(JSON.parse(key.json), {
    algorithm: "m.megolm.v1.aes-sha2",
    room_id: "!room:x",
    session_id: sessionId,
    session_key: session.exportAt(),
    sender_key: sender.curve25519,
    sender_claimed_keys: { ed25519: sender.ed25519 },
    forwarding_curve25519_key_chain: [],
  });
  const { json, ...members } = key;
  assert.deepEqual(members, {
    roomId: "!room:x",
    sessionId,
    senderKey: sender.curve25519,
    sharedHistory: false,
    firstIndex: 0,
    sessionKey: session.exportAt(),
  });
  assert.deepEqual(readKeyExport(`[${json}]`), [key]);

  const later = session.exportRoomKey("!room:x", { index: 5, sharedHistory: true });
  assert.deepEqual([later.firstIndex, later.sharedHistory], [5, true]);
  assert.equal(later.sessionKey, session.exportAt(5));
  assert.equal(later.senderKey, undefined);
  assert.deepEqual(readKeyExport(`[${later.json}]`), [later]);

  session.advanceTo(1);
  assert.equal(session.exportRoomKey("!room:x").firstIndex, 1);
  refuses("UnknownIndex", () => session.exportRoomKey("!room:x", { index: 0 }));
  const bad = { ...sender, curve25519: "?" };
  refuses("Base64", () => session.exportRoomKey("!room:x", { sender: bad }));
  session.close();
  refuses("Closed", () => session.exportRoomKey("!room:x"));
});

test("keys go through a file", () => {
  const { key, session } = entry();
  assert.equal(key.sessionId, session.sessionId);
  assert.equal(key.roomId, "!room:x");
  const file = encryptKeyExport(writeKeyExport([key]), "correct horse", 100_000);
  assert.equal(keyExportRounds(file), 100_000);
  refuses("Authentication", () => decryptKeyExport(file, "wrong horse"));
  refuses("Rounds", () => decryptKeyExport(file, "correct horse", 99_999));
  refuses("Rounds", () => encryptKeyExport("[]", "correct horse", 1));
  refuses("EmptyPassphrase", () => encryptKeyExport("[]", ""));
  assert.deepEqual(readKeyExport(decryptKeyExport(file, "correct horse")), [key]);
  const codes = readKeyExport(`[{}, ${key.json}]`).map((result) =>
    result instanceof MocerilError ? result.code : result.sessionId,
  );
  assert.deepEqual(codes, ["Malformed", key.sessionId]);
});

/**
 * The example of Matrix's specification with its last two letters exchanged. Of a random key, one
 * exchange in a thousand keeps the parity.
 */
const MISTYPED = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UEd4";

test("keys go through a backup", () => {
  const { key } = entry();
  const ours = new BackupDecryptionKey();
  const again = BackupDecryptionKey.fromRecoveryKey(ours.toRecoveryKey());
  assert.equal(again.publicKey, ours.publicKey);
  assert.equal(BackupDecryptionKey.fromBase64(ours.toBase64()).publicKey, ours.publicKey);
  refuses("Parity", () => BackupDecryptionKey.fromRecoveryKey(MISTYPED));

  const session_data = encryptForBackup(ours.publicKey, utf8(key.json));
  assert.equal(read(again.decryptUnauthenticated(session_data)), key.json);
  const stored = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data };
  const rooms = { "!room:x": { sessions: { [key.sessionId]: stored } } };
  const [restored] = again.decryptBackup(JSON.stringify({ rooms }));
  assert.ok(restored && !(restored instanceof MocerilError), String(restored));
  assert.equal(restored.sessionKey, key.sessionKey);
  assert.equal(InboundGroupSession.importFromBackup(restored.sessionKey).provenance, "backup");
  const [refused] = new BackupDecryptionKey().decryptBackup(JSON.stringify({ rooms }));
  assert.ok(refused instanceof MocerilError);
  assert.equal(refused.code, "Backup");
  refuses("Malformed", () => ours.decryptBackup("[]"));
});

test("a whole backup is written and read", () => {
  const ours = new BackupDecryptionKey();
  const [one, two] = [entry().key, entry().key];
  const backup = encryptBackup(ours.publicKey, [one, two, one]);
  const { rooms } = JSON.parse(backup) as {
    rooms: Record<string, { sessions: Record<string, Record<string, unknown>> }>;
  };
  assert.deepEqual(Object.keys(rooms), ["!room:x"]);
  const { sessions } = rooms["!room:x"]!;
  assert.deepEqual(Object.keys(sessions), [one.sessionId, two.sessionId].sort());
  const { session_data, ...claimed } = sessions[one.sessionId]!;
  assert.deepEqual(claimed, { first_message_index: 0, forwarded_count: 0, is_verified: false });
  assert.deepEqual(Object.keys(session_data as object).sort(), ["ciphertext", "ephemeral", "mac"]);
  const restored = ours.decryptBackup(backup);
  const expected = [one, two].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
  assert.deepEqual(restored, expected);

  refuses("Malformed", () => encryptBackup(ours.publicKey, [{ ...one, json: "{}" }]));
  refuses("Base64", () => encryptBackup("?", [one]));
  refuses("Argument", () => encryptBackup(ours.publicKey, [{} as never]));
  assert.deepEqual(JSON.parse(encryptBackup(ours.publicKey, [])), { rooms: {} });
});
