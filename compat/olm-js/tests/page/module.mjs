import Olm, { Account, init } from "./package/olm.mjs";

const same = Olm.Account === Account && Olm.init === init && window.Olm === Olm;
report(same ? conversation(Olm) : Promise.reject("exports differ"));
