import { Account, type IdentityKeys, PreKeyBundle } from "./account.js";
import { call, Owned, raw, text } from "./call.js";
import * as wasm from "./wasm/moceril_js.js";

/**
 * The canonical form of a JSON text, over which signatures are made. JSON is passed as text, so
 * that what is verified is what was received.
 */
export function canonicalJson(json: string): string {
  const j = text(json, "json");
  return call(() => wasm.canonicalJson(j));
}

/** The JSON object with a signature by the account's device added. */
export function signJson(account: Account, json: string, userId: string, deviceId: string): string {
  const [j, user] = [text(json, "json"), text(userId, "userId")];
  const device = text(deviceId, "deviceId");
  return call(() => wasm.signJson(raw(account, wasm.Account), j, user, device));
}

/**
 * Verifies a signature in a JSON object, or throws.
 *
 * @param keyName what follows `ed25519:` in the name of the key, for a device its id
 * @param key the public key of the signer, from where it is trusted
 */
export function verifyJson(json: string, userId: string, keyName: string, key: string): void {
  const [j, user] = [text(json, "json"), text(userId, "userId")];
  const [n, k] = [text(keyName, "keyName"), text(key, "key")];
  call(() => wasm.verifyJson(j, user, n, k));
}

/** The keys of a device, which it has signed itself. */
export class DeviceKeys extends Owned {
  /** @internal */
  constructor(made: wasm.DeviceKeys) {
    super(made, wasm.DeviceKeys);
  }

  /** The keys of our device, signed, for the member `device_keys` of `/keys/upload`. */
  static of(account: Account, userId: string, deviceId: string): DeviceKeys {
    const [user, device] = [text(userId, "userId"), text(deviceId, "deviceId")];
    return new DeviceKeys(call(() => wasm.DeviceKeys.of(raw(account, wasm.Account), user, device)));
  }

  /** Reads the keys of another device as the server gives them, and verifies the signature. */
  static verify(json: string, userId: string, deviceId: string): DeviceKeys {
    const [j, user] = [text(json, "json"), text(userId, "userId")];
    const device = text(deviceId, "deviceId");
    return new DeviceKeys(call(() => wasm.DeviceKeys.verify(j, user, device)));
  }

  get userId(): string {
    return call(() => raw(this, wasm.DeviceKeys).userId());
  }

  get deviceId(): string {
    return call(() => raw(this, wasm.DeviceKeys).deviceId());
  }

  get identityKeys(): IdentityKeys {
    return call(() => raw(this, wasm.DeviceKeys).identityKeys() as IdentityKeys);
  }

  /** The signed object, as JSON. */
  toJson(): string {
    return call(() => raw(this, wasm.DeviceKeys).toJson());
  }

  /** Verifies a claimed one-time or fallback key of this device: an object with `signatures`. */
  verifyOneTimeKey(json: string): PreKeyBundle {
    const j = text(json, "json");
    return new PreKeyBundle(call(() => raw(this, wasm.DeviceKeys).verifyOneTimeKey(j)));
  }
}
