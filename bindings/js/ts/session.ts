import type { IdentityKeys } from "./account.js";
import { bytes, call, members, number, Owned, Pickled, raw, text } from "./call.js";
import type { DeviceKeys } from "./json.js";
import * as wasm from "./wasm/moceril_js.js";

/** An Olm message, as Matrix's events have it. */
export interface OlmMessage {
  /** 0 for a pre-key message, which can make a session; 1 for a normal one. */
  type: number;
  /** The message in base64. */
  body: string;
}

/** The three public keys that a session was made from. */
export interface SessionKeys {
  identityKey: string;
  baseKey: string;
  oneTimeKey: string;
}

/** What everybody can read in an Olm message. */
export interface OlmMessageHeader {
  version: number;
  /** The ratchet key of the message's chain. */
  ratchetKey: string;
  /** The number of the message in its chain. */
  chainIndex: number;
  /** Only a pre-key message has them. */
  sessionKeys: SessionKeys | undefined;
}

/** How much a session remembers for late messages. */
export interface Limits {
  messageGap: number;
  receiverChains: number;
  skippedKeys: number;
}

/** One end of an Olm session: what an event says about its sender or its recipient. */
export interface Device {
  userId: string;
  /** From the device's verified keys. */
  keys: IdentityKeys;
}

/** The verified content of an Olm event. */
export interface OlmPayload {
  type: string;
  /** The content, a JSON object, as text. */
  content: string;
  /** The device keys of the sender, as JSON, if the event has them: verified with the rest. */
  senderDeviceKeys?: string;
}

/** @internal */
export function messageParts(message: OlmMessage): [number, string] {
  const { type, body } = members(message, "message");
  return [number(type, "message.type"), text(body, "message.body")];
}

/** Reads what everybody can read in a message. Nothing of it is authenticated yet. */
export function readOlmMessage(message: OlmMessage): OlmMessageHeader {
  const [type, body] = messageParts(message);
  return call(() => wasm.readOlmMessage(type, body) as OlmMessageHeader);
}

/** One of the two ends of an Olm session. */
export class Session extends Pickled {
  /** @internal */
  constructor(made: wasm.Session) {
    super(made, wasm.Session);
  }

  /** Reads what {@link Pickled.pickle} wrote, with the same key and context. */
  static fromPickle(pickle: string, key: Uint8Array, context: Uint8Array): Session {
    const [p, k, c] = [text(pickle, "pickle"), bytes(key, "key"), bytes(context, "context")];
    return new Session(call(() => wasm.Session.fromPickle(p, k, c)));
  }

  /**
   * Reads a pickle of libolm, such as those of the package `@matrix-org/olm`. Say whose the session
   * is with {@link setIdentityKeys} before it decrypts.
   */
  static fromLibolmPickle(pickle: string, key: Uint8Array): Session {
    const [p, k] = [text(pickle, "pickle"), bytes(key, "key")];
    return new Session(call(() => wasm.Session.fromLibolmPickle(p, k)));
  }

  /** The id of the session, the same at both ends. */
  get sessionId(): string {
    return call(() => raw(this, wasm.Session).sessionId());
  }

  /** The three public keys that the session was made from. */
  get sessionKeys(): SessionKeys {
    return call(() => raw(this, wasm.Session).sessionKeys() as SessionKeys);
  }

  /** The peer's Curve25519 identity key, unknown only to a session read from another format. */
  get theirIdentityKey(): string | undefined {
    return call(() => raw(this, wasm.Session).theirIdentityKey());
  }

  /** Says between which devices a session is that was read from another format. */
  setIdentityKeys(ours: IdentityKeys, theirs: string): void {
    const { ed25519, curve25519 } = members(ours, "ours");
    const [e, c] = [text(ed25519, "ours.ed25519"), text(curve25519, "ours.curve25519")];
    const t = text(theirs, "theirs");
    call(() => raw(this, wasm.Session).setIdentityKeys(e, c, t));
  }

  /** How much the session remembers for late messages. */
  get limits(): Limits {
    return call(() => raw(this, wasm.Session).limits() as Limits);
  }

  /** Changes how much the session remembers. Lowering a limit drops what lies beyond it. */
  setLimits(limits: Limits): void {
    const { messageGap, receiverChains, skippedKeys } = members(limits, "limits");
    const gap = number(messageGap, "limits.messageGap");
    const chains = number(receiverChains, "limits.receiverChains");
    const keys = number(skippedKeys, "limits.skippedKeys");
    call(() => raw(this, wasm.Session).setLimits(gap, chains, keys));
  }

  /** How many keys of late messages were dropped so far, to stay within the limits. */
  get evictedKeys(): bigint {
    return call(() => raw(this, wasm.Session).evictedKeys());
  }

  /** Whether a message from the peer was decrypted, so that the peer has the session, too. */
  get hasReceivedMessage(): boolean {
    return call(() => raw(this, wasm.Session).hasReceivedMessage());
  }

  /** Text for logs: indices, counts and the beginnings of public keys, but nothing secret. */
  describe(): string {
    return call(() => raw(this, wasm.Session).describe());
  }

  /** Whether this is a pre-key message of this session. If so, decrypt it here. */
  matches(message: OlmMessage): boolean {
    const [type, body] = messageParts(message);
    return call(() => raw(this, wasm.Session).matches(type, body));
  }

  /** Encrypts a message. **Store the session before you send it**: a key must not be used twice. */
  encrypt(plaintext: Uint8Array): OlmMessage {
    const p = bytes(plaintext, "plaintext");
    return call(() => raw(this, wasm.Session).encrypt(p) as OlmMessage);
  }

  /** Decrypts a message from the peer. Messages may arrive in any order, within the limits. */
  decrypt(message: OlmMessage): DecryptedMessage {
    const [type, body] = messageParts(message);
    return new DecryptedMessage(call(() => raw(this, wasm.Session).decrypt(type, body)));
  }
}

/** The plaintext of an Olm message, and what was authenticated together with it. */
export class DecryptedMessage extends Owned {
  /** @internal */
  constructor(made: wasm.DecryptedMessage) {
    super(made, wasm.DecryptedMessage);
  }

  /** A fresh copy of the plaintext. */
  get plaintext(): Uint8Array {
    return call(() => raw(this, wasm.DecryptedMessage).plaintext());
  }

  /** The peer's identity key. It alone does not say which user sent the message. */
  get senderKey(): string | undefined {
    return call(() => raw(this, wasm.DecryptedMessage).senderKey());
  }

  /** The keys of the session that the message came through. */
  get sessionKeys(): SessionKeys {
    return call(() => raw(this, wasm.DecryptedMessage).sessionKeys() as SessionKeys);
  }

  /**
   * Checks that the event names both users and both devices. Without it, somebody who claims a
   * device's keys as his own can hand on a message that was meant for him. Device keys in the event
   * must be signed, and those of the sender.
   */
  verifyPayload(sender: Device, recipient: Device): OlmPayload {
    return withEnds(
      sender,
      recipient,
      (s, r) => raw(this, wasm.DecryptedMessage).verifyPayload(s, r) as OlmPayload,
    );
  }
}

/** The plaintext of an event from `sender` to `recipient`. `content` is a JSON object, as text. */
export function encodePayload(
  type: string,
  content: string,
  sender: Device,
  recipient: Device,
): Uint8Array {
  const [t, c] = [text(type, "type"), text(content, "content")];
  return withEnds(sender, recipient, (s, r) => wasm.encodePayload(t, c, s, r));
}

/** As {@link encodePayload}, with the sender's device keys in the event. */
export function encodePayloadWithDeviceKeys(
  type: string,
  content: string,
  sender: DeviceKeys,
  recipient: Device,
): Uint8Array {
  const [t, c] = [text(type, "type"), text(content, "content")];
  return withEnd(recipient, "recipient", (r) =>
    wasm.encodePayloadWithDeviceKeys(t, c, raw(sender, wasm.DeviceKeys), r),
  );
}

function withEnds<T>(
  sender: Device,
  recipient: Device,
  operation: (sender: wasm.End, recipient: wasm.End) => T,
): T {
  return withEnd(sender, "sender", (s) => withEnd(recipient, "recipient", (r) => operation(s, r)));
}

function withEnd<T>(device: Device, name: string, operation: (end: wasm.End) => T): T {
  const e = end(device, name);
  try {
    return call(() => operation(e));
  } finally {
    call(() => e.free());
  }
}

function end(device: Device, name: string): wasm.End {
  const { userId, keys } = members(device, name);
  const { ed25519, curve25519 } = members(keys, `${name}.keys`);
  const user = text(userId, `${name}.userId`);
  const e = text(ed25519, `${name}.keys.ed25519`);
  const c = text(curve25519, `${name}.keys.curve25519`);
  return call(() => new wasm.End(user, e, c));
}
