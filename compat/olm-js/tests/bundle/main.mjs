import Olm, { Account } from "@matrix-org/olm";
import "./conversation.js";

report(Olm.Account === Account ? conversation(Olm) : Promise.reject("exports differ"));
