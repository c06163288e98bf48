import { bytes, call, members, number, Owned, raw, text, texts } from "./call.js";
import type { MocerilError } from "./errors.js";
import { each } from "./group.js";
import * as wasm from "./wasm/moceril_js.js";

/** The content of an event `m.room_key`, in which a sender gives a session to a device. */
export interface RoomKey {
  /** The room for which the session is meant. Use the session only for this room. */
  roomId: string;
  sessionId: string;
  /** For the constructor of {@link InboundGroupSession}. Its signature is verified. */
  sessionKey: string;
  /** Whether the sender allows the key to be given to users who join the room later. */
  sharedHistory: boolean;
}

/** The key of a group session, from a file or a backup. Nothing shows who made it. */
export interface ExportedRoomKey {
  roomId: string;
  sessionId: string;
  /** The Curve25519 key of the device that is claimed to have made the session. */
  senderKey: string | undefined;
  /** Whether the key may be given to users who join the room later. */
  sharedHistory: boolean;
  /** The first message that the key decrypts. */
  firstIndex: number;
  /** For {@link InboundGroupSession.import} or {@link InboundGroupSession.importFromBackup}. */
  sessionKey: string;
  /** The whole entry, for {@link writeKeyExport}. */
  json: string;
}

/** An encrypted key of a backup: the members of `session_data`, in base64. */
export interface BackupMessage {
  ciphertext: string;
  mac: string;
  ephemeral: string;
}

/**
 * Reads the content of an event `m.room_key`, as JSON: the `content` that
 * {@link DecryptedMessage.verifyPayload} returns.
 */
export function readRoomKey(json: string): RoomKey {
  const j = text(json, "json");
  return call(() => wasm.readRoomKey(j) as RoomKey);
}

/** Encrypts the JSON of {@link writeKeyExport} as a file, in 500,000 rounds if not given. */
export function encryptKeyExport(json: string, passphrase: string, rounds?: number): string {
  const [j, p] = [text(json, "json"), text(passphrase, "passphrase")];
  const r = rounds === undefined ? undefined : number(rounds, "rounds");
  return call(() => wasm.encryptKeyExport(j, p, r ?? wasm.defaultRounds()));
}

/**
 * Decrypts a file of exported keys.
 *
 * @param maxRounds what a file may ask for, which takes time; 5,000,000 if not given
 */
export function decryptKeyExport(file: string, passphrase: string, maxRounds?: number): string {
  const [f, p] = [text(file, "file"), text(passphrase, "passphrase")];
  const r = maxRounds === undefined ? undefined : number(maxRounds, "maxRounds");
  return call(() => wasm.decryptKeyExport(f, p, r ?? wasm.maxRounds()));
}

/** How many rounds a file asks for. */
export function keyExportRounds(file: string): number {
  const f = text(file, "file");
  return call(() => wasm.keyExportRounds(f));
}

/** The keys of a decrypted file: a key or an error for each entry. */
export function readKeyExport(json: string): (ExportedRoomKey | MocerilError)[] {
  const j = text(json, "json");
  return each(call(() => wasm.readKeyExport(j))) as (ExportedRoomKey | MocerilError)[];
}

/** The JSON of a file with these keys. */
export function writeKeyExport(keys: ExportedRoomKey[]): string {
  const k = entries(keys);
  return call(() => wasm.writeKeyExport(k));
}

function entries(keys: ExportedRoomKey[]): string[] {
  return texts(
    Array.isArray(keys) ? keys.map((key) => members(key, "each of keys").json) : keys,
    "keys",
  );
}

/**
 * Encrypts keys for a backup, as the body of a request to `PUT /room_keys/keys`. No entry says that
 * the sender's device is verified.
 *
 * @param publicKey the key of the user's backup. The server's word for it is not enough: the user
 *   has its {@link BackupDecryptionKey}, or has signed it.
 */
export function encryptBackup(publicKey: string, keys: ExportedRoomKey[]): string {
  const [p, k] = [text(publicKey, "publicKey"), entries(keys)];
  return call(() => wasm.encryptBackup(p, k));
}

/** Encrypts the `session_data` of one key for a backup. {@link encryptBackup} writes all of it. */
export function encryptForBackup(publicKey: string, plaintext: Uint8Array): BackupMessage {
  const [k, p] = [text(publicKey, "publicKey"), bytes(plaintext, "plaintext")];
  return call(() => wasm.encryptForBackup(k, p) as BackupMessage);
}

/**
 * What decrypts a backup of the scheme `m.megolm_backup.v1.curve25519-aes-sha2`. The scheme does
 * not authenticate what it encrypts: the server can alter it.
 */
export class BackupDecryptionKey extends Owned {
  /** Draws a new key. */
  constructor();
  /** @internal */
  constructor(made?: wasm.BackupDecryptionKey);
  constructor(made: wasm.BackupDecryptionKey = call(() => new wasm.BackupDecryptionKey())) {
    super(made, wasm.BackupDecryptionKey);
  }

  /** Reads a recovery key as the user has written it down. White space is ignored. */
  static fromRecoveryKey(recoveryKey: string): BackupDecryptionKey {
    const k = text(recoveryKey, "recoveryKey");
    return new BackupDecryptionKey(call(() => wasm.BackupDecryptionKey.fromRecoveryKey(k)));
  }

  /** Reads the key in base64, as secret storage holds it. */
  static fromBase64(key: string): BackupDecryptionKey {
    const k = text(key, "key");
    return new BackupDecryptionKey(call(() => wasm.BackupDecryptionKey.fromBase64(k)));
  }

  /** The key for a user to write down. */
  toRecoveryKey(): string {
    return call(() => raw(this, wasm.BackupDecryptionKey).toRecoveryKey());
  }

  /** The key in base64, for secret storage. */
  toBase64(): string {
    return call(() => raw(this, wasm.BackupDecryptionKey).toBase64());
  }

  /** The public key, to which keys are encrypted. */
  get publicKey(): string {
    return call(() => raw(this, wasm.BackupDecryptionKey).publicKey());
  }

  /** Decrypts one entry of a backup. */
  decryptUnauthenticated(message: BackupMessage): Uint8Array {
    const { ciphertext, mac, ephemeral } = members(message, "message");
    const c = text(ciphertext, "message.ciphertext");
    const [m, e] = [text(mac, "message.mac"), text(ephemeral, "message.ephemeral")];
    return call(() => raw(this, wasm.BackupDecryptionKey).decryptUnauthenticated(c, m, e));
  }

  /**
   * Decrypts a whole backup, the answer to `/room_keys/keys`: a key or an error for each entry.
   * Nothing shows who made the keys: import them with
   * {@link InboundGroupSession.importFromBackup}.
   */
  decryptBackup(json: string): (ExportedRoomKey | MocerilError)[] {
    const j = text(json, "json");
    return each(call(() => raw(this, wasm.BackupDecryptionKey).decryptBackup(j))) as (
      | ExportedRoomKey
      | MocerilError
    )[];
  }
}
