import { Kind } from "./object";

export const ACCOUNT = new Kind("account");
export const SESSION = new Kind("session");
export const OUTBOUND = new Kind("outbound_group_session");
export const INBOUND = new Kind("inbound_group_session");
export const ENCRYPTION = new Kind("pk_encryption");
export const DECRYPTION = new Kind("pk_decryption");
export const SIGNING = new Kind("pk_signing");
export const VERIFICATION = new Kind("sas");
export const UTILITY = new Kind("utility");
