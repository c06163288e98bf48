import Olm from "./package/olm.mjs";
import "./conversation.js";

conversation(Olm).catch(String).then(postMessage);
