import { bytes, call, flag, members, number, Owned, Pickled, raw, text, texts } from "./call.js";
import { MocerilError } from "./errors.js";
import { DecryptedMessage, messageParts, type OlmMessage, Session } from "./session.js";
import * as wasm from "./wasm/moceril_js.js";

/** The two public identity keys of a device, in base64. */
export interface IdentityKeys {
  /** The signing key, which is the device's fingerprint. */
  ed25519: string;
  /** The key for making Olm sessions. */
  curve25519: string;
}

/** A public one-time key and its id, both in base64. */
export interface OneTimeKey {
  id: string;
  key: string;
}

/** A one-time or fallback key with the signature of its device: a `signed_curve25519` key. */
export interface SignedOneTimeKey {
  key: string;
  fallback: boolean;
  signature: string;
}

/** The result of {@link Account.generateOneTimeKeys}. */
export interface OneTimeKeyGeneration {
  /** The new keys, to be published. */
  created: OneTimeKey[];
  /** Keys dropped because the account was full. */
  evicted: OneTimeKey[];
}

/** The result of {@link Account.createInboundSession}. */
export interface InboundCreation {
  session: Session;
  message: DecryptedMessage;
  /** Whether the same message cannot make a session again. */
  replayExcluded: boolean;
}

/** @internal */
export function identityKeys(keys: IdentityKeys, name: string): [string, string] {
  const { ed25519, curve25519 } = members(keys, name);
  return [text(ed25519, `${name}.ed25519`), text(curve25519, `${name}.curve25519`)];
}

/** A device's long-term keys, and its stock of one-time and fallback keys. */
export class Account extends Pickled {
  /** Draws new identity keys. */
  constructor();
  /** @internal */
  constructor(made?: wasm.Account);
  constructor(made: wasm.Account = call(() => new wasm.Account())) {
    super(made, wasm.Account);
  }

  /** Reads what {@link Pickled.pickle} wrote, with the same key and context. */
  static fromPickle(pickle: string, key: Uint8Array, context: Uint8Array): Account {
    const [p, k, c] = [text(pickle, "pickle"), bytes(key, "key"), bytes(context, "context")];
    return new Account(call(() => wasm.Account.fromPickle(p, k, c)));
  }

  /** Reads a pickle of libolm, such as those of the package `@matrix-org/olm`. */
  static fromLibolmPickle(pickle: string, key: Uint8Array): Account {
    const [p, k] = [text(pickle, "pickle"), bytes(key, "key")];
    return new Account(call(() => wasm.Account.fromLibolmPickle(p, k)));
  }

  /** The public identity keys. */
  get identityKeys(): IdentityKeys {
    return call(() => raw(this, wasm.Account).identityKeys() as IdentityKeys);
  }

  /** Signs exactly these bytes. The signature is in base64. */
  sign(message: Uint8Array): string {
    const m = bytes(message, "message");
    return call(() => raw(this, wasm.Account).sign(m));
  }

  /** Makes this many one-time keys. */
  generateOneTimeKeys(count: number): OneTimeKeyGeneration {
    const n = number(count, "count");
    return call(() => raw(this, wasm.Account).generateOneTimeKeys(n) as OneTimeKeyGeneration);
  }

  /** The one-time keys that are not published yet. */
  oneTimeKeys(): OneTimeKey[] {
    return call(() => raw(this, wasm.Account).oneTimeKeys() as OneTimeKey[]);
  }

  /** The one-time keys that are not published yet, signed. */
  signedOneTimeKeys(): SignedOneTimeKey[] {
    return call(() => raw(this, wasm.Account).signedOneTimeKeys() as SignedOneTimeKey[]);
  }

  /** How many one-time keys the account holds, published or not. */
  get storedOneTimeKeyCount(): number {
    return call(() => raw(this, wasm.Account).storedOneTimeKeyCount());
  }

  /**
   * Makes a fallback key, for when the server has no one-time key left. The one before is kept for
   * messages that are on the way. Returns the public key of the one that is forgotten now, if any.
   * While `signedFallbackKey()` returns a key, upload that one again instead: each call forgets the
   * key before the current one, published or not.
   */
  generateFallbackKey(): string | undefined {
    return call(() => raw(this, wasm.Account).generateFallbackKey());
  }

  /** The fallback key, signed, if it is not published yet. */
  signedFallbackKey(): SignedOneTimeKey | undefined {
    return call(() => raw(this, wasm.Account).signedFallbackKey() as SignedOneTimeKey | undefined);
  }

  /** Forgets the fallback key before the current one. Returns whether there was one. */
  forgetPreviousFallbackKey(): boolean {
    return call(() => raw(this, wasm.Account).forgetPreviousFallbackKey());
  }

  /** How many sessions a fallback key may remember, to recognize replays of first messages. */
  get fallbackMemory(): number {
    return call(() => raw(this, wasm.Account).fallbackMemory());
  }

  /**
   * Sets {@link fallbackMemory}; a number below the default or above the maximum becomes the
   * nearest of these. Each remembered session adds 8 characters to the account's pickle.
   */
  setFallbackMemory(sessions: number): void {
    const s = number(sessions, "sessions");
    call(() => raw(this, wasm.Account).setFallbackMemory(s));
  }

  /**
   * The members `one_time_keys` and `fallback_keys` of a request to `/keys/upload`, as JSON: every
   * key that is not published yet.
   */
  keysToUpload(userId: string, deviceId: string): string {
    const [user, device] = [text(userId, "userId"), text(deviceId, "deviceId")];
    return call(() => raw(this, wasm.Account).keysToUpload(user, device));
  }

  /** Marks these public keys as published, after the server has taken them. Returns how many. */
  markAsPublished(keys: string[]): number {
    const k = texts(keys, "keys");
    return call(() => raw(this, wasm.Account).markAsPublished(k));
  }

  /** Removes a one-time key. Returns whether it was there. */
  removeOneTimeKey(key: string): boolean {
    const k = text(key, "key");
    return call(() => raw(this, wasm.Account).removeOneTimeKey(k));
  }

  /** Makes a session with the device whose keys were verified. */
  createOutboundSession(bundle: PreKeyBundle): Session {
    return new Session(
      call(() => raw(this, wasm.Account).createOutboundSession(raw(bundle, wasm.PreKeyBundle))),
    );
  }

  /**
   * Makes a session from the first message of another device: session, plaintext and the removal of
   * the one-time key together, or nothing.
   *
   * @param senderKey the Curve25519 identity key of the device that is expected to have sent it
   */
  createInboundSession(senderKey: string, message: OlmMessage): InboundCreation {
    const key = text(senderKey, "senderKey");
    const [type, body] = messageParts(message);
    if (type !== 0) throw new MocerilError("MessageType", "the message is not a pre-key message");
    const made = call(() => raw(this, wasm.Account).createInboundSession(key, body)) as {
      session: wasm.Session;
      message: wasm.DecryptedMessage;
      replayExcluded: boolean;
    };
    return {
      session: new Session(made.session),
      message: new DecryptedMessage(made.message),
      replayExcluded: made.replayExcluded,
    };
  }
}

/** The keys with which an outbound session is made. It exists only if the signature verifies. */
export class PreKeyBundle extends Owned {
  /** @internal */
  constructor(made: wasm.PreKeyBundle) {
    super(made, wasm.PreKeyBundle);
  }

  /** Verifies that the device signed the one-time key. */
  static verify(keys: IdentityKeys, oneTimeKey: SignedOneTimeKey): PreKeyBundle {
    const [ed25519, curve25519] = identityKeys(keys, "keys");
    const { key, fallback, signature } = members(oneTimeKey, "oneTimeKey");
    const k = text(key, "oneTimeKey.key");
    const f = flag(fallback, "oneTimeKey.fallback");
    const s = text(signature, "oneTimeKey.signature");
    return new PreKeyBundle(call(() => wasm.PreKeyBundle.verify(ed25519, curve25519, k, f, s)));
  }

  /** The device's Curve25519 identity key. */
  get identityKey(): string {
    return call(() => raw(this, wasm.PreKeyBundle).identityKey());
  }

  /** The one-time or fallback key. */
  get oneTimeKey(): string {
    return call(() => raw(this, wasm.PreKeyBundle).oneTimeKey());
  }
}
