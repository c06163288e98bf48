const Olm = require("@matrix-org/olm");
require("./conversation.js");

// As programs do with the original: the file is beside the page.
globalThis.OLM_OPTIONS = { locateFile: (name) => name };
report(window.Olm === Olm ? conversation(Olm) : Promise.reject("Olm is not global"));
