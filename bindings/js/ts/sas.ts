import { bytes, call, flag, members, Owned, raw, take, text, texts } from "./call.js";
import * as wasm from "./wasm/moceril_js.js";

/** An emoji of the specification, with its English name. */
export interface Emoji {
  symbol: string;
  description: string;
}

/** A method of MACs; `hkdf-hmac-sha256.v2` is the one to choose. */
export type MacMethod = "hkdf-hmac-sha256.v2" | "hkdf-hmac-sha256" | "hmac-sha256";

/** A device that takes part in a verification. */
export interface Party {
  /** Its user, such as `@alice:example.org`. */
  userId: string;
  deviceId: string;
}

/** Between which devices a verification is: what the info of its results and its MACs binds. */
export interface Verification {
  /** This device. */
  us: Party;
  /** The other device. */
  them: Party;
  /**
   * Whether the start event that counts is ours. If both devices sent one, it is that of the
   * smaller user id, or of the smaller device id if the users are the same.
   */
  weStarted: boolean;
  /** The transaction id of the verification; in a room, the event id of the request. */
  transactionId: string;
}

/** One device's end of a verification before the other one's key is known: a key for one use. */
export class Sas extends Owned {
  /** Draws a key pair. */
  constructor() {
    super(
      call(() => new wasm.Sas()),
      wasm.Sas,
    );
  }

  /** The public key, to be sent. */
  get publicKey(): string {
    return call(() => raw(this, wasm.Sas).publicKey());
  }

  /**
   * Agrees on a secret with the other device. This uses the object up: every later call throws an
   * error with the code `Freed`. If the other device's key is refused, the object is as it was.
   */
  diffieHellman(theirKey: string): EstablishedSas {
    const key = text(theirKey, "theirKey");
    const established = call(() => raw(this, wasm.Sas).diffieHellman(key));
    call(() => take(this, wasm.Sas).free());
    return new EstablishedSas(established);
  }
}

/** The agreed secret, from which come what people compare, and the MACs of their keys. */
export class EstablishedSas extends Owned {
  /** @internal */
  constructor(made: wasm.EstablishedSas) {
    super(made, wasm.EstablishedSas);
  }

  /** The info for {@link emoji} and {@link decimals}. */
  info(verification: Verification): Uint8Array {
    return withVerification(verification, (v) => v.sas(raw(this, wasm.EstablishedSas)));
  }

  /** The seven emoji that people compare. `info` binds users, devices and keys. */
  emoji(info: Uint8Array): Emoji[] {
    const i = bytes(info, "info");
    return call(() => raw(this, wasm.EstablishedSas).emoji(i) as Emoji[]);
  }

  /** The three numbers that people compare. */
  decimals(info: Uint8Array): number[] {
    const i = bytes(info, "info");
    return call(() => raw(this, wasm.EstablishedSas).decimals(i) as number[]);
  }

  /** The MAC of a key, or of the {@link sasKeyIds} of all keys, in base64. */
  calculateMac(method: MacMethod, input: Uint8Array, info: Uint8Array): string {
    const [m, p, i] = [text(method, "method"), bytes(input, "input"), bytes(info, "info")];
    return call(() => raw(this, wasm.EstablishedSas).calculateMac(m, p, i));
  }

  /** Verifies the MAC of the other device, or throws `Mac`. */
  verifyMac(method: MacMethod, input: Uint8Array, info: Uint8Array, mac: string): void {
    const [m, p, i] = [text(method, "method"), bytes(input, "input"), bytes(info, "info")];
    const tag = text(mac, "mac");
    call(() => raw(this, wasm.EstablishedSas).verifyMac(m, p, i, tag));
  }
}

/** What the device that accepts a verification sends before its key. */
export function sasCommitment(publicKey: string, startContent: string): string {
  const [key, content] = [text(publicKey, "publicKey"), text(startContent, "startContent")];
  return call(() => wasm.sasCommitment(key, content));
}

/**
 * The info of a MAC that this device sends, for {@link EstablishedSas.calculateMac}.
 *
 * @param keyId the id of the key, such as `ed25519:DEVICE`; `KEY_IDS` for the MAC of
 *   {@link sasKeyIds}
 */
export function ourMacInfo(verification: Verification, keyId: string): Uint8Array {
  const id = text(keyId, "keyId");
  return withVerification(verification, (v) => v.ourMac(id));
}

/** The info of a MAC that the other device has sent, for {@link EstablishedSas.verifyMac}. */
export function theirMacInfo(verification: Verification, keyId: string): Uint8Array {
  const id = text(keyId, "keyId");
  return withVerification(verification, (v) => v.theirMac(id));
}

/**
 * The list of key ids of which a MAC is sent, so that nobody can add or remove a key. Whoever
 * verifies it takes the names of the members of `mac`.
 */
export function sasKeyIds(ids: string[]): string {
  const i = texts(ids, "ids");
  return call(() => wasm.sasKeyIds(i));
}

function withVerification<T>(
  verification: Verification,
  operation: (verification: wasm.Verification) => T,
): T {
  const { us, them, weStarted, transactionId } = members(verification, "verification");
  const [ourUser, ourDevice] = party(us, "verification.us");
  const [theirUser, theirDevice] = party(them, "verification.them");
  const started = flag(weStarted, "verification.weStarted");
  const id = text(transactionId, "verification.transactionId");
  const v = call(
    () => new wasm.Verification(ourUser, ourDevice, theirUser, theirDevice, started, id),
  );
  try {
    return call(() => operation(v));
  } finally {
    call(() => v.free());
  }
}

function party(party: Party, name: string): [string, string] {
  const { userId, deviceId } = members(party, name);
  return [text(userId, `${name}.userId`), text(deviceId, `${name}.deviceId`)];
}
