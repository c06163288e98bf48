/**
 * Olm and Megolm, the end-to-end encryption ratchets of Matrix, in WebAssembly.
 *
 * Call {@link init} once and wait for it. A function that fails throws a {@link MocerilError} and
 * changes nothing, except with the code `Internal`: then the program ran out of memory or stack.
 *
 * @module
 */
import { ready } from "./call.js";
import load, { type InitInput } from "./wasm/moceril_js.js";

export {
  Account,
  type IdentityKeys,
  type InboundCreation,
  type OneTimeKey,
  type OneTimeKeyGeneration,
  PreKeyBundle,
  type SignedOneTimeKey,
} from "./account.js";
export { MAX_LENGTH, Owned, Pickled } from "./call.js";
export { ERROR_CODES, type ErrorCode, MocerilError } from "./errors.js";
export {
  type MegolmContent,
  type OlmContent,
  readMegolmContent,
  readOlmContent,
  readRotationPolicy,
  type RotationPolicy,
  writeMegolmContent,
  writeOlmContent,
} from "./events.js";
export {
  DecryptedGroupMessage,
  encodeRoomPayload,
  type ExportOptions,
  GroupSession,
  InboundGroupSession,
  type Provenance,
  ReplayGuard,
  type ReplayVerdict,
  type RoomPayload,
  type SessionOrdering,
} from "./group.js";
export { canonicalJson, DeviceKeys, signJson, verifyJson } from "./json.js";
export {
  BackupDecryptionKey,
  type BackupMessage,
  decryptKeyExport,
  encryptBackup,
  encryptForBackup,
  encryptKeyExport,
  type ExportedRoomKey,
  keyExportRounds,
  readKeyExport,
  readRoomKey,
  type RoomKey,
  writeKeyExport,
} from "./room-keys.js";
export {
  type Emoji,
  EstablishedSas,
  type MacMethod,
  ourMacInfo,
  type Party,
  Sas,
  sasCommitment,
  sasKeyIds,
  theirMacInfo,
  type Verification,
} from "./sas.js";
export {
  DecryptedMessage,
  type Device,
  encodePayload,
  encodePayloadWithDeviceKeys,
  type Limits,
  type OlmMessage,
  type OlmMessageHeader,
  type OlmPayload,
  readOlmMessage,
  Session,
  type SessionKeys,
} from "./session.js";

/**
 * Loads the module. Later calls wait for the same module; after a failure they try again.
 *
 * @param module where the file `moceril_js_bg.wasm` is, or the file, if it is not beside the code
 */
export async function init(
  module: string | URL | Request | Response | BufferSource | WebAssembly.Module = new URL(
    "./wasm/moceril_js_bg.wasm",
    import.meta.url,
  ),
): Promise<void> {
  await load({ module_or_path: module as InitInput });
  ready();
}
