// What the package has, besides `init`.

export { Account } from "./account";
export { InboundGroupSession, OutboundGroupSession } from "./group";
export { PkDecryption, PkEncryption, PkSigning, PRIVATE_KEY_LENGTH } from "./pk";
export { SAS } from "./sas";
export { Session } from "./session";
export { get_library_version, Utility } from "./utility";
