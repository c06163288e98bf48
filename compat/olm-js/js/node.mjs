// The ES module for Node is the CommonJS one, so that a program that uses both has one package.
import Olm from "./olm.js";

export default Olm;
export const {
  Account,
  InboundGroupSession,
  OutboundGroupSession,
  PRIVATE_KEY_LENGTH,
  PkDecryption,
  PkEncryption,
  PkSigning,
  SAS,
  Session,
  Utility,
  get_library_version,
  init,
} = Olm;
