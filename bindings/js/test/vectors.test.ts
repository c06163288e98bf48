// Known answers of other implementations, from test-vectors/: what libolm stored opens here.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  Account,
  BackupDecryptionKey,
  decryptKeyExport,
  GroupSession,
  InboundGroupSession,
  MocerilError,
  readOlmMessage,
  Session,
} from "moceril";
import { refuses } from "./support.js";

const root = new URL("../../../test-vectors/", import.meta.url);
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

interface Vector {
  name: string;
  get(key: string): string;
  steps: string[][];
}

/** The vectors of a kind that must succeed. */
function vectors(kind: string): Vector[] {
  const folder = new URL(`${kind}/`, root);
  const all = readdirSync(folder).map((name) => {
    const lines = readFileSync(new URL(name, folder), "utf8").split("\n");
    const pairs = lines
      .filter((line) => /^[\w-]+:/.test(line))
      .map((line) => {
        const place = line.indexOf(":");
        return [line.slice(0, place), line.slice(place + 1).trim()] as const;
      });
    const values = new Map(pairs);
    return {
      name,
      get: (key: string) => values.get(key) ?? "",
      steps: pairs.filter(([key]) => key === "step").map(([, step]) => step.split(" ")),
    };
  });
  const succeed = all.filter((vector) => vector.get("expect") === "success");
  assert.ok(succeed.length > 0, kind);
  return succeed;
}

test("libolm's sessions open, and read the messages that libolm read", () => {
  let messages = 0;
  for (const vector of vectors("libolm-session-pickle")) {
    const session = Session.fromLibolmPickle(vector.get("pickle"), hex(vector.get("pickle-key")));
    for (const [step, type, body, plaintext] of vector.steps) {
      if (step !== "receive") continue;
      const decrypted = session.decrypt({ type: Number(type), body: body! });
      assert.equal(Buffer.from(decrypted.plaintext).toString("hex"), plaintext, vector.name);
      messages += 1;
    }
  }
  assert.ok(messages > 3, String(messages));
});

test("libolm's accounts open, and read the first messages of sessions", () => {
  let [messages, fallbackKeys] = [0, 0];
  for (const vector of vectors("libolm-account-pickle")) {
    const [pickle, key] = [vector.get("pickle"), hex(vector.get("pickle-key"))];
    const account = Account.fromLibolmPickle(pickle, key);
    const fallbackKey = account.signedFallbackKey()?.key;
    if (fallbackKey !== undefined) {
      assert.equal(fallbackKey, vector.get("fallback-key"), vector.name);
      fallbackKeys += 1;
    }
    for (const [step, type, body, plaintext] of vector.steps) {
      if (step !== "receive") continue;
      const first = { type: Number(type), body: body! };
      const sender = readOlmMessage(first).sessionKeys?.identityKey;
      assert.ok(sender, vector.name);
      const { message } = account.createInboundSession(sender, first);
      assert.equal(Buffer.from(message.plaintext).toString("hex"), plaintext, vector.name);
      messages += 1;
    }
  }
  assert.ok(messages > 30, String(messages));
  assert.ok(fallbackKeys > 1, String(fallbackKeys));
});

test("a session of libolm is told whose it is", () => {
  const vector = vectors("libolm-session-pickle").find(({ name }) => /outbound/.test(name));
  assert.ok(vector);
  const session = Session.fromLibolmPickle(vector.get("pickle"), hex(vector.get("pickle-key")));
  assert.equal(session.theirIdentityKey, undefined);
  const [peer, other] = [new Account().identityKeys, new Account().identityKeys];
  // It has sent only: the identity key in it is that of its own device.
  const ours = { ...other, curve25519: session.sessionKeys.identityKey };
  refuses("AnotherSession", () => session.setIdentityKeys(other, peer.curve25519));
  assert.equal(session.theirIdentityKey, undefined);
  session.setIdentityKeys(ours, peer.curve25519);
  assert.equal(session.theirIdentityKey, peer.curve25519);
  refuses("AnotherPeer", () => session.setIdentityKeys(ours, other.curve25519));
  assert.equal(session.theirIdentityKey, peer.curve25519);
});

test("libolm's group sessions open, and give the messages that libolm gave", () => {
  let messages = 0;
  for (const vector of vectors("libolm-inbound-group-session-pickle")) {
    const [pickle, key] = [vector.get("pickle"), hex(vector.get("pickle-key"))];
    const session = InboundGroupSession.fromLibolmPickle(pickle, key);
    for (const [step, index, message, plaintext] of vector.steps) {
      if (step !== "receive") continue;
      const decrypted = session.decrypt(message!);
      assert.equal(decrypted.messageIndex, Number(index), vector.name);
      assert.equal(Buffer.from(decrypted.plaintext).toString("hex"), plaintext, vector.name);
      messages += 1;
    }
  }
  for (const vector of vectors("libolm-group-session-pickle")) {
    const [pickle, key] = [vector.get("pickle"), hex(vector.get("pickle-key"))];
    const session = GroupSession.fromLibolmPickle(pickle, key);
    for (const [step, plaintext, message] of vector.steps) {
      if (step !== "send") continue;
      assert.equal(session.encrypt(hex(plaintext!)), message, vector.name);
      messages += 1;
    }
  }
  assert.ok(messages > 6, String(messages));
});

test("what libolm's pickles do not say can be stated once", () => {
  const now = 1_700_000_000;
  for (const vector of vectors("libolm-group-session-pickle")) {
    const [pickle, key] = [vector.get("pickle"), hex(vector.get("pickle-key"))];
    const session = GroupSession.fromLibolmPickle(pickle, key);
    assert.equal(session.createdAt, undefined);
    assert.ok(session.rotationDue(0xffff_ffff, 60, now));
    session.setCreatedAt(now);
    session.setCreatedAt(now);
    assert.equal(session.createdAt, BigInt(now));
    assert.ok(!session.rotationDue(0xffff_ffff, 60, now));
    refuses("CreationTime", () => session.setCreatedAt(now + 1));
  }
  for (const vector of vectors("libolm-inbound-group-session-pickle")) {
    const [pickle, key] = [vector.get("pickle"), hex(vector.get("pickle-key"))];
    const session = InboundGroupSession.fromLibolmPickle(pickle, key);
    assert.equal(session.provenance, "unknown");
    refuses("Argument", () => session.setProvenance("owner" as never));
    session.setProvenance("backup");
    session.setProvenance("backup");
    assert.equal(session.provenance, "backup");
    refuses("Known", () => session.setProvenance("exported"));
  }
});

test("files of exported keys decrypt", () => {
  let files = 0;
  for (const vector of vectors("key-export")) {
    if (Number(vector.get("rounds")) > 1_000) continue;
    const file = Buffer.from(vector.get("file"), "base64").toString();
    const json = decryptKeyExport(file, Buffer.from(vector.get("passphrase"), "hex").toString());
    assert.equal(Buffer.from(json).toString("hex"), vector.get("plaintext"), vector.name);
    files += 1;
  }
  assert.ok(files > 7, String(files));
});

test("backups and recovery keys of others are read", () => {
  for (const vector of vectors("backup")) {
    const key = Buffer.from(vector.get("private-key"), "hex").toString("base64");
    const plaintext = BackupDecryptionKey.fromBase64(key).decryptUnauthenticated({
      ciphertext: vector.get("ciphertext"),
      mac: vector.get("mac"),
      ephemeral: vector.get("ephemeral-key"),
    });
    const found = Buffer.from(plaintext).toString("hex");
    assert.equal(found, vector.get("plaintext"), vector.name);
  }
  for (const vector of vectors("recovery-key")) {
    const key = BackupDecryptionKey.fromRecoveryKey(vector.get("text")).toBase64();
    assert.equal(Buffer.from(key, "base64").toString("hex"), vector.get("key"), vector.name);
  }
  assert.throws(() => BackupDecryptionKey.fromRecoveryKey("x"), MocerilError);
});
