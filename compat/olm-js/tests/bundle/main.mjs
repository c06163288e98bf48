import Olm, { Account } from "@matrix-org/olm";
import "./conversation.js";

globalThis.outcome = Olm.Account === Account ? conversation(Olm).catch(String) : "exports differ";
