import Olm, { Account, init } from "./package/olm.mjs";

globalThis.outcome =
  Olm.Account === Account && Olm.init === init && window.Olm === Olm
    ? conversation(Olm).catch(String)
    : "exports differ";
