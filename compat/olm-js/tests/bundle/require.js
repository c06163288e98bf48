const Olm = require("@matrix-org/olm");
require("./conversation.js");

// As programs do with the original: the file is beside the page.
globalThis.OLM_OPTIONS = { locateFile: (name) => name };
globalThis.outcome = window.Olm === Olm ? conversation(Olm).catch(String) : "Olm is not global";
