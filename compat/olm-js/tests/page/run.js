globalThis.outcome = conversation(window.Olm).catch(String);
